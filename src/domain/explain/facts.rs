//! What an explanation is made of: what the Controller decided of a backend or a
//! frontend, and what the Reconciler knows of it in VPP, each at one moment.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

use crate::domain::balancing::fail_open::FailOpenDecision;
use crate::domain::balancing::weights::{FrontendState, TargetWeight};
use crate::domain::dataplane::net::{TableLength, Vip, Weight};
use crate::domain::events::Transition;
use crate::domain::health::damping::DampingView;
use crate::domain::health::doubt::DoubtView;
use crate::domain::health::probe_history::ProbeOutcome;
use crate::domain::health::probe_result::ProbeResult;
use crate::domain::health::{Admin, State};
use crate::domain::names::{BackendName, CheckName, FrontendName, PoolName};
use crate::domain::overrides::OverrideOrigin;
use crate::domain::readiness::ReloadRefusal;
use crate::domain::reconcile::DataplaneTrace;

/// The frontends of a backend that are looked at, so that an answer has a bound.
pub const LOOKED_AT: usize = 16;

/// A backend as the Controller knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct BackendSituation {
    pub name: BackendName,
    /// `None` until its name is resolved.
    pub address: Option<IpAddr>,
    /// The name that its address is looked up from; `None`: the address is given.
    pub dns_name: Option<String>,
    /// Why that name does not resolve.
    pub unresolved: Option<String>,
    /// `None`: it has no health check.
    pub check: Option<CheckSituation>,
    pub state: State,
    /// Its last change of state.
    pub last_transition: Option<Transition<State>>,
    pub admin: Admin,
    /// Of the operator's `admin`; `None`: it is the file's.
    pub overridden: Option<Arc<OverrideOrigin>>,
    /// Why its last failures are no verdict.
    pub doubt: Option<DoubtView>,
    /// It passes again, and is kept out because it flaps.
    pub damping: Option<DampingView>,
    /// Why the last reload was refused, so that an older configuration is in use.
    pub reload_refused: Option<ReloadRefusal>,
    /// Its state is unknown, and its first result is waited for.
    pub is_awaited: bool,
    /// The first [`LOOKED_AT`] frontends that use it.
    pub frontends: Vec<FrontendSituation>,
    /// All frontends that use it.
    pub frontend_count: usize,
}

/// The health check of a backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckSituation {
    pub name: CheckName,
    /// What it asks: `http, port 8080`.
    pub what: String,
    pub rise: u32,
    pub fall: u32,
}

/// A backend's prober, as it was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProbeSituation {
    /// 0 to rise+fall-1.
    pub counter: u32,
    pub last: Option<ProbeResult>,
    /// Oldest first.
    pub history: Vec<ProbeOutcome>,
}

/// A frontend as the Controller decided it.
#[derive(Clone, Debug, PartialEq)]
pub struct FrontendSituation {
    pub name: FrontendName,
    pub vip: Vip,
    pub table_length: TableLength,
    pub state: FrontendState,
    /// In order of preference.
    pub pools: Vec<PoolSituation>,
    /// The index of the pool that serves.
    pub active_pool: Option<usize>,
    /// `None`: it never fails open.
    pub fail_open: Option<FailOpenDecision>,
    pub open_since: Option<SystemTime>,
    /// As of a backend.
    pub reload_refused: Option<ReloadRefusal>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PoolSituation {
    pub name: PoolName,
    /// By name.
    pub members: Vec<MemberSituation>,
}

/// A backend in a pool.
#[derive(Clone, Debug, PartialEq)]
pub struct MemberSituation {
    pub name: BackendName,
    pub address: Option<IpAddr>,
    pub state: State,
    /// Of its last change of state.
    pub since: Option<SystemTime>,
    pub why: Arc<str>,
    /// Whether an operator, and not the file, has it in use or not.
    pub is_admin_overridden: bool,
    /// It passes again, and is kept out until then because it flaps.
    pub damped_until: Option<SystemTime>,
    pub is_doubted: bool,
    pub is_awaited: bool,
    /// The weight of the file or of an operator.
    pub weight: Weight,
    pub configured: Weight,
    /// Of the operator's weight; `None`: it is the file's.
    pub overridden: Option<Arc<OverrideOrigin>>,
    /// The weight that VPP should hold.
    pub effective: TargetWeight,
    /// When its slow start ends; `None`: it is in none.
    pub slow_until: Option<SystemTime>,
}

impl MemberSituation {
    /// It should get new flows.
    #[must_use]
    pub fn serves(&self) -> bool {
        matches!(self.effective, TargetWeight::Weight(weight) if weight > Weight::ZERO)
    }
}

/// Whether VPP can be programmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VppLink {
    /// The daemon runs without a VPP.
    Off,
    /// There is no connection, for this reason.
    Away(String),
    /// This VPP lacks what programming needs.
    Lacking(String),
    Ready,
}

/// A frontend in VPP.
#[derive(Clone, Debug, PartialEq)]
pub struct VppSituation {
    pub link: VppLink,
    pub trace: DataplaneTrace,
    /// Why packets to its VIP do not reach the load balancer, with what to do.
    pub unreached: Option<String>,
}
