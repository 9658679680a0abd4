//! How the simulated VPP answers the calls of a [`Harness`].

use super::calls::{CallOutcome, OpenCall};
use super::harness::Harness;
use crate::domain::balancing::maglev::mismatches;
use crate::domain::dataplane::connection::{DataplaneError, Epoch, Observation, Outcome};
use crate::domain::dataplane::dialect::LbDialect;
use crate::domain::dataplane::net::{Vip, Weight};
use crate::domain::dataplane::observed::{Observed, ObservedConf, ObservedServers, PartialConf};
use crate::domain::dataplane::plan;
use crate::domain::dataplane::step::Step;
use crate::domain::reconcile::{CallId, ReconcileEffect, ReconcileInput};

impl Harness {
    /// Answers the open call of this index. `late`: the answer shows VPP as it is now,
    /// and not as it was when the call was made.
    pub(super) fn answer(&mut self, index: usize, outcome: CallOutcome, late: bool) {
        if self.open.is_empty() {
            return;
        }
        let OpenCall { effect, vpp_at_call, called } = self.open.remove(index % self.open.len());
        let vpp = if late { self.vpp.clone() } else { vpp_at_call };
        let input = match effect {
            ReconcileEffect::Observe(id) => self.answer_observe(id, outcome, vpp, called),
            ReconcileEffect::Write { id, epoch, steps, .. } => {
                let outcomes = self.answer_write(epoch, &steps, outcome);
                ReconcileInput::Written { id, outcomes }
            }
            ReconcileEffect::ReadServers { id, vips, .. } => {
                let servers = |vip: &Vip| ObservedServers {
                    servers: vpp.vips.get(vip).map(|vip| vip.servers.clone()).unwrap_or_default(),
                    retired: vec![],
                };
                let found = vips.keys().map(|vip| (*vip, servers(vip))).collect();
                let lost = DataplaneError::Failed("lost".into());
                let result = if outcome == CallOutcome::Done { Ok(found) } else { Err(lost) };
                ReconcileInput::ServersRead { id, result }
            }
            ReconcileEffect::Yield => ReconcileInput::Resumed,
            other => panic!("{other:?} is not a call"),
        };
        self.step(input);
    }

    fn answer_observe(
        &mut self,
        id: CallId,
        outcome: CallOutcome,
        observed: Observed,
        called: u64,
    ) -> ReconcileInput {
        if !self.is_connected {
            let result = Err(DataplaneError::NotConnected("gone".into()));
            return ReconcileInput::Observed { id, result };
        }
        if outcome != CallOutcome::Done {
            let result = Err(DataplaneError::Failed("lost".into()));
            return ReconcileInput::Observed { id, result };
        }
        if self.unknown_since.is_some_and(|since| called > since) {
            self.unknown_since = None;
        }
        let (epoch, mismatches) = (Epoch(self.epoch), mismatches(&observed));
        let observed = as_told(observed);
        ReconcileInput::Observed { id, result: Ok(Observation { epoch, observed, mismatches }) }
    }

    fn answer_write(
        &mut self,
        epoch: Epoch,
        steps: &[Step],
        outcome: CallOutcome,
    ) -> Result<Vec<Outcome>, DataplaneError> {
        if !self.is_connected || epoch != Epoch(self.epoch) {
            return Err(DataplaneError::reconnected());
        }
        for step in steps {
            assert_eq!(refusal(self.vpp.dialect, step), None, "{step}");
        }
        if matches!(outcome, CallOutcome::Done | CallOutcome::LostAfter) {
            steps.iter().for_each(|step| plan::apply(&mut self.vpp, step));
        }
        if matches!(outcome, CallOutcome::LostBefore | CallOutcome::LostAfter) {
            self.unknown_since = Some(self.clock);
        }
        // What made VPP refuse may be newer than an observation that is under way.
        if outcome == CallOutcome::Refused && self.unknown_since.is_some() {
            self.unknown_since = Some(self.clock);
        }
        let outcome = match outcome {
            CallOutcome::Done => Outcome::Done,
            CallOutcome::Refused => Outcome::Refused("no".into()),
            CallOutcome::LostBefore | CallOutcome::LostAfter => Outcome::Unknown("lost".into()),
        };
        Ok(vec![outcome; steps.len()])
    }
}

/// What a VPP tells: one without weights tells its addresses, and no numbers.
fn as_told(observed: Observed) -> Observed {
    match observed.dialect {
        LbDialect::Weights => observed,
        LbDialect::Membership => {
            let sources = observed.conf.sources();
            let partial = PartialConf { sources, ..PartialConf::default() };
            Observed { conf: ObservedConf::Partial(partial), ..observed }
        }
    }
}

/// Why a VPP of this dialect has no such step.
fn refusal(dialect: LbDialect, step: &Step) -> Option<&'static str> {
    match (dialect, step) {
        (LbDialect::Membership, Step::SetWeight { .. }) => Some("it has no weights"),
        (LbDialect::Membership, Step::AddServer { weight, .. }) if *weight != Weight::MEMBER => {
            Some("it has no weights")
        }
        _ => None,
    }
}
