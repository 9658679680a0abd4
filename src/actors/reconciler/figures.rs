//! What the Reconciler has counted, and what VPP refuses it at present.

use std::collections::BTreeMap;
use std::time::SystemTime;

use actix::prelude::*;

use super::Reconciler;
use crate::domain::histogram::Histogram;
use crate::domain::names::FrontendName;
use crate::domain::step::Step;

/// What has been counted, and what does VPP refuse?
#[derive(Message, Debug)]
#[rtype(result = "Figures")]
pub struct GetFigures;

/// What does VPP refuse this frontend? `None`: nothing.
#[derive(Message, Debug)]
#[rtype(result = "Option<String>")]
pub struct GetRefusal(pub String);

/// The Reconciler in numbers, over its whole life.
#[derive(Clone, Debug, Default, PartialEq, Eq, MessageResponse)]
pub struct Figures {
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

impl Figures {
    /// VPP did a step in a pass of this scope; `drift`: to mend a difference
    /// that none of our changes explains.
    pub(super) fn did(&mut self, step: &Step, scope: &'static str, drift: bool) {
        *self.steps.entry((scope, step.action())).or_default() += 1;
        if drift {
            *self.drift.entry(step.action()).or_default() += 1;
        }
    }
}

impl Handler<GetFigures> for Reconciler {
    type Result = Figures;

    fn handle(&mut self, _: GetFigures, _: &mut Self::Context) -> Figures {
        let refused = self.refused.iter();
        let refused = refused.map(|(frontend, what)| (frontend.cloned(), what.to_owned()));
        Figures {
            refused: refused.collect(),
            model_mismatches: self.model.total(),
            ..self.figures.clone()
        }
    }
}

impl Handler<GetRefusal> for Reconciler {
    type Result = Option<String>;

    fn handle(&mut self, GetRefusal(name): GetRefusal, _: &mut Self::Context) -> Self::Result {
        let mut refused = self.refused.iter();
        let of = |frontend: Option<&FrontendName>| frontend.is_some_and(|f| f.as_str() == name);
        refused.find(|(frontend, _)| of(*frontend)).map(|(_, what)| what.to_owned())
    }
}
