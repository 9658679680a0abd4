//! The look that a pass begins with.

use std::collections::{BTreeMap, BTreeSet};

use actix::prelude::*;
use tracing::{info, warn};

use super::pass::{Pass, Trigger};
use super::{ObservedState, Reconciler, SyncError, scope_word};
use crate::actors::vpp_connection::{DataplaneError, Epoch, Observe, ObservedAt};
use crate::domain::balancing::maglev::{Mismatch, mismatches};
use crate::domain::dataplane::net::Vip;
use crate::domain::dataplane::observed::Observed;
use crate::domain::dataplane::plan::Scope;

/// The tables of a look that are not those of the model.
type Mismatches = BTreeMap<Vip, Mismatch>;

impl Reconciler {
    pub(super) fn begin_pass(&mut self, ctx: &mut Context<Self>) {
        let (Some(wanted), Some(epoch)) = (&self.wanted, self.epoch) else { return };
        let mut queue = self.queue.iter();
        let Some(due) = queue.position(|(_, purpose)| self.may_write || purpose.is_dry_run())
        else {
            return;
        };
        let Some((scope, purpose)) = self.queue.remove(due) else { return };
        if let Scope::One(name) = &scope
            && !wanted.desired.frontends.contains_key(name)
        {
            purpose.answer(Err(SyncError::NoFrontend(name.clone())));
            return self.go_on(ctx);
        }
        info!(scope = scope_word(&scope), "vpp-lbsync-start");
        // Only what goes by itself leaves alone what VPP keeps refusing.
        let resting = match &purpose {
            Trigger::Drift { .. } => self.refused.begin_pass(),
            Trigger::Sync { .. } => BTreeSet::new(),
        };
        let pass = self.pass.insert(Pass::new(scope, purpose, resting));
        if !self.dirty.is_empty() {
            pass.explain();
        }
        self.look(epoch, ctx);
    }

    fn look(&mut self, epoch: Epoch, ctx: &mut Context<Self>) {
        let looked = self.vpp.observe.send(Observe);
        let look = async move {
            let seen = looked.await.unwrap_or_else(|_| Err(DataplaneError::ended()))?;
            compared(seen).await
        };
        ctx.spawn(look.into_actor(self).map(move |looked, this, ctx| {
            // The pass of an earlier connection ended with it.
            if this.epoch == Some(epoch) {
                this.looked(looked, epoch, ctx);
                this.drive(ctx);
            }
        }));
    }

    fn looked(
        &mut self,
        looked: Result<(ObservedAt, Mismatches), DataplaneError>,
        epoch: Epoch,
        ctx: &mut Context<Self>,
    ) {
        let Some(pass) = &mut self.pass else { return };
        match looked {
            Ok(_) if pass.is_doubtful() => {
                pass.look_again();
                self.look(epoch, ctx);
            }
            Ok((ObservedAt { epoch, mut observed }, mismatches)) if self.epoch == Some(epoch) => {
                pass.looked(&mut observed);
                for row in &observed.strange {
                    warn!(row, "vpp-lb-strange: not ours and not to be expressed; left alone");
                }
                let mismatches = self.model.look(mismatches);
                let is_first = self.sight.see(observed);
                self.reread.overtaken();
                if is_first && *pass.scope() == Scope::All && !pass.is_dry_run() {
                    // The plan that follows holds what changed until now, and
                    // begins with the settings that every VIP needs.
                    self.dirty.clear();
                }
                self.tell_mismatches(mismatches);
            }
            Ok(_) => self.end_pass(Some(DataplaneError::reconnected())),
            Err(error) => {
                warn!(%error, "vpp-lbsync-failed");
                self.end_pass(Some(error));
            }
        }
    }
}

impl ObservedState {
    /// This is what VPP holds. Says whether it is the first look of this
    /// connection.
    fn see(&mut self, observed: Observed) -> bool {
        let before = std::mem::replace(self, Self::Seen(observed));
        let is_first = matches!(before, Self::NotYet);
        // Of thousands of VIPs this takes long enough for a flip to notice.
        tokio::task::spawn_blocking(move || drop(before));
        is_first
    }
}

/// A look, compared with the model. Of thousands of VIPs that takes
/// milliseconds, in which no flip is to wait: another thread does it.
async fn compared(seen: ObservedAt) -> Result<(ObservedAt, Mismatches), DataplaneError> {
    let compare = move || {
        let mismatches = mismatches(&seen.observed);
        (seen, mismatches)
    };
    tokio::task::spawn_blocking(compare).await.map_err(|_| DataplaneError::ended())
}
