//! What became of steps: taken into what is known of VPP, and told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::SystemTime;

use tracing::{info, warn};

use super::{ObservedState, Reconciler, StepResult};
use crate::actors::vpp_connection::{DataplaneError, Outcome};
use crate::domain::balancing::maglev::Mismatch;
use crate::domain::balancing::weights::DesiredFrontend;
use crate::domain::config::LbConf;
use crate::domain::dataplane::observed::Observed;
use crate::domain::dataplane::plan::{self, Desired, Planned};
use crate::domain::dataplane::step::Step;
use crate::domain::events::{DataplaneChange, DataplaneKind, Event};
use crate::domain::names::FrontendName;

/// The frontends that steps were planned for, as they were wanted then: by that
/// the steps are settled, whatever is wanted meanwhile.
pub(super) struct PlanSnapshot(BTreeMap<FrontendName, Arc<DesiredFrontend>>);

impl PlanSnapshot {
    pub(super) fn of(steps: &[Planned], desired: &Desired) -> Self {
        let names = steps.iter().filter_map(|planned| planned.frontend.as_ref());
        let wanted =
            |name: &FrontendName| Some((name.clone(), Arc::clone(desired.frontends.get(name)?)));
        Self(names.filter_map(wanted).collect())
    }
}

impl Reconciler {
    /// Takes what became of steps into what is known of VPP, and tells of it.
    /// `basis` is what they were planned for, `drift` tells of a frontend
    /// whether nothing of ours explains that its steps were due.
    pub(super) fn settle(
        &mut self,
        basis: &PlanSnapshot,
        steps: Vec<Planned>,
        outcomes: Result<Vec<Outcome>, DataplaneError>,
        scope: &'static str,
        drift: impl Fn(&Option<FrontendName>) -> bool,
    ) -> Vec<StepResult> {
        let outcomes = match outcomes {
            Ok(outcomes) => outcomes,
            Err(error) => vec![Outcome::Unknown(error.to_string()); steps.len()],
        };
        let results = steps.into_iter().zip(outcomes).map(|(planned, outcome)| {
            let error = match outcome {
                Outcome::Done => {
                    // What was refused before was due anyway.
                    let frontend = &planned.frontend;
                    let drift = drift(frontend) && !self.refused.contains(frontend);
                    self.figures.did(&planned.step, scope, drift);
                    self.done(basis, &planned, drift);
                    None
                }
                Outcome::Refused(why) => {
                    let what = format!("{} {}: {why}", planned.step.action(), planned.step);
                    self.refused.refused(planned.frontend.clone(), what);
                    Some(why)
                }
                Outcome::Unknown(why) => {
                    // Whether it was done can only be seen.
                    self.sight = ObservedState::NotYet;
                    Some(why)
                }
            };
            if let Some(why) = &error {
                warn!(
                    frontend = planned.frontend.as_ref().map(FrontendName::as_str),
                    action = planned.step.action(), step = %planned.step, why,
                    "vpp-lbsync-step-failed"
                );
            }
            StepResult { planned, error }
        });
        results.collect()
    }

    /// Frontends for which VPP did all of a flip are refused nothing any more.
    pub(super) fn heal(&mut self, results: &[StepResult]) {
        let frontend = |result: &StepResult| result.planned.frontend.clone();
        let failed: BTreeSet<_> =
            results.iter().filter(|result| result.error.is_some()).map(frontend).collect();
        for result in results.iter().filter(|result| !failed.contains(&result.planned.frontend)) {
            self.refused.done(&result.planned.frontend);
        }
    }

    fn done(&mut self, basis: &PlanSnapshot, planned: &Planned, drift: bool) {
        let Planned { frontend, step, disruption } = planned;
        let mut detail = step.to_string();
        if let ObservedState::Seen(seen) = &mut self.sight {
            if let Step::SetConf(conf) = step {
                warn_of_dropped_flows(&seen.conf, conf);
            }
            if let Some(found) = found_before(seen, step) {
                detail.push_str(&found);
            }
            if drift {
                if matches!(step, Step::AddVip(_) | Step::AddServer { .. }) {
                    detail.push_str(" (was missing)");
                }
                detail.push_str("; drift");
            }
            plan::apply(seen, step);
        }
        if let Some(desired) = frontend.as_ref().and_then(|name| basis.0.get(name)) {
            plan::confirm(&mut self.flushed, desired, step);
        }
        info!(
            frontend = frontend.as_ref().map(FrontendName::as_str),
            step = detail,
            disruption = disruption.as_str(),
            "{}",
            log_name(step)
        );
        let at = SystemTime::now();
        let change = DataplaneChange { frontend: frontend.clone(), kind: step.into(), detail, at };
        self.events.publish(Event::Dataplane(change.into()));
    }
}

impl Reconciler {
    /// Tells of tables in VPP that are not what the model makes of the same
    /// servers and weights.
    pub(super) fn tell_mismatches(&mut self, mismatches: Vec<Mismatch>) {
        let Some(wanted) = &self.wanted else { return };
        for mismatch in mismatches {
            let mut frontends = wanted.desired.frontends.iter();
            let frontend = frontends.find(|(_, frontend)| frontend.spec.vip == mismatch.vip);
            let frontend = frontend.map(|(name, _)| name.clone());
            warn!(
                frontend = frontend.as_ref().map(FrontendName::as_str),
                vip = %mismatch.vip,
                servers = %mismatch,
                "vpp-model-mismatch"
            );
            let (kind, detail) = (DataplaneKind::ModelMismatch, mismatch.to_string());
            let change = DataplaneChange { frontend, kind, detail, at: SystemTime::now() };
            self.events.publish(Event::Dataplane(change.into()));
        }
    }
}

/// The name of a step's log record.
fn log_name(step: &Step) -> &'static str {
    match step {
        Step::SetConf(_) => "vpp-lb-conf-set",
        Step::AddVip(_) => "vpp-lbsync-vip-add",
        Step::RemoveVip(_) => "vpp-lbsync-vip-del",
        Step::AddServer { .. } => "vpp-lbsync-as-add",
        Step::SetWeight { .. } => "vpp-lbsync-as-weight",
        Step::RemoveServer { .. } => "vpp-lbsync-as-del",
    }
}

/// VPP makes a new table for sticky flows of another size, and the old flows
/// are gone with the old one.
fn warn_of_dropped_flows(before: &LbConf, after: &LbConf) {
    let (from, to) = (before.sticky_buckets_per_core, after.sticky_buckets_per_core);
    if from != to {
        warn!(
            from,
            to,
            "vpp-lb-sticky-buckets-changed: VPP drops all flows of all VIPs with its next packets"
        );
    }
}

/// What a step changes, as it was: ` (was 100)`.
fn found_before(seen: &Observed, step: &Step) -> Option<String> {
    let server = |vip, server| seen.vips.get(vip)?.servers.get(server);
    match step {
        Step::SetConf(_) => Some(format!(" (was {})", Step::SetConf(seen.conf))),
        Step::SetWeight { vip, server: address, .. }
        | Step::RemoveServer { vip, server: address, .. } => {
            server(vip, address).map(|server| format!(" (was {})", server.weight))
        }
        _ => None,
    }
}
