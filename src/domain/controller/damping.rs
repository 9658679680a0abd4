//! Backends that pass and whose return waits, because they flap. Where nobody else serves
//! a frontend, a server that passes is better than none, and waits no longer.

use super::{ControllerEffect, ControllerState};
use crate::domain::balancing::weights::FrontendState;
use crate::domain::health::damping::DampedReturn;
use crate::domain::moment::Moment;
use crate::domain::names::{BackendName, FrontendName};
use crate::domain::prober_id::ProberId;

impl ControllerState {
    /// Processes a prober's report that the return of its backend waits, or that it waits
    /// no longer.
    pub fn damped(
        &mut self,
        prober: ProberId,
        name: &BackendName,
        damped: Option<DampedReturn>,
        now: Moment,
    ) -> Vec<ControllerEffect> {
        let Some(record) = self.backends.get_mut(name).filter(|it| it.prober == prober) else {
            return Vec::new();
        };
        record.damping = damped.map(|damped| damped.view(now.monotonic, now.wall));
        let frontends = record.frontends.clone();
        let mut effects = Vec::new();
        self.end_needless_damping(&frontends, &mut effects);
        effects
    }

    /// Of these frontends, those that nobody serves take the first server that passes.
    pub(super) fn end_needless_damping(
        &self,
        frontends: &[FrontendName],
        effects: &mut Vec<ControllerEffect>,
    ) {
        for name in frontends {
            let record = self.frontends.get(name);
            if record.is_none_or(|it| it.decision.state == FrontendState::Up) {
                continue;
            }
            let pools = self.config.frontends.get(name).map_or(&[][..], |it| &it.pools);
            let members = pools.iter().flat_map(|pool| pool.backends.keys());
            let is_damped = |member: &&BackendName| {
                self.backends.get(*member).is_some_and(|it| it.damping.is_some())
            };
            let mut damped = members.filter(is_damped);
            effects.extend(damped.next().map(|member| ControllerEffect::EndDamping {
                backend: member.clone(),
                why: format!("nobody else serves {name}, so that it waits no longer"),
            }));
        }
    }
}
