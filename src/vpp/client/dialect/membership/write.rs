//! Writes: one message for one [`Step`], encoded as lb.api 1.1.0 understands it.
//!
//! A server is in the table or not, so a weight can be neither set nor 0.

use super::super::common_messages::{add_vip, remove_vip, set_conf};
use super::messages::MembershipDialect;
use crate::domain::dataplane::net::{Vip, Weight};
use crate::domain::dataplane::step::Step;
use crate::vpp::client::calls::PreparedWrite;
use crate::vpp::client::connection::Connection;
use crate::vpp::client::error::{CallError, StepError};
use crate::vpp::wire::{LbConfSet, LegacyAddDelAs, LegacyAddDelVipV2, WireAddress};

/// The call that carries out `step`.
pub(super) fn prepare(
    connection: &Connection<MembershipDialect>,
    step: &Step,
    urgent: bool,
) -> Result<PreparedWrite, CallError> {
    match LegacyWrite::try_from(step)? {
        LegacyWrite::Conf(message) => connection.write(&message, urgent),
        LegacyWrite::Vip(message) => connection.write(&message, urgent),
        LegacyWrite::Server(message) => connection.write(&message, urgent),
    }
}

/// A step as the message that carries it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LegacyWrite {
    /// `lb_conf`
    Conf(LbConfSet),
    /// `lb_add_del_vip_v2`
    Vip(LegacyAddDelVipV2),
    /// `lb_add_del_as`
    Server(LegacyAddDelAs),
}

impl TryFrom<&Step> for LegacyWrite {
    type Error = StepError;

    fn try_from(step: &Step) -> Result<Self, StepError> {
        Ok(match step {
            Step::SetConf(conf) => Self::Conf(set_conf(conf)?),
            Step::AddVip(spec) => Self::Vip(LegacyAddDelVipV2(add_vip(spec))),
            Step::RemoveVip(vip) => Self::Vip(LegacyAddDelVipV2(remove_vip(*vip))),
            Step::AddServer { weight: Weight::ZERO, .. } | Step::SetWeight { .. } => {
                return Err(StepError::NoWeights);
            }
            Step::AddServer { vip, server, .. } => {
                Self::Server(server_message(*vip, (*server).into()))
            }
            Step::RemoveServer { vip, server, flush } => Self::Server(LegacyAddDelAs {
                is_del: true,
                is_flush: *flush,
                ..server_message(*vip, (*server).into())
            }),
        })
    }
}

fn server_message(vip: Vip, as_address: WireAddress) -> LegacyAddDelAs {
    LegacyAddDelAs { vip: vip.into(), as_address, is_del: false, is_flush: false }
}
