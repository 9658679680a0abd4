//! What the Reconciler can be asked. What it hears stands with those who tell
//! it: the Controller and the VppConnection.

use std::collections::BTreeMap;

use actix::prelude::*;
use thiserror::Error;

use crate::actors::vpp_connection::{DataplaneError, Epoch};
use crate::domain::dataplane::net::Vip;
use crate::domain::dataplane::observed::ObservedVip;
use crate::domain::dataplane::plan::{Planned, Scope};
use crate::domain::names::FrontendName;

/// Look at VPP and make it hold what it should.
#[derive(Message, Debug)]
#[rtype(result = "Result<SyncReport, SyncError>")]
pub struct Sync {
    /// How much of it.
    pub scope: Scope,
    /// Only say what would be done.
    pub dry_run: bool,
}

/// What a pass did, or would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncReport {
    /// The steps in order.
    pub results: Vec<StepResult>,
    /// False for a dry run.
    pub applied: bool,
    /// The VIPs that the steps concern, as they were before.
    pub before: BTreeMap<Vip, ObservedVip>,
}

/// Over which connection was VPP last read? `None`: it has to be read first.
#[derive(Message, Debug)]
#[rtype(result = "Option<Epoch>")]
pub struct GetObservedEpoch;

/// A VIP as VPP was last seen to hold it, what was written since included.
#[derive(Message, Debug)]
#[rtype(result = "VipObservation")]
pub struct GetVip(pub Vip);

/// What is known of one VIP in VPP.
#[derive(Clone, Debug, PartialEq, Eq, MessageResponse)]
pub enum VipObservation {
    /// VPP was not read, or the last look no longer counts.
    NotYet,
    /// VPP has no such VIP.
    Absent,
    /// VPP has it.
    Present(ObservedVip),
}

impl VipObservation {
    /// As the domain asks for it: `None` if VPP was not read.
    #[must_use]
    pub fn as_seen(&self) -> Option<Option<&ObservedVip>> {
        match self {
            Self::NotYet => None,
            Self::Absent => Some(None),
            Self::Present(vip) => Some(Some(vip)),
        }
    }
}

/// A step and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepResult {
    /// The step.
    pub planned: Planned,
    /// Why it was not done; `None` if it was, or in a dry run.
    pub error: Option<String>,
}

/// Why a pass could not be made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SyncError {
    /// There is no such frontend.
    #[error("there is no frontend \"{0}\"")]
    NoFrontend(FrontendName),
    /// VPP could not be read.
    #[error(transparent)]
    Link(DataplaneError),
}
