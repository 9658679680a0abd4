//! Publishes what is wanted otherwise than before, and what drivers have done.

use std::time::SystemTime;

use super::Announcer;
use crate::domain::announce::placement::VipPrefix;
use crate::domain::announce::{AnnouncementChange, DriverNews, PlacedChange};
use crate::domain::events::{AnnouncementNews, AnnouncementTurn, Event};
use crate::domain::names::FrontendName;

impl Announcer {
    pub(super) fn tell_of_change(&self, change: &AnnouncementChange) {
        let AnnouncementChange { prefix, from, to, why, at } = change;
        let frontends = self.frontends_of(*prefix);
        let what = AnnouncementTurn::Wanted { prefix: *prefix, frontends, from: *from, to: *to };
        self.publish(what, why.to_string(), *at);
    }

    pub(super) fn tell_of_driver(&self, driver: &'static str, news: DriverNews) {
        let at = SystemTime::now();
        if let Some(failure) = news.turn {
            let works = failure.is_none();
            let what = AnnouncementTurn::Driver { driver, works };
            self.publish(what, failure.unwrap_or_default(), at);
        }
        for PlacedChange { prefix, from, to, why } in news.changes {
            let frontends = self.frontends_of(prefix);
            let what = AnnouncementTurn::Placed { prefix, frontends, driver, from, to };
            self.publish(what, why, at);
        }
    }

    fn frontends_of(&self, prefix: VipPrefix) -> Vec<FrontendName> {
        let facts = self.facts.prefixes.get(&prefix);
        facts.map(|facts| facts.frontends.keys().cloned().collect()).unwrap_or_default()
    }

    fn publish(&self, what: AnnouncementTurn, why: String, at: SystemTime) {
        self.events.publish(Event::Announcement(AnnouncementNews { what, why, at }.into()));
    }
}
