//! What the Announcer decides by: of each frontend that is to be announced, what is known
//! of its servers and of VPP. Told as differences, since most transitions concern few
//! frontends, and most configurations announce nothing.

use std::collections::BTreeSet;

use super::announce_news::AnnounceNews;
use super::served::ServedAddresses;
use super::{BackendRecord, ControllerState, check_of};
use crate::domain::announce::placement::VipPrefix;
use crate::domain::announce::{AnnounceUpdate, AnnouncedFrontend, AnnouncerSettings};
use crate::domain::balancing::weights::StartupGrace;
use crate::domain::evidence::group::ProbeGroup;
use crate::domain::evidence::hold::HoldOutcome;
use crate::domain::health::State;
use crate::domain::names::{BackendName, FrontendName};
use crate::domain::reconcile::AnnouncedVips;

impl ControllerState {
    /// What has changed since the last call; `None`: nothing.
    pub fn announce_update(&mut self) -> Option<AnnounceUpdate> {
        let mut news = std::mem::take(&mut self.announce);
        let update = self.update_of(&mut news);
        self.announce = news;
        update
    }

    fn update_of(&self, news: &mut AnnounceNews) -> Option<AnnounceUpdate> {
        let mut changed = std::mem::take(&mut news.changed);
        let has_told = !news.frontends.is_empty() || !news.told.settings.drivers.is_empty();
        if !news.is_wanted && !has_told {
            return None;
        }
        if !news.is_ready && self.may_announce() {
            news.is_ready = true;
            news.note_blind(&self.blind_groups());
            changed.extend(self.frontends.keys().cloned());
        }
        let mut frontends = Vec::new();
        for name in changed {
            let facts = self.facts_of(&name, &news.unwitnessed);
            if news.frontends.get(&name) == facts.as_ref() {
                continue;
            }
            match &facts {
                Some(facts) => news.frontends.insert(name.clone(), facts.clone()),
                None => news.frontends.remove(&name),
            };
            frontends.push((name, facts));
        }
        let (is_ready, is_vpp_present) = (news.is_ready, news.is_vpp_present);
        let settings = self.config.announcer.clone();
        let (orders, none) = (self.overrides.announce_orders(), Vec::new());
        let general =
            AnnounceUpdate { is_ready, is_vpp_present, settings, orders, frontends: none };
        if frontends.is_empty() && general == news.told {
            return None;
        }
        news.told = general.clone();
        Some(AnnounceUpdate { frontends, ..general })
    }

    /// What the removal of VIPs has to wait for.
    #[must_use]
    pub fn announced_vips(&self) -> AnnouncedVips {
        let frontends = self.config.frontends.values().filter(|it| it.announce.is_some());
        let AnnouncerSettings { drivers, leave, .. } = &self.config.announcer;
        AnnouncedVips {
            addresses: frontends.map(|it| it.vip.prefix().addr()).collect(),
            leave: *leave,
            has_drivers: !drivers.is_empty(),
        }
    }

    /// VPP was read, and every backend has a verdict or has had its time for one.
    fn may_announce(&self) -> bool {
        let was_read = matches!(self.served, ServedAddresses::Known(_));
        let is_known = |record: &BackendRecord| record.state != State::Unknown;
        was_read
            && (self.grace == StartupGrace::Over || self.backends.values().all(|it| is_known(it)))
    }

    /// `None`: it is not to be announced, or no more.
    fn facts_of(
        &self,
        name: &FrontendName,
        unwitnessed: &BTreeSet<ProbeGroup>,
    ) -> Option<(VipPrefix, AnnouncedFrontend)> {
        let (record, frontend) = (self.frontends.get(name)?, self.config.frontends.get(name)?);
        let (settings, prefix) = (frontend.announce?, frontend.announced_prefix()?);
        let members = frontend.pools.iter().flat_map(|pool| pool.backends.keys());
        let mut down = members.filter_map(|name| self.backends.get(name));
        let is_unwitnessed = !unwitnessed.is_empty()
            && down.any(|record| {
                let group = self.group_of(record);
                record.state == State::Down && group.is_some_and(|it| unwitnessed.contains(&it))
            });
        let facts = AnnouncedFrontend {
            settings,
            weight: record.decision.weight,
            serves: record.serving,
            is_unwitnessed,
        };
        Some((prefix, facts))
    }

    /// Groups with backends that are down, and none that is up.
    fn blind_groups(&self) -> BTreeSet<ProbeGroup> {
        let of = |state| {
            let records = self.backends.values().filter(move |record| record.state == state);
            records.filter_map(|record| self.group_of(record)).collect::<BTreeSet<_>>()
        };
        &of(State::Down) - &of(State::Up)
    }

    fn group_of(&self, record: &BackendRecord) -> Option<ProbeGroup> {
        Some(check_of(&self.config, &record.settings)?.group(record.address?))
    }

    /// Notes how verdicts were made: with a witness or without.
    pub(super) fn note_hold_outcome(&mut self, group: ProbeGroup, outcome: HoldOutcome) {
        if self.announce.note_hold(group, outcome) {
            self.announce.note_all(self.frontends.keys());
        }
    }

    /// Notes that a probe of this backend's way has passed.
    pub(super) fn note_passing(&mut self, name: &BackendName) {
        if self.announce.unwitnessed.is_empty() {
            return;
        }
        let group = self.backends.get(name).and_then(|record| self.group_of(record));
        if let Some(group) = group {
            self.note_hold_outcome(group, HoldOutcome::Passed);
        }
    }
}
