//! What VPP refused, of whom, and how many drift passes leave it alone before
//! it is tried again.
//!
//! A refusal that can go away (a stranger's VIP in the way) is gone soon after
//! its cause, and one that cannot does not fill the log: the passes between
//! two attempts are 0, 1, 3, then 7.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::names::FrontendName;

/// Attempts after which the wait no longer grows.
const LONGEST: u32 = 4;

/// One step that VPP refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepRefusal {
    /// The step, and VPP's reason.
    pub what: String,
    /// Passes in a row that came to it.
    times: u32,
    /// Drift passes that leave it alone.
    passes_left: u32,
}

/// The last refusal of each frontend; of `None`: the global settings, and VIPs
/// of no frontend.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusals(BTreeMap<Option<FrontendName>, StepRefusal>);

impl Refusals {
    /// VPP refused a step, and says why in `what`.
    pub fn refused(&mut self, frontend: Option<FrontendName>, what: String) {
        let refusal = StepRefusal { what: String::new(), times: 0, passes_left: 0 };
        self.0.entry(frontend).or_insert(refusal).what = what;
    }

    /// VPP did everything that was due for a frontend.
    pub fn done(&mut self, frontend: &Option<FrontendName>) {
        self.0.remove(frontend);
    }

    /// Resets the backoff: something else is desired of a frontend.
    pub fn reset_backoff(&mut self, frontend: &FrontendName) {
        if let Some(refusal) = self.0.get_mut(&Some(frontend.clone())) {
            (refusal.times, refusal.passes_left) = (0, 0);
        }
    }

    /// A drift pass begins. Gives those that it is to leave alone.
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

    /// A pass over everything ends. It came to `tried`, which were not all
    /// done, and left `backing_off` alone; all else is well.
    pub fn end_pass(
        &mut self,
        tried: &BTreeSet<Option<FrontendName>>,
        backing_off: &BTreeSet<Option<FrontendName>>,
    ) {
        self.0.retain(|frontend, _| tried.contains(frontend) || backing_off.contains(frontend));
        for frontend in tried {
            if let Some(refusal) = self.0.get_mut(frontend) {
                refusal.times = (refusal.times + 1).min(LONGEST);
                refusal.passes_left = (1 << (refusal.times - 1)) - 1;
            }
        }
    }

    /// Whether VPP refuses a frontend something at present.
    #[must_use]
    pub fn contains(&self, frontend: &Option<FrontendName>) -> bool {
        self.0.contains_key(frontend)
    }

    /// Another VPP, or another configuration: nothing is refused yet.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Each frontend with what VPP refuses it.
    pub fn iter(&self) -> impl Iterator<Item = (Option<&FrontendName>, &str)> {
        self.0.iter().map(|(frontend, refusal)| (frontend.as_ref(), refusal.what.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// For each of `passes` drift passes in which VPP refuses `web`, whether it
    /// was tried.
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
        // It is shown all the while, and until it goes well.
        let web = FrontendName::from("web");
        assert_eq!(refusals.iter().collect::<Vec<_>>(), [(Some(&web), "no")]);
        refusals.reset_backoff(&web);
        assert_eq!(tried(&mut refusals, 4), "xx.x");
        let backing_off = refusals.begin_pass();
        refusals.end_pass(&BTreeSet::new(), &backing_off);
        assert_eq!(refusals.iter().count(), 1, "it was left alone");
        refusals.reset_backoff(&web);
        let backing_off = refusals.begin_pass();
        refusals.end_pass(&BTreeSet::new(), &backing_off);
        assert_eq!(refusals.iter().count(), 0, "it went well");
    }
}
