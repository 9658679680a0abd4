//! Reading the servers of a few VIPs again, without the listing of all VIPs that
//! the reading of everything begins with.

use std::collections::BTreeMap;

use super::super::server_dumps::read_batches;
use super::messages::WeightsDialect;
use super::observe::rows_by_vip;
use crate::domain::dataplane::net::Vip;
use crate::domain::dataplane::observed::ObservedServers;
use crate::vpp::client::batches::{can_be_asked_alone, group};
use crate::vpp::client::budget;
use crate::vpp::client::connection::Connection;
use crate::vpp::client::error::CallError;
use crate::vpp::wire::LbAsV2Dump;

/// See [`VppClient::read_servers`](crate::vpp::client::VppClient::read_servers).
pub(super) async fn read_servers(
    connection: &Connection<WeightsDialect>,
    expected: &BTreeMap<Vip, usize>,
) -> Result<BTreeMap<Vip, ObservedServers>, CallError> {
    let limit = budget::of_bulk(connection.state().budget);
    let asked = || expected.iter().filter(|(vip, _)| can_be_asked_alone(**vip));
    let batches = group(asked().map(|(vip, rows)| (*vip, *rows)), limit);
    let answers = read_batches::<_, LbAsV2Dump>(connection, batches).await?;
    let rows: Vec<_> = answers.into_iter().flat_map(|(_, rows)| rows).collect();
    Ok(rows_by_vip(asked().map(|(vip, _)| *vip), &rows))
}
