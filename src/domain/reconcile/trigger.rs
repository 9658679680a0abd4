//! Why a pass is made, and what follows for what it may do.

use super::input::RequestId;

/// Why a pass is made.
#[derive(Debug)]
pub(super) enum Trigger {
    /// To find and repair drift. `alone`: nothing changed on our side before, so that
    /// every difference is drift.
    Drift { alone: bool },
    /// An operator's request. With `force` no removal is held.
    Sync { dry_run: bool, force: bool, id: RequestId },
}

impl Trigger {
    pub(super) fn is_dry_run(&self) -> bool {
        matches!(self, Self::Sync { dry_run: true, .. })
    }
}
