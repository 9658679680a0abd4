//! What was told of announcements, and what may have changed since.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::announce::placement::VipPrefix;
use crate::domain::announce::{AnnounceUpdate, AnnouncedFrontend};
use crate::domain::evidence::group::ProbeGroup;
use crate::domain::evidence::hold::HoldOutcome;
use crate::domain::names::FrontendName;

/// See the module's description.
#[derive(Clone, Debug, Default)]
pub(super) struct AnnounceNews {
    pub(super) told: AnnounceUpdate,
    pub(super) frontends: BTreeMap<FrontendName, (VipPrefix, AnnouncedFrontend)>,
    pub(super) changed: BTreeSet<FrontendName>,
    /// The groups of which nobody passed when their failures were believed.
    pub(super) unwitnessed: BTreeSet<ProbeGroup>,
    /// The groups of which a witness passed while verdicts waited.
    witnessed: BTreeSet<ProbeGroup>,
    /// The configuration has frontends that are to be announced, or drivers, which may have
    /// routes of an earlier daemon.
    pub(super) is_wanted: bool,
    pub(super) is_vpp_present: bool,
    pub(super) is_ready: bool,
}

impl AnnounceNews {
    /// A frontend may have changed.
    pub(super) fn note(&mut self, frontend: &FrontendName) {
        if self.is_wanted {
            self.changed.insert(frontend.clone());
        }
    }

    /// All of these may have changed, such as those before and after a reload.
    pub(super) fn note_all<'a>(&mut self, frontends: impl Iterator<Item = &'a FrontendName>) {
        self.changed.extend(frontends.cloned());
    }

    pub(super) fn note_vpp(&mut self, is_present: bool) {
        self.is_vpp_present = is_present;
    }

    /// How the verdicts of a group were made that had to wait.
    pub(super) fn note_hold(&mut self, group: ProbeGroup, outcome: HoldOutcome) -> bool {
        match outcome {
            HoldOutcome::Believed => self.unwitnessed.insert(group),
            HoldOutcome::Passed => {
                self.witnessed.insert(group);
                self.unwitnessed.remove(&group)
            }
            HoldOutcome::Dropped => false,
        }
    }

    /// At the start: what an earlier daemon did not believe, and VPP does not serve any more,
    /// is not doubted again. Of these groups nobody is up.
    pub(super) fn note_blind(&mut self, groups: &BTreeSet<ProbeGroup>) {
        self.unwitnessed.extend(groups.difference(&self.witnessed).copied());
    }
}
