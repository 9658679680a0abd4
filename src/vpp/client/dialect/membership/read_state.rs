//! Reading the whole state: the settings and the short listing first, which sizes what
//! follows.

use std::collections::BTreeMap;

use super::super::listing::{expected_size, listing_of, take_brief, text};
use super::messages::{MembershipDialect, ShowLb, ShowLegacyVips};
use super::observe::{LegacyState, ServerSource, with_servers};
use super::read_servers::read_servers;
use crate::domain::dataplane::net::Vip;
use crate::domain::dataplane::observed::{Observed, PartialConf};
use crate::vpp::cli_text::{VipTexts, parse_settings};
use crate::vpp::client::batches::{can_be_asked_alone, verbose_cost};
use crate::vpp::client::budget;
use crate::vpp::client::connection::Connection;
use crate::vpp::client::error::{Applied, CallError};
use crate::vpp::session::{EndReason, SMALL_REPLY};
use crate::vpp::wire::{LegacyAsDetails, Message};

/// Bytes that `show lb` may take: some hundred threads.
const SETTINGS: usize = 8 << 10;

/// Entries of all tables that VPP may be made to count: some 2 ns each, in which it does
/// nothing else.
const MOST_ENTRIES: u64 = 1 << 20;

/// See [`VppClient::read_state`](crate::vpp::client::VppClient::read_state).
pub(super) async fn read_state(
    connection: &Connection<MembershipDialect>,
) -> Result<Observed, CallError> {
    let (conf, listing) = read_listing(connection).await?;
    let limit = budget::of_bulk(connection.state().budget);
    let cost = verbose_cost(&listing);
    let live = || listing.entries.iter().filter(|entry| !entry.removed);
    let all_can_be_asked = live().all(|entry| can_be_asked_alone(entry.vip));
    let mut servers = None;
    let is_cheap = cost <= limit && entries(&listing) <= MOST_ENTRIES;
    if listing.complete && (is_cheap || !all_can_be_asked) {
        let verbose = read_text(connection, cost, limit).await?;
        // Where a line is not understood, the dumps give what they can.
        servers = Some(verbose).filter(is_understood).map(ServerSource::Verbose);
    }
    let servers = match servers {
        Some(servers) => servers,
        None => {
            let mut rows: BTreeMap<Vip, usize> = BTreeMap::new();
            for entry in &listing.entries {
                // A deleted VIP's servers answer to the same key as a live one's.
                *rows.entry(entry.vip).or_default() += entry.servers;
            }
            let is_live = |vip: &Vip| live().any(|entry| entry.vip == *vip);
            rows.retain(|vip, _| is_live(vip));
            let dumped = read_servers(connection, &rows).await?;
            ServerSource::Dumps(listing, dumped)
        }
    };
    let state = LegacyState { conf, servers };
    // With thousands of VIPs this takes milliseconds, in which this thread has to
    // serve other calls.
    let observed = tokio::task::spawn_blocking(move || state.observe()).await;
    // It fails only when the runtime stops.
    observed.map_err(|_| CallError::Lost {
        call: LegacyAsDetails::NAME,
        applied: Applied::No,
        why: EndReason::LeftUnconfirmed,
    })
}

/// Entries of all tables, which VPP counts for the verbose listing.
fn entries(listing: &VipTexts) -> u64 {
    listing.entries.iter().map(|entry| u64::from(entry.table_length)).sum()
}

/// Whether every line of the verbose listing is understood, those of servers too.
fn is_understood(listing: &VipTexts) -> bool {
    let mut verbose = listing.entries.iter().map(|entry| entry.verbose.as_ref());
    listing.complete && verbose.all(|verbose| verbose.and_then(with_servers).is_some())
}

/// See [`VppClient::read_verbose`](crate::vpp::client::VppClient::read_verbose).
pub(super) async fn read_verbose(
    connection: &Connection<MembershipDialect>,
) -> Result<Option<VipTexts>, CallError> {
    let (_, listing) = read_listing(connection).await?;
    let limit = budget::of_bulk(connection.state().budget);
    let cost = verbose_cost(&listing);
    let is_sized = listing.complete && cost <= limit;
    if !is_sized && !connection.state().stale_client_workaround {
        return Ok(None);
    }
    let cost = if listing.complete { cost } else { connection.state().budget };
    read_text(connection, cost, limit).await.map(Some)
}

/// `show lb vips verbose`, followed by the stale client workaround if it may fill VPP's
/// send buffer.
async fn read_text(
    connection: &Connection<MembershipDialect>,
    cost: usize,
    limit: usize,
) -> Result<VipTexts, CallError> {
    let (call, pending) =
        connection.line(&ShowLegacyVips::Verbose, cost.min(connection.state().budget))?;
    let mut calls = vec![call];
    let mut workaround = None;
    if cost > limit
        && let Some((call, pending)) = connection.stale_client_workaround()?
    {
        calls.push(call);
        workaround = Some(pending);
    }
    connection.submit(calls).await;
    let verbose = listing_of(&pending.any().await?);
    if let Some(workaround) = workaround {
        workaround.any().await?;
    }
    Ok(verbose)
}

/// The global settings and the short listing.
async fn read_listing(
    connection: &Connection<MembershipDialect>,
) -> Result<(PartialConf, VipTexts), CallError> {
    let expected = expected_size(connection.state());
    let (conf_call, conf) = connection.line(&ShowLb, SETTINGS.max(SMALL_REPLY))?;
    let (list_call, list) = connection.line(&ShowLegacyVips::Brief, expected)?;
    connection.submit(vec![conf_call, list_call]).await;
    let (conf, reply) = (conf.any().await?, list.any().await?);
    let listing = take_brief(connection, &reply).await?;
    Ok((parse_settings(&text(&conf)), listing))
}
