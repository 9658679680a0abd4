//! Processes the outcomes of steps: applies them to the observed state, publishes and
//! logs them, and answers the clients that wait for them.

use std::collections::BTreeSet;

use super::in_flight::{InFlightWrite, PlanSnapshot};
use super::record::{ReconcileRecord, ScopeLabel};
use super::{
    AwaitAnswer, CallId, ObservedState, ReconcileEffect, ReconcileState, RequestId, StepResult,
    SyncReport, input,
};

use crate::domain::dataplane::connection::{DataplaneError, Outcome};
use crate::domain::dataplane::dialect::LbDialect;
use crate::domain::dataplane::observed::Observed;
use crate::domain::dataplane::plan::{self, Planned, Scope};
use crate::domain::dataplane::step::Step;
use crate::domain::events::{DataplaneChange, DataplaneKind};
use crate::domain::moment::Moment;
use crate::domain::names::FrontendName;

impl ReconcileState {
    /// Writes steps over the present connection.
    pub(super) fn write(&mut self, write: InFlightWrite, urgent: bool) -> CallId {
        let id = self.next_call();
        let epoch = self.epoch.unwrap_or_default();
        self.read_back.writing(&write.steps);
        let steps = write.steps.iter().map(|planned| planned.step.clone()).collect();
        self.effects.push(ReconcileEffect::Write { id, epoch, steps, urgent });
        self.writes.insert(id, write);
        id
    }

    /// Processes the answer to a write. Answers of earlier connections are ignored.
    pub(super) fn written(
        &mut self,
        id: CallId,
        outcomes: Result<Vec<Outcome>, DataplaneError>,
        now: Moment,
    ) {
        let Some(write) = self.writes.remove(&id) else { return };
        self.read_back.written(&write.steps);
        if self.is_flip(id) {
            self.flip_written(write, outcomes, now);
        } else {
            self.batch_written(write, outcomes, now);
        }
    }

    /// Applies outcomes to the observed state, publishes and logs them. `drift` tells
    /// whether a frontend's steps repair drift, so that no change of ours explains
    /// them.
    pub(super) fn settle(
        &mut self,
        snapshot: &PlanSnapshot,
        steps: Vec<Planned>,
        outcomes: Result<Vec<Outcome>, DataplaneError>,
        scope: ScopeLabel,
        drift: impl Fn(&Option<FrontendName>) -> bool,
        now: Moment,
    ) -> Vec<StepResult> {
        let outcomes = match outcomes {
            Ok(outcomes) => outcomes,
            Err(error) => vec![Outcome::Unknown(error.to_string()); steps.len()],
        };
        let mut results = Vec::with_capacity(steps.len());
        for (planned, outcome) in steps.into_iter().zip(outcomes) {
            let outcome = match outcome {
                Outcome::Refused(_) if self.flushes_a_removed_server(&planned.step) => {
                    Outcome::Done
                }
                outcome => outcome,
            };
            let error = match outcome {
                Outcome::Done => {
                    // A step that was refused before is no drift.
                    let frontend = &planned.frontend;
                    let drift = drift(frontend) && !self.refusals.contains(frontend);
                    self.stats.record_step(&planned.step, scope, drift);
                    self.step_done(snapshot, &planned, drift, now);
                    None
                }
                Outcome::Refused(why) => {
                    let what = format!("{} {}: {why}", planned.step.action(), planned.step);
                    if let Some(frontend) = &planned.frontend {
                        self.progress.refused(frontend);
                        self.traces.refused(frontend, now);
                    }
                    self.refusals.refused(planned.frontend.clone(), what);
                    Some(why)
                }
                Outcome::Unknown(why) => {
                    // Only an observation shows whether VPP did it.
                    self.forget_observed();
                    Some(why)
                }
            };
            if let Some(why) = &error {
                self.log(ReconcileRecord::StepFailed {
                    frontend: planned.frontend.clone(),
                    action: planned.step.action(),
                    step: planned.step.to_string(),
                    why: why.clone(),
                });
            }
            results.push(StepResult { planned, error });
        }
        results
    }

    /// Whether the step flushes a server that is removed already. If VPP refuses it, it has
    /// collected the server meanwhile, with its flows.
    fn flushes_a_removed_server(&self, step: &Step) -> bool {
        let (Step::RemoveServer { vip, server, flush: true }, ObservedState::Known(observed)) =
            (step, &self.observed)
        else {
            return false;
        };
        observed.dialect == LbDialect::Membership
            && observed.vips.get(vip).is_some_and(|vip| !vip.servers.contains_key(server))
    }

    pub(super) fn forget_observed(&mut self) {
        if let ObservedState::Known(before) = std::mem::take(&mut self.observed) {
            self.effects.push(ReconcileEffect::Free(before));
        }
    }

    fn step_done(&mut self, snapshot: &PlanSnapshot, planned: &Planned, drift: bool, now: Moment) {
        let Planned { frontend, step, disruption } = planned;
        let mut detail = step.to_string();
        let mut sticky = None;
        if let Some(frontend) = frontend {
            let observed = match &self.observed {
                ObservedState::Known(observed) => Some(observed),
                ObservedState::Unknown => None,
            };
            let desired = snapshot.0.get(frontend).map(|it| &**it);
            self.traces.written(frontend, step, observed, desired, drift, now);
        }
        if let ObservedState::Known(observed) = &mut self.observed {
            if let Step::SetConf(conf) = step {
                let to = conf.sticky_buckets_per_core;
                sticky = observed.conf.sticky_buckets_before(to).map(|from| (from, to));
            }
            if let Some(before) = value_before(observed, step) {
                detail.push_str(&before);
            }
            if drift {
                if matches!(step, Step::AddVip(_) | Step::AddServer { .. }) {
                    detail.push_str(" (was missing)");
                }
                detail.push_str("; drift");
            }
            plan::apply(observed, step);
        }
        if let Step::RemoveVip(vip) = step {
            self.held.accepted.remove(vip);
        }
        if let Some((from, to)) = sticky {
            self.log(ReconcileRecord::StickyBucketsChanged { from, to });
        }
        if let Some(desired) = frontend.as_ref().and_then(|name| snapshot.0.get(name)) {
            plan::confirm(&mut self.flushed, desired, step);
        }
        self.log(ReconcileRecord::StepDone {
            frontend: frontend.clone(),
            name: record_name(step),
            detail: detail.clone(),
            disruption: *disruption,
        });
        let (kind, server, at) = (step.into(), step.server(), now.wall);
        let change = DataplaneChange { frontend: frontend.clone(), kind, server, detail, at };
        self.effects.push(ReconcileEffect::Publish(change));
    }

    /// Clears the refusals of frontends for which VPP did all steps of a flip.
    pub(super) fn clear_refusals(
        &mut self,
        results: &[StepResult],
        failed: &BTreeSet<Option<FrontendName>>,
    ) {
        for result in results.iter().filter(|result| !failed.contains(&result.planned.frontend)) {
            self.refusals.done(&result.planned.frontend);
        }
    }

    /// Marks frontends as programmed for which no step is due any more.
    pub(super) fn settle_progress(
        &mut self,
        snapshot: &PlanSnapshot,
        failed: &BTreeSet<Option<FrontendName>>,
        now: Moment,
    ) {
        for name in snapshot.0.keys() {
            let key = Some(name.clone());
            if failed.contains(&key) {
                if !self.progress.is_refused(name) {
                    self.progress.pending(name);
                }
                continue;
            }
            let (Some(state), ObservedState::Known(observed)) = (&self.desired, &self.observed)
            else {
                continue;
            };
            let scope = Scope::One(name.clone());
            let due = plan::plan(&state.desired, observed, &self.flushed, &scope);
            if due.is_empty() && self.progress.written(name) {
                let change = DataplaneChange {
                    frontend: key,
                    kind: DataplaneKind::Programmed,
                    server: None,
                    detail: "VPP holds what is desired".into(),
                    at: now.wall,
                };
                self.effects.push(ReconcileEffect::Publish(change));
            }
        }
    }

    pub(super) fn end_pass(&mut self, error: Option<DataplaneError>, now: Moment) {
        let Some(pass) = self.pass.take() else { return };
        let ended = pass.end(&mut self.refusals, error.is_some(), now);
        let failed = input::failed(&ended.results);
        if ended.complete && error.is_none() && failed == 0 {
            self.stats.last_success = Some(now.wall);
        }
        if let Some(epoch) = self.epoch.filter(|_| error.is_none() && ended.scope == Scope::All) {
            if ended.applied {
                self.collect(epoch, now);
            }
            self.effects.push(ReconcileEffect::PassEnded(epoch));
        }
        self.log(ReconcileRecord::SyncDone {
            scope: (&ended.scope).into(),
            steps: ended.results.len(),
            failed,
            took: Some(ended.took),
        });
        let result = match error {
            None => Ok(SyncReport {
                results: ended.results,
                held: ended.held,
                applied: ended.applied,
                before: ended.before,
            }),
            Some(error) => Err(error.into()),
        };
        self.reply(&ended.trigger, result);
    }

    /// Reports changed progress, and answers the clients whose wait is over.
    pub(super) fn report_progress(&mut self, now: Moment) {
        let generation = self.desired.as_ref().map(|state| state.generation).unwrap_or_default();
        let changes = self.progress.take_changes();
        for change in &changes {
            self.traces.programmed(&change.frontend, change.programmed, now);
        }
        if !changes.is_empty() {
            self.effects.push(ReconcileEffect::Progress { generation, changes });
        }
        let desired = self.desired.as_ref().map(|state| &state.desired.frontends);
        let removed = |name: &FrontendName| desired.is_some_and(|all| !all.contains_key(name));
        for (id, refused) in self.progress.end_waits(generation, removed) {
            let answer = match refused {
                None => AwaitAnswer::Written,
                Some(name) => AwaitAnswer::NotYet(self.why_pending(&name)),
            };
            self.effects.push(ReconcileEffect::ReplyProgress { id, answer });
        }
    }

    /// Answers a client whose deadline is over.
    pub(super) fn expire_wait(&mut self, id: RequestId) {
        let Some(pending) = self.progress.expire_wait(id) else { return };
        let why = pending.first().map(|name| self.why_pending(name)).unwrap_or_default();
        let answer = AwaitAnswer::NotYet(why);
        self.effects.push(ReconcileEffect::ReplyProgress { id, answer });
    }
}

/// The name of a step's log record.
fn record_name(step: &Step) -> &'static str {
    match step {
        Step::SetConf(_) => "vpp-lb-conf-set",
        Step::AddVip(_) => "vpp-lbsync-vip-add",
        Step::RemoveVip(_) => "vpp-lbsync-vip-del",
        Step::AddServer { .. } => "vpp-lbsync-as-add",
        Step::SetWeight { .. } => "vpp-lbsync-as-weight",
        Step::RemoveServer { .. } => "vpp-lbsync-as-del",
    }
}

/// The value that a step replaces, as a suffix: ` (was 100)`.
fn value_before(observed: &Observed, step: &Step) -> Option<String> {
    match step {
        Step::SetConf(_) => Some(match observed.conf.known() {
            Some(conf) => format!(" (was {})", Step::SetConf(conf)),
            None => " (VPP does not tell what it was)".into(),
        }),
        Step::SetWeight { vip, server, .. } | Step::RemoveServer { vip, server, .. } => {
            let server = observed.vips.get(vip)?.servers.get(server)?;
            Some(format!(" (was {})", server.weight))
        }
        _ => None,
    }
}
