//! Counts steps, drift and flips since the daemon started.

use std::collections::BTreeMap;
use std::time::SystemTime;

use super::record::ScopeLabel;
use crate::domain::dataplane::step::Step;
use crate::domain::histogram::Histogram;
use crate::domain::names::FrontendName;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReconcilerStats {
    /// Steps that VPP did, by scope (`all` or `vip`) and action.
    pub steps: BTreeMap<(&'static str, &'static str), u64>,
    /// Steps that repaired drift, by action.
    pub drift: BTreeMap<&'static str, u64>,
    /// Mismatches between bucket counts in VPP and the model's.
    pub model_mismatches: u64,
    /// The time from the probe result that caused a flip to VPP's answer. Changes that a
    /// pass writes are not included.
    pub flips: Histogram,
    /// When a pass over everything last ended without a failed step.
    pub last_success: Option<SystemTime>,
    /// Present refusals by frontend; `None`: global settings and VIPs of no frontend.
    pub refused: Vec<(Option<FrontendName>, String)>,
    /// The number of programmed frontends.
    pub programmed: usize,
    /// The number of serving frontends.
    pub serving: usize,
    /// The number of VIPs of no frontend whose removal is held.
    pub removals_held: usize,
}

impl ReconcilerStats {
    /// Counts a step that VPP did; `drift`: it repaired drift.
    pub(super) fn record_step(&mut self, step: &Step, scope: ScopeLabel, drift: bool) {
        *self.steps.entry((scope.as_str(), step.action())).or_default() += 1;
        if drift {
            *self.drift.entry(step.action()).or_default() += 1;
        }
    }
}
