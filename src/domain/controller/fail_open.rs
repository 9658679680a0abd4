//! Remembers which pool of a frontend served last, and makes events of its beginning and
//! its ceasing to fail open.

use std::time::SystemTime;

use super::FrontendRecord;
use crate::domain::config::Frontend;
use crate::domain::events::FailOpenChange;
use crate::domain::names::FrontendName;

impl FrontendRecord {
    /// Notes the decision that was just made. The answer is the change, if the frontend
    /// began or ceased to fail open by it.
    pub(super) fn note_fail_open(
        &mut self,
        name: &FrontendName,
        settings: &Frontend,
        why: &str,
        at: SystemTime,
    ) -> Option<FailOpenChange> {
        let was_open = self.fail_open.is_open;
        let is_open = self.decision.fail_open.is_some_and(|it| it.open_pool().is_some());
        let before = self.fail_open.last_pool.take();
        let serving = self.decision.active_pool.and_then(|pool| settings.pools.get(pool));
        let pool = serving.map(|pool| pool.name.clone());
        let of_change = if is_open { pool.clone() } else { before.clone() };
        self.fail_open.last_pool = pool.or(before);
        self.fail_open.is_open = is_open;
        if was_open == is_open {
            return None;
        }
        self.open_since = is_open.then_some(at);
        Some(FailOpenChange {
            frontend: name.clone(),
            was_open,
            is_open,
            pool: of_change,
            decision: self.decision.fail_open,
            at,
            why: why.into(),
        })
    }
}
