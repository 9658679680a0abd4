//! lb.api 1.2.0 (VPP 26.10 and later): servers have weights, and the settings
//! can be read.

mod messages;
mod observe;
mod read_servers;
mod read_state;
#[cfg(test)]
mod tests;
mod write;

use std::collections::BTreeMap;

pub(crate) use messages::WeightsDialect;

use super::lb_api::LbApi;
use crate::domain::dataplane::net::Vip;
use crate::domain::dataplane::observed::{Observed, ObservedServers};
use crate::domain::dataplane::step::Step;
use crate::vpp::cli_text::VipTexts;
use crate::vpp::client::calls::PreparedWrite;
use crate::vpp::client::connection::Connection;
use crate::vpp::client::error::CallError;

impl LbApi for WeightsDialect {
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
