//! Reading the servers of a few VIPs again, without the listing of all VIPs that
//! the reading of everything begins with.

use std::collections::BTreeMap;

use super::messages::{WeightsDialect, server_dumps};
use super::observe::rows_by_vip;
use crate::domain::dataplane::net::Vip;
use crate::domain::dataplane::observed::ObservedServers;
use crate::vpp::client::batches::{can_be_asked_alone, group};
use crate::vpp::client::budget;
use crate::vpp::client::connection::Connection;
use crate::vpp::client::error::CallError;

/// See [`VppClient::read_servers`](crate::vpp::client::VppClient::read_servers).
pub(super) async fn read_servers(
    connection: &Connection<WeightsDialect>,
    expected: &BTreeMap<Vip, usize>,
) -> Result<BTreeMap<Vip, ObservedServers>, CallError> {
    let limit = budget::of_bulk(connection.state().budget);
    let asked = || expected.iter().filter(|(vip, _)| can_be_asked_alone(**vip));
    let batches = group(asked().map(|(vip, rows)| (*vip, *rows)), limit);
    let may_overflow = batches.iter().any(|batch| batch.cost > limit);
    let mut calls = Vec::with_capacity(batches.len() + 1);
    let mut dumps = Vec::with_capacity(batches.len());
    for batch in batches {
        let (call, pending) = connection.dumps(&server_dumps(&batch.of), batch.cost)?;
        calls.push(call);
        dumps.push(pending);
    }
    let mut workaround = None;
    if may_overflow && let Some((call, pending)) = connection.stale_client_workaround()? {
        calls.push(call);
        workaround = Some(pending);
    }
    connection.submit(calls).await;
    let mut rows = Vec::new();
    for pending in dumps {
        rows.extend(pending.rows().await?);
    }
    if let Some(workaround) = workaround {
        workaround.any().await?;
    }
    Ok(rows_by_vip(asked().map(|(vip, _)| *vip), &rows))
}
