//! lb.api 1.1.0 (VPP 24.02 to 26.06): servers are in the table of new flows or not.
//!
//! Its dumps list removed VIPs without a mark, and tell neither the protocol nor the
//! encapsulation nor the length of the table. So VIPs are read from VPP's CLI, and
//! servers from there too while the text fits in VPP's send buffer.

mod messages;
mod observe;
mod read_servers;
mod read_state;
#[cfg(test)]
mod tests;
mod write;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

pub(crate) use messages::MembershipDialect;

use super::lb_api::LbApi;
use crate::domain::dataplane::net::Vip;
use crate::domain::dataplane::observed::{Observed, ObservedServers};
use crate::domain::dataplane::step::Step;
use crate::vpp::cli_text::VipTexts;
use crate::vpp::client::calls::PreparedWrite;
use crate::vpp::client::connection::Connection;
use crate::vpp::client::error::CallError;
use crate::vpp::session::SMALL_REPLY;

impl LbApi for MembershipDialect {
    fn write(
        connection: &Connection<Self>,
        step: &Step,
        urgent: bool,
    ) -> Result<PreparedWrite, CallError> {
        write::prepare(connection, step, urgent)
    }

    async fn read_state(connection: &Connection<Self>) -> Result<Observed, CallError> {
        read_state::read_state(connection).await
    }

    async fn read_servers(
        connection: &Connection<Self>,
        expected: &BTreeMap<Vip, usize>,
    ) -> Result<BTreeMap<Vip, ObservedServers>, CallError> {
        read_servers::read_servers(connection, expected).await
    }

    async fn read_verbose(connection: &Connection<Self>) -> Result<Option<VipTexts>, CallError> {
        read_state::read_verbose(connection).await
    }
}

/// Makes VPP run its collector. See
/// [`VppClient::collect`](crate::vpp::client::VppClient::collect).
pub(super) async fn collect(
    connection: &Connection<MembershipDialect>,
    ip4_src: Ipv4Addr,
) -> Result<(), CallError> {
    let line = messages::RunCollector { ip4_src };
    let (call, pending) = connection.line(&line, SMALL_REPLY)?;
    connection.submit(vec![call]).await;
    pending.one().await.map(drop)
}
