//! What the Reconciler has counted, and what VPP refuses it at present.

use std::collections::BTreeMap;
use std::time::SystemTime;

use actix::prelude::*;

use super::Reconciler;
use crate::domain::dataplane::step::Step;
use crate::domain::histogram::Histogram;
use crate::domain::names::FrontendName;

/// What has been counted, and what does VPP refuse?
#[derive(Message, Debug)]
#[rtype(result = "ReconcilerStats")]
pub struct GetReconcilerStats;

/// What does VPP refuse this frontend? `None`: nothing.
#[derive(Message, Debug)]
#[rtype(result = "Option<String>")]
pub struct GetRefusalOf(pub String);

/// The Reconciler in numbers, over its whole life.
#[derive(Clone, Debug, Default, PartialEq, Eq, MessageResponse)]
pub struct ReconcilerStats {
    /// Steps that VPP did, by scope (`all` or `vip`) and action.
    pub steps: BTreeMap<(&'static str, &'static str), u64>,
    /// Differences that a drift pass found and mended although nothing had
    /// changed on our side, by action.
    pub drift: BTreeMap<&'static str, u64>,
    /// VIPs whose bucket counts in VPP were not those of the model.
    pub model_mismatches: u64,
    /// From the probe result that decided a flip to VPP's answer. What a pass
    /// took along is not among them.
    pub flips: Histogram,
    /// When a pass over everything last ended with nothing refused or lost.
    pub last_success: Option<SystemTime>,
    /// Present refusals by frontend; without a name: global settings, and
    /// VIPs of no frontend.
    pub refused: Vec<(Option<FrontendName>, String)>,
}

impl ReconcilerStats {
    /// VPP did a step in a pass of this scope; `drift`: to mend a difference
    /// that none of our changes explains.
    pub(super) fn did(&mut self, step: &Step, scope: &'static str, drift: bool) {
        *self.steps.entry((scope, step.action())).or_default() += 1;
        if drift {
            *self.drift.entry(step.action()).or_default() += 1;
        }
    }
}

impl Handler<GetReconcilerStats> for Reconciler {
    type Result = ReconcilerStats;

    fn handle(&mut self, _: GetReconcilerStats, _: &mut Self::Context) -> ReconcilerStats {
        let refused = self.refused.iter();
        let refused = refused.map(|(frontend, what)| (frontend.cloned(), what.to_owned()));
        ReconcilerStats {
            refused: refused.collect(),
            model_mismatches: self.model.total(),
            ..self.figures.clone()
        }
    }
}

impl Handler<GetRefusalOf> for Reconciler {
    type Result = Option<String>;

    fn handle(&mut self, GetRefusalOf(name): GetRefusalOf, _: &mut Self::Context) -> Self::Result {
        let mut refused = self.refused.iter();
        let of = |frontend: Option<&FrontendName>| frontend.is_some_and(|f| f.as_str() == name);
        refused.find(|(frontend, _)| of(*frontend)).map(|(_, what)| what.to_owned())
    }
}
