//! What was decided for each prefix, and for how long it waits.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::{Duration, Instant, SystemTime};

use super::facts::{AnnounceFacts, PrefixFacts};
use super::orders::AnnounceOrder;
use super::placement::{RoutePlacement, VipPrefix, WantedRoutes};
use super::verdict::{AnnounceCall, AnnounceReason, HoldReason, call};
use crate::domain::moment::Moment;
use crate::domain::names::FrontendName;

/// What is wanted of a prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VipStanding {
    /// Nothing was decided: what is placed stays.
    Unknown,
    Announced,
    /// With a lower preference.
    Drained,
    Withdrawn,
}

impl VipStanding {
    pub const ALL: [Self; 4] = [Self::Unknown, Self::Announced, Self::Drained, Self::Withdrawn];

    /// The word in the API, logs, events and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Announced => "announced",
            Self::Drained => "drained",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// What drivers are to have; `None`: whatever they have.
    #[must_use]
    pub fn wanted(self) -> Option<Option<RoutePlacement>> {
        (self != Self::Unknown).then(|| self.placement())
    }

    fn placement(self) -> Option<RoutePlacement> {
        match self {
            Self::Announced => Some(RoutePlacement::Announced),
            Self::Drained => Some(RoutePlacement::Drained),
            Self::Unknown | Self::Withdrawn => None,
        }
    }
}

impl fmt::Display for VipStanding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A prefix is wanted otherwise than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnnouncementChange {
    pub prefix: VipPrefix,
    pub from: VipStanding,
    pub to: VipStanding,
    pub why: AnnounceReason,
    pub at: SystemTime,
}

/// What follows from the facts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnnounceDecision {
    /// The whole set, in place of the last one; `None`: nothing is known yet.
    pub wanted: Option<WantedRoutes>,
    pub changes: Vec<AnnouncementChange>,
    /// When to decide again although no fact has changed.
    pub again: Option<Instant>,
}

/// A prefix as the API, the metrics and explanations show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnnouncementView {
    pub prefix: VipPrefix,
    pub frontends: Vec<FrontendName>,
    pub standing: VipStanding,
    pub since: SystemTime,
    /// Why it is so, or why it is to be otherwise if it is held.
    pub why: AnnounceReason,
    /// Why it stays what it is all the same, and how long still; `None`: until that ends.
    pub held: Option<(HoldReason, Option<Duration>)>,
    /// Changes since the daemon started.
    pub changes: u64,
    /// Those that withdrew it.
    pub withdraws: u64,
}

/// See the module's description.
#[derive(Clone, Debug, Default)]
pub struct AnnounceState {
    /// What an earlier daemon has placed; `None`: not read yet.
    adopted: Option<WantedRoutes>,
    prefixes: BTreeMap<VipPrefix, Announcement>,
}

/// The decisions for one prefix.
#[derive(Clone, Debug)]
struct Announcement {
    standing: VipStanding,
    since: SystemTime,
    why: AnnounceReason,
    held: Option<(HoldReason, Option<Instant>)>,
    /// Since when the facts call for another standing.
    called_since: Option<(CallKind, Instant)>,
    healthy: BTreeSet<FrontendName>,
    /// The last withdraw was not an operator's: announcing it again waits.
    settles: bool,
    changes: u64,
    withdraws: u64,
}

/// The calls that are waited for. One that goes on, for another reason, is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CallKind {
    Announce,
    Withdraw,
    /// Withdraw, for a reason that is not believed.
    Doubted,
}

impl AnnounceState {
    /// Begins with what is placed, by an earlier daemon or by none.
    pub fn adopt(&mut self, placed: WantedRoutes) {
        self.adopted.get_or_insert(placed);
    }

    /// Decides by the facts of this moment.
    pub fn decide(&mut self, facts: &AnnounceFacts, now: Moment) -> AnnounceDecision {
        if !facts.is_ready {
            return self.withdraw_ordered(facts, now);
        }
        let mut decision = AnnounceDecision::default();
        let Some(adopted) = &self.adopted else { return decision };
        self.prefixes.retain(|prefix, announcement| {
            let is_left = facts.prefixes.contains_key(prefix);
            if !is_left && announcement.standing.placement().is_some() {
                let (from, to) = (announcement.standing, VipStanding::Withdrawn);
                let (why, at) = (AnnounceReason::Removed, now.wall);
                decision.changes.push(AnnouncementChange { prefix: *prefix, from, to, why, at });
            }
            is_left
        });
        for (prefix, its) in &facts.prefixes {
            let announcement = self.prefixes.entry(*prefix).or_insert_with(|| {
                Announcement::adopted(adopted.get(prefix).copied(), its, now.wall)
            });
            let from = announcement.standing;
            announcement.decide(facts, its, now);
            let to = announcement.standing;
            if from != to {
                let (why, at) = (announcement.why.clone(), now.wall);
                decision.changes.push(AnnouncementChange { prefix: *prefix, from, to, why, at });
            }
            let until = announcement.held.as_ref().and_then(|(_, until)| *until);
            decision.again = decision.again.into_iter().chain(until).min();
        }
        // What is left of an earlier daemon was judged once; a prefix that comes later is new.
        self.adopted = Some(BTreeMap::new());
        let wanted = self.prefixes.iter();
        let wanted = wanted.filter_map(|(prefix, it)| Some((*prefix, it.standing.placement()?)));
        decision.wanted = Some(wanted.collect());
        decision
    }

    /// Before anything is known of servers and of VPP, what an operator has ordered withdrawn
    /// is, of what an earlier daemon has placed, and the rest stays.
    fn withdraw_ordered(&mut self, facts: &AnnounceFacts, now: Moment) -> AnnounceDecision {
        let mut decision = AnnounceDecision::default();
        let Some(adopted) = &mut self.adopted else { return decision };
        for (prefix, its) in &facts.prefixes {
            let order = its.order.as_ref().filter(|it| it.order == AnnounceOrder::Withdraw);
            let Some(given) = order.filter(|_| !self.prefixes.contains_key(prefix)) else {
                continue;
            };
            let mut announcement = Announcement::adopted(adopted.remove(prefix), its, now.wall);
            let (from, to) = (announcement.standing, VipStanding::Withdrawn);
            let why = AnnounceReason::Ordered(given.clone());
            announcement.become_wanted(to, now.wall);
            announcement.why = why.clone();
            self.prefixes.insert(*prefix, announcement);
            if from != to {
                let (prefix, at) = (*prefix, now.wall);
                decision.changes.push(AnnouncementChange { prefix, from, to, why, at });
            }
        }
        decision.wanted = (!self.prefixes.is_empty()).then(|| adopted.clone());
        decision
    }

    /// All prefixes of these facts.
    #[must_use]
    pub fn views(&self, facts: &AnnounceFacts, now: Moment) -> Vec<AnnouncementView> {
        facts.prefixes.keys().filter_map(|prefix| self.view(facts, *prefix, now)).collect()
    }

    /// One of them; `None`: the facts have no such prefix.
    #[must_use]
    pub fn view(
        &self,
        facts: &AnnounceFacts,
        prefix: VipPrefix,
        now: Moment,
    ) -> Option<AnnouncementView> {
        let frontends = facts.prefixes.get(&prefix)?.frontends.keys().cloned().collect();
        Some(match self.prefixes.get(&prefix) {
            Some(announcement) => announcement.view(prefix, frontends, now),
            None => AnnouncementView {
                prefix,
                frontends,
                standing: VipStanding::Unknown,
                since: now.wall,
                why: AnnounceReason::Starting,
                held: None,
                changes: 0,
                withdraws: 0,
            },
        })
    }
}

impl Announcement {
    /// Before the first decision. One that was placed has frontends that were healthy.
    fn adopted(placed: Option<RoutePlacement>, facts: &PrefixFacts, at: SystemTime) -> Self {
        let (standing, healthy) = match placed {
            None => (VipStanding::Withdrawn, BTreeSet::new()),
            Some(RoutePlacement::Announced) => {
                (VipStanding::Announced, facts.frontends.keys().cloned().collect())
            }
            Some(RoutePlacement::Drained) => {
                (VipStanding::Drained, facts.frontends.keys().cloned().collect())
            }
        };
        let (why, held, called_since) = (AnnounceReason::Starting, None, None);
        let (settles, changes, withdraws) = (false, 0, 0);
        Self { standing, since: at, why, held, called_since, healthy, settles, changes, withdraws }
    }

    fn decide(&mut self, all: &AnnounceFacts, facts: &PrefixFacts, now: Moment) {
        let is_placed = self.standing.placement().is_some();
        let call = call(all, facts, &mut self.healthy);
        let (kind, why, to, wait) = match call {
            AnnounceCall::Withdraw(why) => (None, why, VipStanding::Withdrawn, None),
            AnnounceCall::Announce { why, drained, now: at_once } => {
                let to = if drained { VipStanding::Drained } else { VipStanding::Announced };
                // Between the two there is nothing to wait for, nnor before the first time.
                let waits = !at_once && !is_placed && self.settles;
                let wait = waits.then(|| (HoldReason::Settling, Some(longest_hold_up(facts))));
                (Some(CallKind::Announce), why, to, wait)
            }
            AnnounceCall::Unserved(why) => {
                let wait = is_placed.then_some((HoldReason::Unserved, Some(all.hold_vpp)));
                (Some(CallKind::Withdraw), why, VipStanding::Withdrawn, wait)
            }
            AnnounceCall::Unhealthy { why, witnessed: false } => {
                let wait = is_placed.then_some((HoldReason::Unwitnessed, None));
                (Some(CallKind::Doubted), why, VipStanding::Withdrawn, wait)
            }
            AnnounceCall::Unhealthy { why, witnessed: true } => {
                let wait =
                    is_placed.then(|| (HoldReason::Settling, Some(longest_hold_down(facts))));
                (Some(CallKind::Withdraw), why, VipStanding::Withdrawn, wait)
            }
        };
        let began = match (self.called_since, kind) {
            (Some((before, began)), Some(kind)) if before == kind => began,
            _ => now.monotonic,
        };
        self.called_since = kind.map(|kind| (kind, began));
        self.why = why;
        self.held = match wait {
            Some((reason, Some(wait))) => {
                let until = began + wait;
                (until > now.monotonic).then_some((reason, Some(until)))
            }
            Some((reason, None)) => Some((reason, None)),
            None => None,
        };
        if self.held.is_none() && self.standing != to {
            self.settles = to == VipStanding::Withdrawn && kind.is_some();
            self.become_wanted(to, now.wall);
        }
    }

    fn become_wanted(&mut self, to: VipStanding, at: SystemTime) {
        if self.standing != to {
            self.changes += 1;
            self.withdraws += u64::from(to == VipStanding::Withdrawn);
            (self.standing, self.since) = (to, at);
        }
    }

    fn view(
        &self,
        prefix: VipPrefix,
        frontends: Vec<FrontendName>,
        now: Moment,
    ) -> AnnouncementView {
        let left = |until: Instant| until.saturating_duration_since(now.monotonic);
        let held = self.held.clone().map(|(reason, until)| (reason, until.map(left)));
        let Self { standing, since, changes, withdraws, .. } = *self;
        let why = self.why.clone();
        AnnouncementView { prefix, frontends, standing, since, why, held, changes, withdraws }
    }
}

fn longest_hold_down(facts: &PrefixFacts) -> Duration {
    facts.frontends.values().map(|it| it.settings.hold_down).max().unwrap_or_default()
}

fn longest_hold_up(facts: &PrefixFacts) -> Duration {
    facts.frontends.values().map(|it| it.settings.hold_up).max().unwrap_or_default()
}
