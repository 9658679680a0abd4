//! Reading the whole state in one conversation, in batches that VPP's send
//! buffer holds.

use std::sync::atomic::Ordering::Relaxed;

use super::messages::{ShowVips, WeightsDialect, server_dumps};
use super::observe::StateRows;
use crate::domain::config::LbConf;
use crate::domain::dataplane::observed::Observed;
use crate::vpp::cli_text::{VipTexts, parse_vips};
use crate::vpp::client::batches::{ReadPlan, divide};
use crate::vpp::client::budget;
use crate::vpp::client::connection::Connection;
use crate::vpp::client::error::{Applied, CallError};
use crate::vpp::session::{EndReason, SMALL_REPLY};
use crate::vpp::wire::{
    CliInbandReply, LbAsV2Details, LbConfGet, LbConfGetReply, LbVipDump, Message,
};

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
    let state = connection.state();
    let expected = match state.listing_size.load(Relaxed) {
        // The first goes alone: its size is not known.
        0 => state.budget,
        size => budget::text(size + size / 4),
    };
    let (conf_call, conf) = connection.single(&LbConfGet, SMALL_REPLY)?;
    let (list_call, list) = connection.line(&ShowVips::Brief, expected)?;
    connection.submit(vec![conf_call, list_call]).await;
    let (conf, reply) = (conf.one().await?, list.any().await?);
    state.listing_size.store(reply.reply.len().max(1), Relaxed);
    if budget::text(reply.reply.len()) > state.budget {
        connection.run_stale_client_workaround().await?;
    }
    // A VPP that refuses the line gives an answer that is not understood.
    let listing = if reply.retval < 0 {
        VipTexts { entries: Vec::new(), complete: false }
    } else {
        parse_vips(&text(&reply))
    };
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
        let (call, pending) = connection.dumps(&server_dumps(&batch.of), batch.cost)?;
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

fn text(reply: &CliInbandReply) -> String {
    String::from_utf8_lossy(&reply.reply).into_owned()
}

fn settings(reply: &LbConfGetReply) -> LbConf {
    LbConf {
        ip4_src: reply.conf.ip4_src_address,
        ip6_src: reply.conf.ip6_src_address,
        sticky_buckets_per_core: reply.conf.sticky_buckets_per_core,
        flow_timeout_s: reply.conf.flow_timeout,
    }
}
