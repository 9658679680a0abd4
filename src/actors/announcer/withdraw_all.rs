//! Withdraws everything before the daemon stops.

use std::collections::BTreeSet;

use actix::prelude::*;
use tokio::sync::oneshot;

use super::leaving::Leaving;
use super::{Announcer, Keeper, WithdrawAll, WithdrawOutcome};
use crate::domain::announce::placement::WantedRoutes;

impl Announcer {
    fn outcome(&self, of: usize) -> WithdrawOutcome {
        let keepers = self.keepers.iter().chain(&self.ending);
        let left = keepers.filter(|(_, it)| !it.addresses.is_empty());
        let left =
            left.map(|(settings, it)| (settings.name(), it.addresses.known().cloned())).collect();
        WithdrawOutcome { of, left }
    }

    /// Answers when nothing is left, or, at the end of its time, with what is.
    pub(super) fn answer_leaving(&mut self, is_over: bool) {
        let Some(of) = self.leaving.as_ref().map(|leaving| leaving.of) else { return };
        let outcome = self.outcome(of);
        if (is_over || outcome.left.is_empty())
            && let Some(reply) = self.leaving.as_mut().and_then(|leaving| leaving.reply.take())
        {
            // The daemon may have ended its wait.
            let _ = reply.send(outcome);
        }
    }
}

impl Handler<WithdrawAll> for Announcer {
    type Result = ResponseFuture<WithdrawOutcome>;

    fn handle(
        &mut self,
        WithdrawAll { within }: WithdrawAll,
        ctx: &mut Self::Context,
    ) -> Self::Result {
        let (reply, replied) = oneshot::channel();
        let keepers = self.keepers.values().chain(self.ending.values());
        let placed: BTreeSet<_> = keepers
            .flat_map(|Keeper { addresses, .. }| addresses.known().into_iter().flatten())
            .collect();
        self.leaving = Some(Leaving { of: placed.len(), reply: Some(reply) });
        self.want(WantedRoutes::new());
        self.answer_leaving(false);
        ctx.run_later(within, |this, _| this.answer_leaving(true));
        Box::pin(async move { replied.await.unwrap_or_default() })
    }
}
