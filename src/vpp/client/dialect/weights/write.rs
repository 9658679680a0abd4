//! Writes: one message for one [`Step`], whose types cannot hold what would
//! crash or corrupt VPP.
//!
//! The global settings are the one step whose numbers are plain integers: they
//! are checked when they become a message. A server of the wrong family for its VIP cannot be seen
//! in the step alone, and VPP refuses it.

use super::super::common_messages::{add_vip, remove_vip, set_conf};
use super::messages::WeightsDialect;
use crate::domain::dataplane::net::Vip;
use crate::domain::dataplane::step::Step;
use crate::vpp::client::calls::PreparedWrite;
use crate::vpp::client::connection::Connection;
use crate::vpp::client::error::{CallError, StepError};
use crate::vpp::wire::{LbAddDelAsV2, LbAddDelVipV2, LbAsSetWeight, LbConfSet, WireAddress};

/// The call that carries out `step`.
pub(super) fn prepare(
    connection: &Connection<WeightsDialect>,
    step: &Step,
    urgent: bool,
) -> Result<PreparedWrite, CallError> {
    match LbWrite::try_from(step)? {
        LbWrite::Conf(message) => connection.write(&message, urgent),
        LbWrite::Vip(message) => connection.write(&message, urgent),
        LbWrite::Server(message) => connection.write(&message, urgent),
        LbWrite::Weight(message) => connection.write(&message, urgent),
    }
}

/// A step as the message that carries it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LbWrite {
    /// `lb_conf`
    Conf(LbConfSet),
    /// `lb_add_del_vip_v2`
    Vip(LbAddDelVipV2),
    /// `lb_add_del_as_v2`
    Server(LbAddDelAsV2),
    /// `lb_as_set_weight`
    Weight(LbAsSetWeight),
}

impl TryFrom<&Step> for LbWrite {
    type Error = StepError;

    fn try_from(step: &Step) -> Result<Self, StepError> {
        Ok(match step {
            Step::SetConf(conf) => Self::Conf(set_conf(conf)?),
            Step::AddVip(spec) => Self::Vip(add_vip(spec)),
            Step::RemoveVip(vip) => Self::Vip(remove_vip(*vip)),
            Step::AddServer { vip, server, weight } => Self::Server(LbAddDelAsV2 {
                weight: weight.get(),
                ..server_message(*vip, (*server).into())
            }),
            Step::RemoveServer { vip, server, flush } => Self::Server(LbAddDelAsV2 {
                is_del: true,
                is_flush: *flush,
                ..server_message(*vip, (*server).into())
            }),
            Step::SetWeight { vip, server, weight, flush } => Self::Weight(LbAsSetWeight {
                vip: (*vip).into(),
                as_address: (*server).into(),
                weight: weight.get(),
                is_flush: *flush,
            }),
        })
    }
}

fn server_message(vip: Vip, as_address: WireAddress) -> LbAddDelAsV2 {
    LbAddDelAsV2 { vip: vip.into(), as_address, weight: 0, is_del: false, is_flush: false }
}
