//! From verdicts to weights: which pool of a frontend serves, what weight each
//! server should have in VPP, and whose flows are to be forgotten.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use crate::domain::config::Frontend;
use crate::domain::dataplane::net::Weight;
use crate::domain::dataplane::observed::ObservedVip;
use crate::domain::dataplane::step::VipSpec;
use crate::domain::health::State;
use crate::domain::names::{BackendName, PoolName};

/// Counts the flushes asked for a backend. A flush is an event: it goes out
/// once for each number, and number 0 never does by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct FlushSeq(u64);

impl FlushSeq {
    /// No flush was asked for yet.
    pub const NONE: Self = Self(0);

    /// The number after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// What is known of one backend, as far as weights go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Its state.
    pub state: State,
    /// Where it serves; `None` while its name has not been resolved. Then it
    /// is no server yet, and is waited for like one that is unknown.
    pub address: Option<IpAddr>,
    /// The last flush that one of its transitions asked for.
    pub flush: FlushSeq,
}

/// Whether unknown backends are still given time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartupGrace {
    /// What VPP has for them stays.
    Waiting,
    /// `startup-max-delay` is over: they count as down, though their flows,
    /// which nobody has found to be lost, stay.
    Over,
}

/// Weights that operators set in place of the file's.
pub type WeightOverrides = BTreeMap<(PoolName, BackendName), Weight>;

/// What one frontend should look like in VPP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredFrontend {
    /// Its VIP.
    pub spec: VipSpec,
    /// Every server of every pool: a failover is a change of weights.
    pub servers: BTreeMap<IpAddr, DesiredServer>,
    /// What becomes of all others.
    pub unmanaged: UnmanagedServers,
}

/// What one server should look like in VPP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DesiredServer {
    /// Its weight.
    pub weight: TargetWeight,
    /// `Some`: at weight 0 its flows are forgotten, when its weight is lowered
    /// and whenever this number is new.
    pub flush: Option<FlushSeq>,
}

/// What becomes of servers in VPP that the frontend does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnmanagedServers {
    /// They are removed.
    #[default]
    Remove,
    /// Nothing: one of them may be a backend whose name has not been resolved
    /// since the daemon started, and serves.
    Keep,
    /// They get no more new flows, and keep those they have.
    Drain,
}

impl DesiredServer {
    /// Of two backends at one address: the weight of the one that serves, and
    /// a flush only if both ask for it.
    fn joined(self, other: Self) -> Self {
        let rank = |want| match want {
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

/// A weight, or whatever is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetWeight {
    /// Exactly this weight.
    Weight(Weight),
    /// What VPP has stays; a server it does not have starts at 0.
    Keep,
}

impl TargetWeight {
    /// The weight that `server` has when this is done; `None` if it hangs on a
    /// VPP that was not seen. `seen` is its VIP there, if VPP has it.
    #[must_use]
    pub fn resolve(self, server: IpAddr, seen: Option<Option<&ObservedVip>>) -> Option<u8> {
        match self {
            Self::Weight(weight) => Some(weight.get()),
            Self::Keep => {
                let known = seen?.and_then(|vip| vip.servers.get(&server));
                Some(known.map_or(0, |server| server.weight))
            }
        }
    }
}

/// Whether a frontend serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FrontendState {
    /// It hangs on backends of which nothing is known yet.
    Unknown,
    /// A pool serves.
    Up,
    /// No pool has a backend that is up and has a weight.
    Down,
    /// The configuration no longer has it: where it comes from and goes to in
    /// the eyes of those who watch. No frontend that is listed is in it.
    Removed,
}

impl FrontendState {
    /// Every state that a listed frontend can be in, in the order of listings.
    pub const ALL: [Self; 3] = [Self::Unknown, Self::Up, Self::Down];

    /// The word of the API, the logs and the metrics.
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

/// A frontend as its backends' verdicts make it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrontendDecision {
    /// Whether it serves.
    pub state: FrontendState,
    /// The pool that serves, by its place in the configuration.
    pub active_pool: Option<usize>,
    /// What VPP should hold.
    pub desired: DesiredFrontend,
    /// For each pool, in order, what each backend should have.
    pub effective: Vec<BTreeMap<BackendName, TargetWeight>>,
}

/// Decides what `frontend` should look like. `verdict` knows every backend of
/// the configuration; one that it does not know is left out.
#[must_use]
pub fn desired(
    frontend: &Frontend,
    overrides: &WeightOverrides,
    grace: StartupGrace,
    verdict: impl Fn(&BackendName) -> Option<Verdict>,
) -> FrontendDecision {
    let pools = members(frontend, overrides, verdict);
    let choice = choose(&pools, grace);
    let mut servers = BTreeMap::new();
    let mut effective = Vec::with_capacity(pools.len());
    let mut unmanaged = UnmanagedServers::Remove;
    for (place, pool) in pools.into_iter().enumerate() {
        let mut wants = BTreeMap::new();
        for member in pool {
            let weight = want(choice, place, grace, &member);
            let flush = flushes(member.verdict.state, frontend.flush_on_down)
                .then_some(member.verdict.flush);
            if let Some(address) = member.verdict.address {
                let server = DesiredServer { weight, flush };
                let both = servers.get(&address).map_or(server, |other| server.joined(*other));
                servers.insert(address, both);
            } else {
                unmanaged = match grace {
                    StartupGrace::Waiting => UnmanagedServers::Keep,
                    StartupGrace::Over => UnmanagedServers::Drain,
                };
            }
            wants.insert(member.name, weight);
        }
        effective.push(wants);
    }
    let (state, active_pool) = match choice {
        Choice::Active(place) => (FrontendState::Up, Some(place)),
        Choice::Nobody => (FrontendState::Down, None),
        Choice::Open => (FrontendState::Unknown, None),
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

/// A backend in a pool.
struct PoolMember {
    name: BackendName,
    weight: Weight,
    verdict: Verdict,
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
enum Choice {
    /// The pool at this place.
    Active(usize),
    /// No pool can.
    Nobody,
    /// It hangs on backends of which nothing is known yet.
    Open,
}

/// The first pool with a backend that is up and has a weight; while an earlier
/// pool may still turn out to have one, the choice is open.
fn choose(pools: &[Vec<PoolMember>], grace: StartupGrace) -> Choice {
    let any = |pool: &[PoolMember], state: State| {
        pool.iter().any(|member| member.weight > Weight::ZERO && member.verdict.state == state)
    };
    for (place, pool) in pools.iter().enumerate() {
        if any(pool, State::Up) {
            return Choice::Active(place);
        }
        if grace == StartupGrace::Waiting && any(pool, State::Unknown) {
            return Choice::Open;
        }
    }
    Choice::Nobody
}

fn want(choice: Choice, place: usize, grace: StartupGrace, member: &PoolMember) -> TargetWeight {
    match (member.verdict.state, choice) {
        (State::Unknown, _) if grace == StartupGrace::Waiting => TargetWeight::Keep,
        (State::Up, Choice::Open) => TargetWeight::Keep,
        (State::Up, Choice::Active(active)) if active == place => {
            TargetWeight::Weight(member.weight)
        }
        _ => TargetWeight::Weight(Weight::ZERO),
    }
}

/// Whether a server that stops serving in this state takes its flows with it.
fn flushes(state: State, flush_on_down: bool) -> bool {
    match state {
        State::Down => flush_on_down,
        State::Disabled | State::Removed => true,
        State::Up | State::Unknown | State::Paused => false,
    }
}

/// Whether a transition asks for a flush even of a server that has weight 0
/// already. A first verdict does not: before a restart the server had the same
/// one, and its flush is long done.
#[must_use]
pub fn asks_for_flush(from: State, to: State, first_verdict: bool) -> bool {
    match to {
        State::Disabled => true,
        State::Down => from != State::Unknown || !first_verdict,
        State::Up | State::Unknown | State::Paused | State::Removed => false,
    }
}

#[cfg(test)]
mod tests;
