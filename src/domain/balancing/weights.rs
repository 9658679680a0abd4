//! Decides from the backends' verdicts which pool of a frontend serves, which
//! weight each server should have in VPP, and whose flows are flushed.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use super::fail_open::{
    BackendStanding, FailOpenDecision, FailOpenMemory, FailOpenState, UpWeight,
};
use super::verdict::flushes;
use crate::domain::config::Frontend;
use crate::domain::dataplane::net::Weight;
use crate::domain::dataplane::observed::ObservedVip;
use crate::domain::dataplane::step::VipSpec;
use crate::domain::health::State;
use crate::domain::names::{BackendName, PoolName};

pub use super::verdict::{FlushSeq, StartupGrace, Verdict, requests_flush};

/// Weights set by operators, which replace those of the file.
pub type WeightOverrides = BTreeMap<(PoolName, BackendName), Weight>;

/// A frontend as VPP should hold it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredFrontend {
    pub spec: VipSpec,
    /// The servers of all pools: a failover only changes weights.
    pub servers: BTreeMap<IpAddr, DesiredServer>,
    pub unmanaged: UnmanagedServers,
}

/// A server as VPP should hold it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DesiredServer {
    pub weight: TargetWeight,
    /// `Some`: VPP flushes the server's flows when its weight is lowered to 0, and
    /// at weight 0 whenever this number has increased.
    pub flush: Option<FlushSeq>,
}

/// What is done with servers in VPP that the frontend does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnmanagedServers {
    #[default]
    Remove,
    /// They stay as they are: one of them may be a backend that serves and whose
    /// name was not resolved since the daemon started.
    Keep,
    /// They get no new flows and keep the established ones.
    Drain,
}

impl DesiredServer {
    /// Merges two backends at one address: the weight of the one that serves, and
    /// a flush only if both request it.
    fn merge(self, other: Self) -> Self {
        let rank = |target| match target {
            TargetWeight::Weight(Weight::ZERO) => (0, Weight::ZERO),
            TargetWeight::Keep => (1, Weight::ZERO),
            TargetWeight::Weight(weight) => (2, weight),
        };
        Self {
            weight: if rank(other.weight) > rank(self.weight) { other.weight } else { self.weight },
            flush: self.flush.zip(other.flush).map(|(one, two)| one.max(two)),
        }
    }
}

/// The weight that a server should have in VPP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetWeight {
    Weight(Weight),
    /// VPP's present weight; a server that VPP does not have is added with 0.
    Keep,
}

impl TargetWeight {
    /// The weight of `server` once the target is reached; `None` if it depends on
    /// a VPP that was not read. `observed` is the VIP in VPP: `Some(None)` if VPP
    /// does not have it.
    #[must_use]
    pub fn resolve(self, server: IpAddr, observed: Option<Option<&ObservedVip>>) -> Option<u8> {
        match self {
            Self::Weight(weight) => Some(weight.get()),
            Self::Keep => {
                let server = observed?.and_then(|vip| vip.servers.get(&server));
                Some(server.map_or(0, |server| server.weight))
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FrontendState {
    /// The serving pool depends on backends whose state is still unknown.
    Unknown,
    /// A pool serves.
    Up,
    /// No pool has a backend that is up and whose weight is above 0.
    Down,
    /// Not configured. It only occurs in events: a new frontend comes from this
    /// state, and a removed one goes to it.
    Removed,
}

impl FrontendState {
    /// The states of configured frontends, in the order of listings.
    pub const ALL: [Self; 3] = [Self::Unknown, Self::Up, Self::Down];

    /// The name in the API, the logs and the metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Up => "up",
            Self::Down => "down",
            Self::Removed => "removed",
        }
    }
}

impl fmt::Display for FrontendState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What was decided for a frontend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrontendDecision {
    pub state: FrontendState,
    /// The index of the serving pool in the configuration.
    pub active_pool: Option<usize>,
    /// Of its servers, over all pools.
    pub weight: UpWeight,
    /// `None`: the frontend never fails open.
    pub fail_open: Option<FailOpenDecision>,
    pub desired: DesiredFrontend,
    /// The target weight of each backend, for each pool in order.
    pub effective: Vec<BTreeMap<BackendName, TargetWeight>>,
}

/// Decides the desired state of `frontend`. A backend without a verdict is left
/// out. `memory` is of the decisions before.
#[must_use]
pub fn desired(
    frontend: &Frontend,
    overrides: &WeightOverrides,
    memory: &FailOpenMemory,
    verdict: impl Fn(&BackendName) -> Option<Verdict>,
) -> FrontendDecision {
    let pools = members(frontend, overrides, verdict);
    let selection = select_pool(&pools);
    let all = pools.iter().flatten();
    let weight: UpWeight = all.map(|member| (member.weight, member.standing())).collect();
    let fail_open = decide_fail_open(frontend, (&pools, weight), selection, memory);
    let open_pool = fail_open.and_then(|decision| decision.open_pool());
    let is_undecided = fail_open.is_some_and(|it| it.state == FailOpenState::Undecided);
    let mut servers = BTreeMap::new();
    let mut effective = Vec::with_capacity(pools.len());
    let mut unmanaged = UnmanagedServers::Remove;
    for (index, pool) in pools.into_iter().enumerate() {
        let mut targets = BTreeMap::new();
        for member in pool {
            let counts_as_up = open_pool == Some(index) && member.is_enabled();
            let weight = if counts_as_up && member.weight > Weight::ZERO {
                TargetWeight::Weight(member.weight)
            } else if is_undecided && member.was_first_found_down() {
                TargetWeight::Keep
            } else {
                target_weight(selection, index, &member)
            };
            let flushes = !counts_as_up && flushes(&member.verdict, frontend.flush_on_down);
            let flush = flushes.then_some(member.verdict.flush);
            if let Some(address) = member.verdict.address {
                let server = DesiredServer { weight, flush };
                let merged = servers.get(&address).map_or(server, |other| server.merge(*other));
                servers.insert(address, merged);
            } else {
                unmanaged = match (member.verdict.grace, unmanaged) {
                    (StartupGrace::Waiting, _) | (_, UnmanagedServers::Keep) => {
                        UnmanagedServers::Keep
                    }
                    (StartupGrace::Over, _) => UnmanagedServers::Drain,
                };
            }
            targets.insert(member.name, weight);
        }
        effective.push(targets);
    }
    let (state, active_pool) = match (open_pool, selection) {
        (Some(pool), _) | (None, PoolSelection::Active(pool)) => (FrontendState::Up, Some(pool)),
        (None, PoolSelection::NoPool) => (FrontendState::Down, None),
        (None, PoolSelection::Undecided) => (FrontendState::Unknown, None),
    };
    let spec = VipSpec {
        vip: frontend.vip,
        encap: frontend.encap,
        src_ip_sticky: frontend.src_ip_sticky,
        table_length: frontend.table_length,
    };
    FrontendDecision {
        state,
        active_pool,
        weight,
        fail_open,
        desired: DesiredFrontend { spec, servers, unmanaged },
        effective,
    }
}

/// A backend in a pool, with the weight of the override or else of the file.
struct PoolMember {
    name: BackendName,
    weight: Weight,
    verdict: Verdict,
}

impl PoolMember {
    /// Its state is unknown, and is waited for.
    fn is_waited_for(&self) -> bool {
        self.verdict.state == State::Unknown && self.verdict.grace == StartupGrace::Waiting
    }

    /// Neither an operator nor the file has taken it out of use.
    fn is_enabled(&self) -> bool {
        matches!(self.verdict.state, State::Up | State::Down | State::Unknown)
    }

    /// It may have served before the daemon started, or before a reload.
    fn was_first_found_down(&self) -> bool {
        let Verdict { state, first_down, .. } = self.verdict;
        state == State::Down && first_down && self.weight > Weight::ZERO
    }

    fn standing(&self) -> BackendStanding {
        match self.verdict.state {
            State::Up => BackendStanding::Up,
            State::Unknown if self.is_waited_for() || self.verdict.is_new => {
                BackendStanding::Awaited
            }
            State::Down | State::Unknown => BackendStanding::NotUp,
            State::Paused | State::Disabled | State::Removed => BackendStanding::OutOfUse,
        }
    }
}

/// `None` if the frontend never fails open. The pool that serves by the verdicts is the
/// one that fails open, so that no server loses its weight; without one it is the last
/// that served. Where that has no server to offer, or none has served, it is the first
/// that has one, once no pool is waited for.
fn decide_fail_open(
    frontend: &Frontend,
    (pools, weight): (&[Vec<PoolMember>], UpWeight),
    selection: PoolSelection,
    memory: &FailOpenMemory,
) -> Option<FailOpenDecision> {
    let threshold = frontend.fail_open?;
    let offers = |pool: &usize| {
        let offers = |member: &PoolMember| member.is_enabled() && member.weight > Weight::ZERO;
        pools.get(*pool).is_some_and(|members| members.iter().any(offers))
    };
    let serving = match selection {
        PoolSelection::Active(pool) => Some(pool),
        PoolSelection::NoPool | PoolSelection::Undecided => None,
    };
    let last = || frontend.pools.iter().position(|it| Some(&it.name) == memory.last_pool.as_ref());
    let known = memory.is_open || !matches!(selection, PoolSelection::Undecided);
    let first = || (0..pools.len()).find(offers).filter(|_| known);
    let pool = serving.or_else(|| last().filter(offers)).or_else(first);
    Some(FailOpenDecision::new(threshold, weight, memory.is_open, pool))
}

fn members(
    frontend: &Frontend,
    overrides: &WeightOverrides,
    verdict: impl Fn(&BackendName) -> Option<Verdict>,
) -> Vec<Vec<PoolMember>> {
    let member = |pool: &PoolName, name: &BackendName, configured: Weight| {
        let weight = overrides.get(&(pool.clone(), name.clone())).copied().unwrap_or(configured);
        Some(PoolMember { name: name.clone(), weight, verdict: verdict(name)? })
    };
    let of_pool = |pool: &crate::domain::config::Pool| {
        let backends = pool.backends.iter();
        backends.filter_map(|(name, weight)| member(&pool.name, name, *weight)).collect()
    };
    frontend.pools.iter().map(of_pool).collect()
}

/// Which pool serves.
#[derive(Clone, Copy)]
enum PoolSelection {
    /// The pool of this index.
    Active(usize),
    NoPool,
    /// It depends on backends whose state is still unknown.
    Undecided,
}

/// Selects the first pool with a backend that is up and whose weight is above 0.
/// While an unknown backend may give an earlier pool one, none is selected.
fn select_pool(pools: &[Vec<PoolMember>]) -> PoolSelection {
    for (index, pool) in pools.iter().enumerate() {
        let any = |is: fn(&PoolMember) -> bool| {
            pool.iter().any(|member| member.weight > Weight::ZERO && is(member))
        };
        if any(|member| member.verdict.state == State::Up) {
            return PoolSelection::Active(index);
        }
        if any(PoolMember::is_waited_for) {
            return PoolSelection::Undecided;
        }
    }
    PoolSelection::NoPool
}

fn target_weight(selection: PoolSelection, pool: usize, member: &PoolMember) -> TargetWeight {
    match (member.verdict.state, selection) {
        (State::Unknown, _) if member.is_waited_for() => TargetWeight::Keep,
        (State::Up, PoolSelection::Undecided) => TargetWeight::Keep,
        (State::Up, PoolSelection::Active(active)) if active == pool => {
            let ramp = member.verdict.ramp.unwrap_or(Weight::FULL);
            TargetWeight::Weight(member.weight.min(ramp))
        }
        _ => TargetWeight::Weight(Weight::ZERO),
    }
}

#[cfg(test)]
mod tests;
