//! Answers what is announced, and lets wait until that is as it is wanted.

use actix::prelude::*;
use tokio::sync::oneshot;

use super::waiter::SettlingWaiter;
use super::{Announcer, AwaitSettled, GetAnnouncement, GetAnnouncements, ListedAnnouncements};
use crate::actors::clock::moment;
use crate::domain::announce::orders::AnnounceScope;
use crate::domain::announce::{AnnouncementListing, AnnouncementReport, DriverRecord};

impl Announcer {
    fn listing(&self) -> AnnouncementListing {
        let now = moment();
        let records: Vec<(_, &DriverRecord)> =
            self.keepers.iter().map(|(settings, it)| (settings.name(), &it.record)).collect();
        let views = self.state.views(&self.facts, now);
        AnnouncementListing::new(views, &records, self.wanted.is_some(), now.monotonic)
    }

    /// Answers those whose announcements are as they are wanted, and forgets those who have
    /// gone.
    pub(super) fn end_waits(&mut self) {
        if self.waiters.is_empty() {
            return;
        }
        let listing = self.listing();
        for waiter in std::mem::take(&mut self.waiters) {
            if waiter.settled.is_closed() {
                continue;
            }
            match self.wanted.is_some() && is_settled(&listing, waiter.scope) {
                // It may have gone meanwhile.
                true => drop(waiter.settled.send(())),
                false => self.waiters.push(waiter),
            }
        }
    }
}

fn is_settled(listing: &AnnouncementListing, scope: AnnounceScope) -> bool {
    let mut of_scope = listing.announcements.iter().filter(|it| scope.includes(it.prefix()));
    of_scope.all(|it| it.unsettled().next().is_none())
}

impl Handler<GetAnnouncements> for Announcer {
    type Result = ListedAnnouncements;

    fn handle(&mut self, _: GetAnnouncements, _: &mut Self::Context) -> ListedAnnouncements {
        ListedAnnouncements(self.listing())
    }
}

impl Handler<GetAnnouncement> for Announcer {
    type Result = Option<Box<AnnouncementReport>>;

    fn handle(
        &mut self,
        GetAnnouncement(prefix): GetAnnouncement,
        _: &mut Self::Context,
    ) -> Self::Result {
        let view = self.state.view(&self.facts, prefix, moment())?;
        let placed =
            self.keepers.iter().map(|(settings, it)| (settings.name(), it.record.placed(prefix)));
        Some(Box::new(AnnouncementReport { placed: placed.collect(), view }))
    }
}

impl Handler<AwaitSettled> for Announcer {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, message: AwaitSettled, _: &mut Self::Context) -> Self::Result {
        let AwaitSettled { scope, within } = message;
        let (settled, waits) = oneshot::channel();
        self.waiters.push(SettlingWaiter { scope, settled });
        self.end_waits();
        Box::pin(async move {
            // At its end the waiter is forgotten.
            let _ = tokio::time::timeout(within, waits).await;
        })
    }
}
