//! All overrides at one time.

use std::collections::BTreeMap;
use std::time::Instant;

use super::{AnnounceOverride, MemberKey, Overridden, Override, OverrideChange, OverrideEntry};
use crate::domain::announce::orders::{AnnounceOrders, AnnounceScope, GivenOrder};
use crate::domain::dataplane::net::Weight;
use crate::domain::health::Admin;
use crate::domain::names::{BackendName, FrontendName};

/// By what they override, at most one for each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OverrideSet {
    admins: BTreeMap<BackendName, Override<Admin>>,
    weights: BTreeMap<FrontendName, BTreeMap<MemberKey, Override<Weight>>>,
    announcements: BTreeMap<AnnounceScope, AnnounceOverride>,
}

impl OverrideSet {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.admins.is_empty() && self.weights.is_empty() && self.announcements.is_empty()
    }

    #[must_use]
    pub fn admin(&self, backend: &str) -> Option<&Override<Admin>> {
        self.admins.get(backend)
    }

    #[must_use]
    pub fn weight(&self, frontend: &str, member: &MemberKey) -> Option<&Override<Weight>> {
        self.weights.get(frontend)?.get(member)
    }

    /// The weights set in a frontend's pools.
    #[must_use]
    pub fn weights_of(&self, frontend: &str) -> BTreeMap<MemberKey, Weight> {
        let set = self.weights.get(frontend).into_iter().flatten();
        set.map(|(member, it)| (member.clone(), it.value)).collect()
    }

    #[must_use]
    pub fn announcement(&self, scope: AnnounceScope) -> Option<&AnnounceOverride> {
        self.announcements.get(&scope)
    }

    /// What operators have ordered of announcements.
    #[must_use]
    pub fn announce_orders(&self) -> AnnounceOrders {
        let orders =
            self.announcements.iter().map(|(scope, AnnounceOverride { order, origin })| {
                GivenOrder { order: *order, scope: *scope, who: origin.who.clone() }
            });
        orders.collect()
    }

    /// Those of backends by name, then those of weights by frontend, pool and backend, then
    /// those of announcements.
    pub fn entries(&self) -> impl Iterator<Item = OverrideEntry> {
        let admins = self.admins.iter().map(|(backend, it)| it.entry(backend.clone()));
        let weights = self.weights.iter().flat_map(|(frontend, members)| {
            members.iter().map(|(member, it)| it.entry(frontend.clone(), member.clone()))
        });
        let announcements = self.announcements.iter().map(|(scope, it)| it.entry(*scope));
        admins.chain(weights).chain(announcements)
    }

    /// When the next of them is over.
    #[must_use]
    pub fn next_end(&self) -> Option<Instant> {
        let origins = self.admins.values().map(|it| &it.origin);
        let weights = self.weights.values().flatten();
        let announcements = self.announcements.values().map(|it| &it.origin);
        let origins = origins.chain(weights.map(|(_, it)| &it.origin)).chain(announcements);
        origins.filter_map(|it| it.term.ends()).min()
    }

    /// Those whose time is over.
    #[must_use]
    pub fn expired(&self, now: Instant) -> Vec<OverrideEntry> {
        self.entries().filter(|entry| entry.origin.term.is_over(now)).collect()
    }

    /// The override of a backend's administrative state.
    #[must_use]
    pub fn of_backend(&self, backend: &BackendName) -> Option<OverrideEntry> {
        Some(self.admins.get(backend)?.entry(backend.clone()))
    }

    /// The override of a weight.
    #[must_use]
    pub fn of_member(&self, frontend: &FrontendName, member: MemberKey) -> Option<OverrideEntry> {
        Some(self.weight(frontend.as_str(), &member)?.entry(frontend.clone(), member))
    }

    /// The override of the item that a change is about.
    #[must_use]
    pub fn of_item(&self, change: &OverrideChange) -> Option<OverrideEntry> {
        match change {
            OverrideChange::Admin { backend, .. } => self.of_backend(backend),
            OverrideChange::Weight { frontend, member, .. } => {
                self.of_member(frontend, member.clone())
            }
            OverrideChange::Announcement { scope, .. } => {
                Some(self.announcement(*scope)?.entry(*scope))
            }
        }
    }

    pub fn change(&mut self, change: OverrideChange) {
        match change {
            OverrideChange::Admin { backend, to: Some(to) } => {
                self.admins.insert(backend, to);
            }
            OverrideChange::Admin { backend, to: None } => {
                self.admins.remove(&backend);
            }
            OverrideChange::Weight { frontend, member, to: Some(to) } => {
                self.weights.entry(frontend).or_default().insert(member, to);
            }
            OverrideChange::Weight { frontend, member, to: None } => {
                if let Some(members) = self.weights.get_mut(&frontend) {
                    members.remove(&member);
                    if members.is_empty() {
                        self.weights.remove(&frontend);
                    }
                }
            }
            OverrideChange::Announcement { scope, to: Some(to) } => {
                self.announcements.insert(scope, to);
            }
            OverrideChange::Announcement { scope, to: None } => {
                self.announcements.remove(&scope);
            }
        }
    }

    /// Adds an entry. Returns false if there is one for the same item, which stays.
    pub fn insert(&mut self, entry: OverrideEntry) -> bool {
        let is_new = match &entry.what {
            Overridden::Admin { backend, .. } => !self.admins.contains_key(backend),
            Overridden::Weight { frontend, pool, backend, .. } => {
                self.weight(frontend.as_str(), &(pool.clone(), backend.clone())).is_none()
            }
            Overridden::Announcement { scope, .. } => self.announcement(*scope).is_none(),
        };
        if is_new {
            self.change(entry.set());
        }
        is_new
    }
}

impl Override<Admin> {
    fn entry(&self, backend: BackendName) -> OverrideEntry {
        let (value, configured) = (self.value, self.configured);
        let what = Overridden::Admin { backend, value, configured };
        OverrideEntry { what, origin: self.origin.clone() }
    }
}

impl Override<Weight> {
    fn entry(&self, frontend: FrontendName, (pool, backend): MemberKey) -> OverrideEntry {
        let (value, configured) = (self.value, self.configured);
        let what = Overridden::Weight { frontend, pool, backend, value, configured };
        OverrideEntry { what, origin: self.origin.clone() }
    }
}

impl AnnounceOverride {
    fn entry(&self, scope: AnnounceScope) -> OverrideEntry {
        let what = Overridden::Announcement { scope, order: self.order };
        OverrideEntry { what, origin: self.origin.clone() }
    }
}

impl OverrideChange {
    /// The override that it sets; `None`: it ends one.
    #[must_use]
    pub fn entry(&self) -> Option<OverrideEntry> {
        match self {
            Self::Admin { backend, to } => Some(to.as_ref()?.entry(backend.clone())),
            Self::Weight { frontend, member, to } => {
                Some(to.as_ref()?.entry(frontend.clone(), member.clone()))
            }
            Self::Announcement { scope, to } => Some(to.as_ref()?.entry(*scope)),
        }
    }
}

impl OverrideEntry {
    /// What sets it.
    #[must_use]
    pub fn set(self) -> OverrideChange {
        let origin = self.origin;
        match self.what {
            Overridden::Admin { backend, value, configured } => {
                OverrideChange::Admin { backend, to: Some(Override { value, configured, origin }) }
            }
            Overridden::Weight { frontend, pool, backend, value, configured } => {
                OverrideChange::Weight {
                    frontend,
                    member: (pool, backend),
                    to: Some(Override { value, configured, origin }),
                }
            }
            Overridden::Announcement { scope, order } => {
                let to = Some(AnnounceOverride { order, origin });
                OverrideChange::Announcement { scope, to }
            }
        }
    }

    /// What ends it.
    #[must_use]
    pub fn ended(self) -> OverrideChange {
        match self.what {
            Overridden::Admin { backend, .. } => OverrideChange::Admin { backend, to: None },
            Overridden::Weight { frontend, pool, backend, .. } => {
                OverrideChange::Weight { frontend, member: (pool, backend), to: None }
            }
            Overridden::Announcement { scope, .. } => {
                OverrideChange::Announcement { scope, to: None }
            }
        }
    }
}
