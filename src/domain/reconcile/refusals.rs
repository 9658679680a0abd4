//! Keeps what VPP refused for each frontend, and the backoff until it is tried again.
//!
//! Between two attempts 0, 1, 3, then 7 drift passes are skipped. So a refusal whose
//! cause goes away (a conflicting VIP, say) is resolved soon after, and one that stays
//! does not fill the log.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::names::FrontendName;

/// Attempts after which the backoff no longer grows.
const MAX_ATTEMPTS: u32 = 4;

/// A step that VPP refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepRefusal {
    /// The step and VPP's reason.
    pub what: String,
    /// Consecutive attempts that VPP refused.
    attempts: u32,
    /// Drift passes to skip before the next attempt.
    passes_left: u32,
}

/// The last refusal of each frontend; `None`: of the global settings and of VIPs of no
/// frontend.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusals(BTreeMap<Option<FrontendName>, StepRefusal>);

impl Refusals {
    /// VPP refused a step; `what`: the step and VPP's reason.
    pub fn refused(&mut self, frontend: Option<FrontendName>, what: String) {
        let refusal = StepRefusal { what: String::new(), attempts: 0, passes_left: 0 };
        self.0.entry(frontend).or_insert(refusal).what = what;
    }

    /// VPP did all that was due for a frontend.
    pub fn done(&mut self, frontend: &Option<FrontendName>) {
        self.0.remove(frontend);
    }

    /// Resets the backoff of a frontend whose desired state changed.
    pub fn reset_backoff(&mut self, frontend: &FrontendName) {
        if let Some(refusal) = self.0.get_mut(&Some(frontend.clone())) {
            (refusal.attempts, refusal.passes_left) = (0, 0);
        }
    }

    /// Begins a drift pass. Returns the frontends that it has to skip.
    pub fn begin_pass(&mut self) -> BTreeSet<Option<FrontendName>> {
        let mut backing_off = BTreeSet::new();
        for (frontend, refusal) in &mut self.0 {
            if refusal.passes_left > 0 {
                refusal.passes_left -= 1;
                backing_off.insert(frontend.clone());
            }
        }
        backing_off
    }

    /// Ends a pass over everything. It failed for `failed` and skipped `skipped`; the
    /// refusals of all others are cleared.
    pub fn end_pass(
        &mut self,
        failed: &BTreeSet<Option<FrontendName>>,
        skipped: &BTreeSet<Option<FrontendName>>,
    ) {
        self.0.retain(|frontend, _| failed.contains(frontend) || skipped.contains(frontend));
        for frontend in failed {
            if let Some(refusal) = self.0.get_mut(frontend) {
                refusal.attempts = (refusal.attempts + 1).min(MAX_ATTEMPTS);
                refusal.passes_left = (1 << (refusal.attempts - 1)) - 1;
            }
        }
    }

    #[must_use]
    pub fn contains(&self, frontend: &Option<FrontendName>) -> bool {
        self.0.contains_key(frontend)
    }

    /// VPP was reconnected, or the configuration was replaced.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Each frontend with the refused step and VPP's reason.
    pub fn iter(&self) -> impl Iterator<Item = (Option<&FrontendName>, &str)> {
        self.0.iter().map(|(frontend, refusal)| (frontend.as_ref(), refusal.what.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// For each of `passes` drift passes in which VPP refuses `web`: `x` if it was
    /// tried, `.` if it was skipped.
    fn tried(refusals: &mut Refusals, passes: usize) -> String {
        let web = Some(FrontendName::from("web"));
        let pass = |_| {
            let backing_off = refusals.begin_pass();
            if backing_off.contains(&web) {
                refusals.end_pass(&BTreeSet::new(), &backing_off);
                return '.';
            }
            refusals.refused(web.clone(), "no".into());
            refusals.end_pass(&[web.clone()].into(), &backing_off);
            'x'
        };
        (0..passes).map(pass).collect()
    }

    #[test]
    fn what_is_refused_again_is_tried_less_often() {
        let mut refusals = Refusals::default();
        assert_eq!(tried(&mut refusals, 24), "xx.x...x.......x.......x");
        assert_eq!(tried(&mut refusals, 7), ".......");
        // The refusal stays until the frontend succeeds.
        let web = FrontendName::from("web");
        assert_eq!(refusals.iter().collect::<Vec<_>>(), [(Some(&web), "no")]);
        refusals.reset_backoff(&web);
        assert_eq!(tried(&mut refusals, 4), "xx.x");
        let backing_off = refusals.begin_pass();
        refusals.end_pass(&BTreeSet::new(), &backing_off);
        assert_eq!(refusals.iter().count(), 1, "it was skipped");
        refusals.reset_backoff(&web);
        let backing_off = refusals.begin_pass();
        refusals.end_pass(&BTreeSet::new(), &backing_off);
        assert_eq!(refusals.iter().count(), 0, "it succeeded");
    }
}
