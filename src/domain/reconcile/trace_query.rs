//! What explanations ask of the reconciliation. Nothing is changed by it.

use super::trace::{FrontendTrace, LinkTrace};
use super::{ObservedState, ReconcileState, VipObservation};
use crate::domain::dataplane::net::Vip;
use crate::domain::names::FrontendName;

/// All that explanations need to know of a frontend in VPP, at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataplaneTrace {
    pub link: LinkTrace,
    /// `startup-min-delay` is over.
    pub may_write: bool,
    /// What VPP holds is known.
    pub is_read: bool,
    pub programmed: bool,
    pub serving: bool,
    /// The step that VPP refuses at present, and its reason.
    pub refusal: Option<String>,
    pub vip: VipObservation,
    pub frontend: FrontendTrace,
    /// The VIPs of no frontend whose removal is held.
    pub held: Vec<Vip>,
}

impl ReconcileState {
    /// What is known of a frontend's VIP in VPP, and how it came to be so.
    #[must_use]
    pub fn trace(&self, frontend: &FrontendName, vip: Vip) -> DataplaneTrace {
        let refusal = self.refusal(frontend.as_str());
        DataplaneTrace {
            link: self.traces.link.clone(),
            may_write: self.may_write,
            is_read: matches!(self.observed, ObservedState::Known(_)),
            programmed: self.progress.is_programmed(frontend),
            serving: self.progress.is_serving(frontend),
            refusal: refusal.filter(|_| self.progress.is_refused(frontend)),
            vip: self.vip(vip),
            frontend: self.traces.of(frontend),
            held: self.held_removals(),
        }
    }
}
