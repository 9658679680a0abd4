//! The Reconciler's messages. A message stands with its receiver, and what a
//! subscription brings with its publisher.

use std::time::Duration;

use actix::prelude::*;

use crate::domain::dataplane::connection::Epoch;
use crate::domain::dataplane::net::Vip;
use crate::domain::dataplane::plan::Scope;
use crate::domain::names::FrontendName;
pub use crate::domain::reconcile::{
    AwaitAnswer, ReconcilerStats, StepResult, SyncError, SyncReport, VipObservation,
};
use crate::domain::reconcile::{DesiredSnapshot, DesiredUpdate, FrontendProgress, Generation};

/// Something else is desired of some frontends.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct DesiredChanged(pub DesiredUpdate);

/// Everything that is desired, after a start or a reload.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct DesiredReplaced(pub DesiredSnapshot);

/// Observe VPP and make it hold what it should; with `dry_run`, only report
/// what would be done.
#[derive(Message, Debug)]
#[rtype(result = "Result<SyncReport, SyncError>")]
pub struct Sync {
    pub scope: Scope,
    pub dry_run: bool,
}

/// Wait until VPP holds what was desired of these frontends at this generation.
/// Answered at the latest after `within`.
#[derive(Message, Debug)]
#[rtype(result = "AwaitAnswer")]
pub struct AwaitProgress {
    pub frontends: Vec<FrontendName>,
    pub generation: Generation,
    pub within: Duration,
}

/// Send this recipient what VPP holds of each frontend, whenever that changes.
#[derive(Message)]
#[rtype(result = "()")]
pub struct SubscribeProgress(pub Recipient<ProgressChanged>);

/// VPP holds what was desired of these frontends at this generation, or no longer
/// does: to the Controller.
#[derive(Message, Clone, Debug)]
#[rtype(result = "()")]
pub struct ProgressChanged {
    pub generation: Generation,
    pub changes: Vec<FrontendProgress>,
}

/// Why does VPP not hold yet what is desired of one of these frontends? `None`: it
/// does.
#[derive(Message, Debug)]
#[rtype(result = "Option<String>")]
pub struct GetPendingReason(pub Vec<FrontendName>);

/// Over which connection was VPP last read? `None`: it has to be read first.
#[derive(Message, Debug)]
#[rtype(result = "Option<Epoch>")]
pub struct GetObservedEpoch;

/// A VIP as VPP was last observed to hold it, what was written since included.
#[derive(Message, Debug)]
#[rtype(result = "VipObservation")]
pub struct GetVip(pub Vip);

#[derive(Message, Debug)]
#[rtype(result = "ReconcilerStats")]
pub struct GetReconcilerStats;

/// What does VPP refuse this frontend? `None`: nothing.
#[derive(Message, Debug)]
#[rtype(result = "Option<String>")]
pub struct GetRefusalOf(pub String);
