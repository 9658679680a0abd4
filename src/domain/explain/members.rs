//! Why backends of a pool get no new flows, and which pool serves.

use std::time::SystemTime;

use super::facts::{FrontendSituation, MemberSituation, PoolSituation};
use super::{ExplainStage, Statement};
use crate::domain::balancing::weights::TargetWeight;
use crate::domain::dataplane::dialect::LbDialect;
use crate::domain::dataplane::net::Weight;
use crate::domain::health::State;
use crate::domain::utc::for_people;

/// Backends that are named before the others are only counted.
const NAMED: usize = 5;

/// Why a backend gets no new flows; `None`: nothing of its own keeps it from them.
pub(super) fn own_reason(member: &MemberSituation) -> Option<String> {
    let name = &member.name;
    let why = |what: &str| match &*member.why {
        "" => format!("{name} is {what}"),
        why => format!("{name} is {what} ({why})"),
    };
    match member.state {
        State::Down if let Some(until) = member.damped_until => {
            Some(format!("{name} flaps and is kept out until {}", for_people(until)))
        }
        State::Disabled if !member.is_admin_overridden => {
            Some(format!("{name} is disabled in the file"))
        }
        State::Down | State::Paused | State::Disabled | State::Removed => {
            Some(why(member.state.as_str()))
        }
        _ if member.address.is_none() => Some(format!("the name of {name} does not resolve")),
        State::Unknown => Some(format!("{name} has had no result yet")),
        State::Up if member.weight == Weight::ZERO => Some(match &member.overridden {
            Some(origin) => format!("{name} has weight 0{}", origin.in_brackets()),
            None => format!("{name} has weight 0 in the file"),
        }),
        State::Up => None,
    }
}

impl MemberSituation {
    /// Since when its [`own_reason`] keeps it from new flows; `None`: not known.
    pub(super) fn out_since(&self) -> Option<SystemTime> {
        if self.state == State::Up && self.weight == Weight::ZERO {
            return self.overridden.as_ref().map(|origin| origin.term.since);
        }
        self.since
    }

    /// `a slow start has brought it to weight 12 of 100, and ends at …`; `None`: it is in
    /// none, or serves nothing.
    pub(super) fn slow_start(&self) -> Option<String> {
        let (until, now) = (self.slow_until?, self.effective);
        let TargetWeight::Weight(now) = now else { return None };
        let (target, until) = (self.weight, for_people(until));
        (now > Weight::ZERO).then(|| {
            format!("a slow start has brought it to weight {now} of {target}, and ends at {until}")
        })
    }
}

/// The reasons of several backends: `web1 is down (…), web2 has weight 0 in the file`.
pub(super) fn reasons<'a>(members: impl Iterator<Item = &'a MemberSituation>) -> String {
    let reasons: Vec<_> = members.filter_map(own_reason).collect();
    let named = reasons.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match reasons.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named}, and {more} more"),
    }
}

impl FrontendSituation {
    pub(super) fn active(&self) -> Option<&PoolSituation> {
        self.pools.get(self.active_pool?)
    }

    /// The backends of the pools before the one that serves; `None`: the first serves, or
    /// none, or all because the frontend fails open.
    pub(super) fn earlier(&self) -> Option<impl Iterator<Item = &MemberSituation> + Clone> {
        let index = self.active_pool.filter(|index| *index > 0 && !self.is_open())?;
        Some(self.pools.iter().take(index).flat_map(|pool| &pool.members))
    }

    pub(super) fn is_open(&self) -> bool {
        self.fail_open.is_some_and(|decision| decision.open_pool().is_some())
    }

    fn members(&self) -> impl Iterator<Item = &MemberSituation> {
        self.pools.iter().flat_map(|pool| &pool.members)
    }

    /// The sum of the weights by which a VPP of this dialect should share new flows;
    /// `None`: one is left as VPP has it.
    pub(super) fn total_weight(&self, dialect: LbDialect) -> Option<u64> {
        self.members().try_fold(0, |total, member| match member.effective {
            TargetWeight::Weight(weight) => {
                Some(total + u64::from(dialect.effective(weight.get())))
            }
            TargetWeight::Keep => None,
        })
    }

    /// The backend that the first pools wait for.
    pub(super) fn awaited(&self) -> Option<(&PoolSituation, &MemberSituation)> {
        self.pools.iter().find_map(|pool| {
            let is_awaited =
                |member: &&MemberSituation| member.is_awaited && member.weight > Weight::ZERO;
            Some((pool, pool.members.iter().find(is_awaited)?))
        })
    }

    /// `100 of the weight of 300 is up, below 40%`
    pub(super) fn open_figures(&self) -> String {
        self.fail_open.map_or_else(String::new, |it| {
            let (up, total) = (it.weight.up, it.weight.total);
            format!("{up} of the weight of {total} is up, below {}", it.threshold)
        })
    }
}

/// Which pool of a frontend serves, and why.
pub(super) fn pool_statement(frontend: &FrontendSituation) -> Statement {
    let name = &frontend.name;
    let statement = match (frontend.active(), frontend.active_pool) {
        (Some(pool), _) if frontend.is_open() => Statement::new(
            ExplainStage::Pool,
            format!(
                "pool {} serves with all enabled backends: {name} fails open, {}",
                pool.name,
                frontend.open_figures()
            ),
        )
        .since(frontend.open_since)
        .remedy("`fail-open` of the frontend in the configuration file"),
        (Some(pool), Some(index @ 1..)) => {
            let earlier = frontend.pools.iter().take(index).flat_map(|pool| &pool.members);
            let since = earlier.clone().filter_map(MemberSituation::out_since).max();
            let text = format!(
                "pool {} serves, since no earlier one can: {}",
                pool.name,
                reasons(earlier)
            );
            Statement::new(ExplainStage::Pool, text).since(since)
        }
        (Some(pool), _) => {
            let text = format!("pool {} serves: the first with a backend that is up", pool.name);
            Statement::new(ExplainStage::Pool, text)
        }
        (None, _) => match frontend.awaited() {
            Some((pool, member)) => {
                let text = format!(
                    "no pool is chosen yet: pool {} waits for {}, whose state is unknown",
                    pool.name, member.name
                );
                Statement::new(ExplainStage::Pool, text)
                    .remedy("`startup-max-delay` in the configuration file bounds the wait")
            }
            None => {
                let text = format!("no pool serves: {}", reasons(frontend.members()));
                Statement::new(ExplainStage::Pool, text)
            }
        },
    };
    statement.of(name)
}
