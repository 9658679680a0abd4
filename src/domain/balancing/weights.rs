//! Decides from the backends' verdicts which pool of a frontend serves, which
//! weight each server should have in VPP, and whose flows are flushed.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use crate::domain::config::Frontend;
use crate::domain::dataplane::net::Weight;
use crate::domain::dataplane::observed::ObservedVip;
use crate::domain::dataplane::step::VipSpec;
use crate::domain::health::State;
use crate::domain::names::{BackendName, PoolName};

/// Counts the flushes requested for a backend. Each number is flushed once; 0 means
/// that none was requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct FlushSeq(u64);

impl FlushSeq {
    pub const NONE: Self = Self(0);

    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// The state of a backend as far as its weight depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub state: State,
    /// `None` until its name is resolved. It is no server until then, and is
    /// waited for like a backend whose state is unknown.
    pub address: Option<IpAddr>,
    /// The last flush that one of its transitions requested.
    pub flush: FlushSeq,
    /// It went down with its first verdict. Its flows are kept: before the daemon
    /// started, or before a reload, it may have been up.
    pub first_down: bool,
    pub grace: StartupGrace,
}

/// The time after the start, or after the reload that brought a backend, in which the
/// backend may be unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartupGrace {
    /// The unknown backend keeps the weight that VPP has.
    Waiting,
    /// `startup-max-delay` is over: the unknown backend counts as down. Its flows
    /// are kept, since no probe has failed.
    Over,
}

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
    pub desired: DesiredFrontend,
    /// The target weight of each backend, for each pool in order.
    pub effective: Vec<BTreeMap<BackendName, TargetWeight>>,
}

/// Decides the desired state of `frontend`. A backend without a verdict is left
/// out.
#[must_use]
pub fn desired(
    frontend: &Frontend,
    overrides: &WeightOverrides,
    verdict: impl Fn(&BackendName) -> Option<Verdict>,
) -> FrontendDecision {
    let pools = members(frontend, overrides, verdict);
    let selection = select_pool(&pools);
    let mut servers = BTreeMap::new();
    let mut effective = Vec::with_capacity(pools.len());
    let mut unmanaged = UnmanagedServers::Remove;
    for (index, pool) in pools.into_iter().enumerate() {
        let mut targets = BTreeMap::new();
        for member in pool {
            let weight = target_weight(selection, index, &member);
            let flush =
                flushes(&member.verdict, frontend.flush_on_down).then_some(member.verdict.flush);
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
    let (state, active_pool) = match selection {
        PoolSelection::Active(pool) => (FrontendState::Up, Some(pool)),
        PoolSelection::NoPool => (FrontendState::Down, None),
        PoolSelection::Undecided => (FrontendState::Unknown, None),
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
            TargetWeight::Weight(member.weight)
        }
        _ => TargetWeight::Weight(Weight::ZERO),
    }
}

/// Whether the flows of a server that stops serving in this state are flushed.
fn flushes(verdict: &Verdict, flush_on_down: bool) -> bool {
    match verdict.state {
        State::Down => flush_on_down && !verdict.first_down,
        State::Disabled | State::Removed => true,
        State::Up | State::Unknown | State::Paused => false,
    }
}

/// Whether a transition requests a flush even if the server already has weight 0.
/// A first verdict does not: the server probably had the same one before the
/// daemon restarted, and was flushed then.
#[must_use]
pub fn requests_flush(from: State, to: State, first_verdict: bool) -> bool {
    match to {
        State::Disabled => true,
        State::Down => from != State::Unknown || !first_verdict,
        State::Up | State::Unknown | State::Paused | State::Removed => false,
    }
}

#[cfg(test)]
mod tests;
