//! The dialects of VPP's `lb` API, and which of them a connection is in.
//!
//! A dialect says which messages it requires, turns a [`Step`] into one of
//! them, and reads VPP's state into an [`Observed`]. Each is a folder with a
//! marker type that implements [`LbApi`]; to add one takes its
//! folder and its variant here.

mod common_messages;
pub(super) mod lb_api;
mod listing;
pub(super) mod membership;
mod required_messages;
mod server_dumps;
#[cfg(test)]
mod tests;
pub(super) mod weights;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::connection::{AnyVpp, Connection};
use super::error::CallError;
use crate::domain::dataplane::dialect::LbDialect;
use crate::domain::dataplane::net::Vip;
use crate::domain::dataplane::observed::{Observed, ObservedServers};
use crate::domain::dataplane::step::Step;
use crate::vpp::cli_text::VipTexts;
use lb_api::{LbApi, apply};
use membership::MembershipDialect;
use required_messages::CURED;
use weights::WeightsDialect;

/// A connection in the dialect that VPP speaks on it.
#[derive(Clone, Debug)]
pub(super) enum Dialect {
    /// lb.api 1.2.0: servers have weights.
    Weights(Connection<WeightsDialect>),
    /// lb.api 1.1.0: servers are in the table or not.
    Membership(Connection<MembershipDialect>),
}

impl Dialect {
    /// The dialect that VPP's message table shows.
    ///
    /// # Errors
    /// It shows none: the messages that keep it from the one that it comes closest to.
    pub(super) fn choose(connection: &Connection<AnyVpp>) -> Result<Self, Vec<String>> {
        let is_cured = CURED.iter().any(|name| connection.state().table.named(name).is_some());
        if is_cured {
            connection.speaking().map(Self::Weights)
        } else {
            connection.speaking().map(Self::Membership)
        }
    }

    pub(super) fn kind(&self) -> LbDialect {
        match self {
            Self::Weights(_) => LbDialect::Weights,
            Self::Membership(_) => LbDialect::Membership,
        }
    }

    /// Makes a VPP collect what was removed, if it does not do so of its own.
    pub(super) async fn collect(&self, ip4_src: Ipv4Addr) -> Result<(), CallError> {
        match self {
            Self::Weights(_) => Ok(()),
            Self::Membership(connection) => membership::collect(connection, ip4_src).await,
        }
    }

    pub(super) async fn apply(&self, steps: Vec<Step>, urgent: bool) -> Vec<Result<(), CallError>> {
        match self {
            Self::Weights(connection) => apply(connection, steps, urgent).await,
            Self::Membership(connection) => apply(connection, steps, urgent).await,
        }
    }

    pub(super) async fn read_state(&self) -> Result<Observed, CallError> {
        match self {
            Self::Weights(connection) => WeightsDialect::read_state(connection).await,
            Self::Membership(connection) => MembershipDialect::read_state(connection).await,
        }
    }

    pub(super) async fn read_servers(
        &self,
        expected: &BTreeMap<Vip, usize>,
    ) -> Result<BTreeMap<Vip, ObservedServers>, CallError> {
        match self {
            Self::Weights(connection) => WeightsDialect::read_servers(connection, expected).await,
            Self::Membership(connection) => {
                MembershipDialect::read_servers(connection, expected).await
            }
        }
    }

    pub(super) async fn read_verbose(&self) -> Result<Option<VipTexts>, CallError> {
        match self {
            Self::Weights(connection) => WeightsDialect::read_verbose(connection).await,
            Self::Membership(connection) => MembershipDialect::read_verbose(connection).await,
        }
    }
}
