//! The dialects of VPP's `lb` API, and which of them a connection is in.
//!
//! A dialect says which messages it requires, turns a [`Step`] into one of
//! them, and reads VPP's state into an [`Observed`]. Each is a folder with a
//! marker type that implements [`LbApi`]; to add one takes its
//! folder and its variant here.

pub(super) mod lb_api;
mod required_messages;
#[cfg(test)]
mod tests;
pub(super) mod weights;

use std::collections::BTreeMap;

use super::connection::{AnyVpp, Connection};
use super::error::CallError;
use crate::domain::dataplane::net::Vip;
use crate::domain::dataplane::observed::{Observed, ObservedServers};
use crate::domain::dataplane::step::Step;
use crate::vpp::cli_text::VipTexts;
use lb_api::{LbApi, apply};
use weights::WeightsDialect;

/// A connection in the dialect that VPP speaks on it.
#[derive(Clone, Debug)]
pub(super) enum Dialect {
    /// lb.api 1.2.0: servers have weights.
    Weights(Connection<WeightsDialect>),
}

impl Dialect {
    /// The dialect that VPP's message table shows.
    ///
    /// # Errors
    /// It shows none: the messages that keep it from the newest.
    pub(super) fn choose(connection: &Connection<AnyVpp>) -> Result<Self, Vec<String>> {
        connection.speaking().map(Self::Weights)
    }

    pub(super) async fn apply(&self, steps: Vec<Step>, urgent: bool) -> Vec<Result<(), CallError>> {
        match self {
            Self::Weights(connection) => apply(connection, steps, urgent).await,
        }
    }

    pub(super) async fn read_state(&self) -> Result<Observed, CallError> {
        match self {
            Self::Weights(connection) => WeightsDialect::read_state(connection).await,
        }
    }

    pub(super) async fn read_servers(
        &self,
        expected: &BTreeMap<Vip, usize>,
    ) -> Result<BTreeMap<Vip, ObservedServers>, CallError> {
        match self {
            Self::Weights(connection) => WeightsDialect::read_servers(connection, expected).await,
        }
    }

    pub(super) async fn read_verbose(&self) -> Result<Option<VipTexts>, CallError> {
        match self {
            Self::Weights(connection) => WeightsDialect::read_verbose(connection).await,
        }
    }
}
