//! The reconciliation in numbers, over the daemon's whole life.

use std::collections::BTreeMap;
use std::time::SystemTime;

use super::record::ScopeWord;
use crate::domain::dataplane::step::Step;
use crate::domain::histogram::Histogram;
use crate::domain::names::FrontendName;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReconcilerStats {
    /// Steps that VPP did, by scope (`all` or `vip`) and action.
    pub steps: BTreeMap<(&'static str, &'static str), u64>,
    /// Differences that were found and mended although nothing had changed on
    /// our side, by action.
    pub drift: BTreeMap<&'static str, u64>,
    /// VIPs whose bucket counts in VPP were not those of the model.
    pub model_mismatches: u64,
    /// From the probe result that decided a flip to VPP's answer. What a pass
    /// took along is not among them.
    pub flips: Histogram,
    /// When a pass over everything last ended with nothing refused or lost.
    pub last_success: Option<SystemTime>,
    /// Present refusals by frontend; without a name: global settings, and VIPs
    /// of no frontend.
    pub refused: Vec<(Option<FrontendName>, String)>,
    /// Frontends that VPP holds as desired, and those of them that have a
    /// server with buckets.
    pub programmed: usize,
    pub serving: usize,
}

impl ReconcilerStats {
    /// VPP did a step; `drift`: to mend a difference that none of our changes
    /// explains.
    pub(super) fn record_step(&mut self, step: &Step, scope: ScopeWord, drift: bool) {
        *self.steps.entry((scope.as_str(), step.action())).or_default() += 1;
        if drift {
            *self.drift.entry(step.action()).or_default() += 1;
        }
    }
}
