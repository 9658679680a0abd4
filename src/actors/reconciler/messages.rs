//! The messages that the Reconciler receives, and those that its subscribers get.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use actix::prelude::*;

use crate::domain::dataplane::connection::Epoch;
use crate::domain::dataplane::net::Vip;
use crate::domain::dataplane::plan::Scope;
use crate::domain::names::FrontendName;
pub use crate::domain::reconcile::{
    AwaitAnswer, ReconcilerStats, StepResult, SyncError, SyncReport, VipObservation,
};
use crate::domain::reconcile::{
    DataplaneTrace, DesiredSnapshot, DesiredUpdate, FrontendProgress, Generation, PlacedAddresses,
};

/// The desired state of some frontends changed.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct DesiredChanged(pub DesiredUpdate);

/// The whole desired state, after a start or a reload.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct DesiredReplaced(pub DesiredSnapshot);

/// The drivers of announcements have placed routes for these addresses.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct RoutesPlaced(pub PlacedAddresses);

/// Observes VPP and writes what differs from the desired state; with `dry_run` it only
/// reports the steps. With `force` it makes the removals that are held.
#[derive(Message, Debug)]
#[rtype(result = "Result<SyncReport, SyncError>")]
pub struct Sync {
    pub scope: Scope,
    pub dry_run: bool,
    pub force: bool,
}

/// Waits until VPP holds the desired state of these frontends at this generation.
/// Answered after `within` at the latest.
#[derive(Message, Debug)]
#[rtype(result = "AwaitAnswer")]
pub struct AwaitProgress {
    pub frontends: Vec<FrontendName>,
    pub generation: Generation,
    pub within: Duration,
}

/// Subscribes to the progress of all frontends, and to what VPP serves. There is one
/// subscriber.
#[derive(Message)]
#[rtype(result = "()")]
pub struct SubscribeProgress {
    pub progress: Recipient<ProgressChanged>,
    pub served: Recipient<ServedObserved>,
    pub presence: Recipient<VppPresence>,
}

/// Sent to the subscriber: VPP can be programmed, or cannot any more.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub struct VppPresence(pub bool);

/// Subscribes to the ends of passes, the last one included. There is one subscriber.
#[derive(Message)]
#[rtype(result = "()")]
pub struct SubscribePasses(pub Recipient<PassEnded>);

/// Sent to the subscriber: a pass over all of VPP has ended over this connection.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub struct PassEnded(pub Epoch);

/// Sent to the subscriber: the servers that VPP sends flows to, as it was read for the
/// first time over a connection.
#[derive(Message, Clone, Debug)]
#[rtype(result = "()")]
pub struct ServedObserved(pub BTreeSet<IpAddr>);

/// Sent to the subscriber: the progress of these frontends at this generation.
#[derive(Message, Clone, Debug)]
#[rtype(result = "()")]
pub struct ProgressChanged {
    pub generation: Generation,
    pub changes: Vec<FrontendProgress>,
}

/// The reason why VPP does not hold the desired state of one of these frontends yet;
/// `None` if it does.
#[derive(Message, Debug)]
#[rtype(result = "Option<String>")]
pub struct GetPendingReason(pub Vec<FrontendName>);

#[derive(Message, Debug)]
#[rtype(result = "ReconcilerStatus")]
pub struct GetReconcilerStatus;

/// What readiness depends on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, MessageResponse)]
pub struct ReconcilerStatus {
    /// The connection over which VPP was read; `None` if VPP's state is unknown.
    pub observed: Option<Epoch>,
    /// The number of VIPs of no frontend whose removal is held.
    pub removals_held: usize,
}

/// The VIPs of no frontend whose removal is held.
#[derive(Message, Debug)]
#[rtype(result = "Vec<Vip>")]
pub struct GetHeldRemovals;

/// The observed state of a VIP, including what was written since it was read.
#[derive(Message, Debug)]
#[rtype(result = "VipObservation")]
pub struct GetVip(pub Vip);

/// What is known of a frontend's VIP in VPP, and how it came to be so.
#[derive(Message, Debug)]
#[rtype(result = "DataplaneTrace")]
pub struct GetTrace {
    pub frontend: FrontendName,
    pub vip: Vip,
}

#[derive(Message, Debug)]
#[rtype(result = "ReconcilerStats")]
pub struct GetReconcilerStats;

/// The step of this frontend that VPP refuses at present, and VPP's reason.
#[derive(Message, Debug)]
#[rtype(result = "Option<String>")]
pub struct GetRefusalOf(pub String);
