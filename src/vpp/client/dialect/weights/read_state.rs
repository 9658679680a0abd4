//! Reading the whole state in one conversation, in batches that VPP's send
//! buffer holds.

use super::super::listing::{expected_size, take_brief, text};
use super::super::server_dumps::server_dumps;
use super::messages::{ShowVips, WeightsDialect};
use super::observe::StateRows;
use crate::domain::config::LbConf;
use crate::domain::dataplane::observed::Observed;
use crate::vpp::cli_text::{VipTexts, parse_vips};
use crate::vpp::client::batches::{ReadPlan, divide};
use crate::vpp::client::budget;
use crate::vpp::client::connection::Connection;
use crate::vpp::client::error::{Applied, CallError};
use crate::vpp::session::{EndReason, SMALL_REPLY};
use crate::vpp::wire::{LbAsV2Details, LbAsV2Dump, LbConfGet, LbConfGetReply, LbVipDump, Message};

/// See [`VppClient::read_state`](crate::vpp::client::VppClient::read_state).
pub(super) async fn read_state(
    connection: &Connection<WeightsDialect>,
) -> Result<Observed, CallError> {
    let (conf, listing) = read_listing(connection).await?;
    let plan = divide(&listing, budget::of_bulk(connection.state().budget));
    let rows = read_rows(connection, plan, conf, listing).await?;
    // With thousands of VIPs this takes milliseconds, in which this thread has to
    // serve other calls.
    let observed = tokio::task::spawn_blocking(move || rows.observe()).await;
    observed.map_err(|_| stopping())
}

/// The error of a thread that was not started because the runtime stops.
fn stopping() -> CallError {
    CallError::Lost {
        call: LbAsV2Details::NAME,
        applied: Applied::No,
        why: EndReason::LeftUnconfirmed,
    }
}

/// See [`VppClient::read_verbose`](crate::vpp::client::VppClient::read_verbose).
pub(super) async fn read_verbose(
    connection: &Connection<WeightsDialect>,
) -> Result<Option<VipTexts>, CallError> {
    let (_, listing) = read_listing(connection).await?;
    let budget = connection.state().budget;
    let fits = divide(&listing, budget::of_bulk(budget)).verbose;
    let mut workaround = None;
    if fits.is_none() {
        workaround = connection.stale_client_workaround()?;
        if workaround.is_none() {
            return Ok(None);
        }
    }
    let (call, pending) = connection.line(&ShowVips::Verbose, fits.unwrap_or(budget))?;
    let mut calls = vec![call];
    let workaround = workaround.map(|(call, pending)| {
        calls.push(call);
        pending
    });
    connection.submit(calls).await;
    let reply = pending.one().await?;
    if let Some(workaround) = workaround {
        workaround.any().await?;
    }
    // Of thousands of VIPs it is megabytes.
    let verbose = tokio::task::spawn_blocking(move || parse_vips(&text(&reply))).await;
    Ok(Some(verbose.map_err(|_| stopping())?))
}

/// The global settings and the short listing, which sizes what follows.
async fn read_listing(
    connection: &Connection<WeightsDialect>,
) -> Result<(LbConf, VipTexts), CallError> {
    let expected = expected_size(connection.state());
    let (conf_call, conf) = connection.single(&LbConfGet, SMALL_REPLY)?;
    let (list_call, list) = connection.line(&ShowVips::Brief, expected)?;
    connection.submit(vec![conf_call, list_call]).await;
    let (conf, reply) = (conf.one().await?, list.any().await?);
    let listing = take_brief(connection, &reply).await?;
    Ok((settings(&conf), listing))
}

async fn read_rows(
    connection: &Connection<WeightsDialect>,
    plan: ReadPlan,
    conf: LbConf,
    listing: VipTexts,
) -> Result<StateRows, CallError> {
    let mut calls = Vec::with_capacity(plan.servers.len() + 3);
    let mut vips = None;
    if let Some(cost) = plan.vips {
        let (call, pending) = connection.dumps(&[LbVipDump::ALL], cost)?;
        calls.push(call);
        vips = Some(pending);
    }
    let mut dumps = Vec::with_capacity(plan.servers.len());
    for batch in plan.servers {
        let (call, pending) =
            connection.dumps(&server_dumps::<LbAsV2Dump>(&batch.of), batch.cost)?;
        calls.push(call);
        dumps.push(pending);
    }
    let mut verbose = None;
    if let Some(cost) = plan.verbose {
        let (call, pending) = connection.line(&ShowVips::Verbose, cost)?;
        calls.push(call);
        verbose = Some(pending);
    }
    let mut workaround = None;
    if plan.may_overflow
        && let Some((call, pending)) = connection.stale_client_workaround()?
    {
        calls.push(call);
        workaround = Some(pending);
    }
    connection.submit(calls).await;

    let vips = match vips {
        Some(pending) => Some(pending.rows().await?),
        None => None,
    };
    let mut servers: Vec<LbAsV2Details> = Vec::new();
    for pending in dumps {
        servers.extend(pending.rows().await?);
    }
    let verbose = match verbose {
        Some(pending) => Some(parse_vips(&text(&pending.any().await?))),
        None => None,
    };
    if let Some(pending) = workaround {
        pending.any().await?;
    }
    Ok(StateRows { conf, listing, vips, servers, verbose })
}

fn settings(reply: &LbConfGetReply) -> LbConf {
    LbConf {
        ip4_src: reply.conf.ip4_src_address,
        ip6_src: reply.conf.ip6_src_address,
        sticky_buckets_per_core: reply.conf.sticky_buckets_per_core,
        flow_timeout_s: reply.conf.flow_timeout,
    }
}
