//! Queries of the reconciliation's state. None of them changes it.

use super::{ObservedState, ReconcileState, ReconcilerStats};
use crate::domain::dataplane::connection::Epoch;
use crate::domain::dataplane::dialect::LbDialect;
use crate::domain::dataplane::net::Vip;
use crate::domain::dataplane::observed::ObservedVip;
use crate::domain::names::FrontendName;

/// The observed state of one VIP, including what was written since it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VipObservation {
    /// VPP was not read, or what was read is no longer valid.
    Unknown,
    /// VPP has no such VIP.
    Absent(LbDialect),
    Present(LbDialect, ObservedVip),
}

impl VipObservation {
    /// `None` if VPP was not read, `Some(None)` if VPP does not have the VIP.
    #[must_use]
    pub fn as_seen(&self) -> Option<Option<&ObservedVip>> {
        match self {
            Self::Unknown => None,
            Self::Absent(_) => Some(None),
            Self::Present(_, vip) => Some(Some(vip)),
        }
    }

    /// The dialect of the VPP that was read; that of the newest VPP, if none was.
    #[must_use]
    pub fn dialect(&self) -> LbDialect {
        match self {
            Self::Unknown => LbDialect::default(),
            Self::Absent(dialect) | Self::Present(dialect, _) => *dialect,
        }
    }
}

impl ReconcileState {
    /// The connection over which VPP was read; `None` if its state is unknown.
    #[must_use]
    pub fn observed_epoch(&self) -> Option<Epoch> {
        self.epoch.filter(|_| matches!(self.observed, ObservedState::Known(_)))
    }

    #[must_use]
    pub fn vip(&self, vip: Vip) -> VipObservation {
        match &self.observed {
            ObservedState::Unknown => VipObservation::Unknown,
            ObservedState::Known(observed) => match observed.vips.get(&vip) {
                None => VipObservation::Absent(observed.dialect),
                Some(vip) => VipObservation::Present(observed.dialect, vip.clone()),
            },
        }
    }

    /// The VIPs of no frontend whose removal is held.
    #[must_use]
    pub fn held_removals(&self) -> Vec<Vip> {
        self.held.vips().iter().copied().collect()
    }

    #[must_use]
    pub fn stats(&self) -> ReconcilerStats {
        let refused = self.refusals.iter();
        let refused = refused.map(|(frontend, what)| (frontend.cloned(), what.to_owned()));
        let (programmed, serving) = self.progress.counts();
        ReconcilerStats {
            refused: refused.collect(),
            model_mismatches: self.model.total(),
            programmed,
            serving,
            removals_held: self.held.vips().len(),
            ..self.stats.clone()
        }
    }

    /// The step of this frontend that VPP refuses at present, and VPP's reason.
    #[must_use]
    pub fn refusal(&self, frontend: &str) -> Option<String> {
        let of = |name: Option<&FrontendName>| name.is_some_and(|name| name.as_str() == frontend);
        self.refusals.iter().find(|(name, _)| of(*name)).map(|(_, what)| what.to_owned())
    }

    /// Why VPP does not hold the desired state of one of these frontends yet, for
    /// operators; `None` if it does.
    #[must_use]
    pub fn pending_reason(&self, frontends: &[FrontendName]) -> Option<String> {
        let pending = frontends.iter().find(|name| !self.progress.is_programmed(name));
        pending.map(|name| self.why_pending(name))
    }

    /// Why VPP does not hold a frontend's desired state yet, for operators.
    pub(super) fn why_pending(&self, frontend: &FrontendName) -> String {
        if let Some(what) =
            self.refusal(frontend.as_str()).filter(|_| self.progress.is_refused(frontend))
        {
            format!("VPP refuses {what}")
        } else if self.epoch.is_none() {
            "VPP is not connected".into()
        } else if !self.may_write {
            "startup-min-delay is not over".into()
        } else if matches!(self.observed, ObservedState::Unknown) {
            "VPP is being read".into()
        } else {
            "VPP has not answered yet".into()
        }
    }
}
