//! What a driver has read and done.

use std::collections::BTreeMap;

use super::placement::{PlacedRoutes, PrefixStatus, VipPrefix};

/// A driver's last run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DriverReport {
    /// What was read in the end; `None`: it could not be read.
    pub placed: Option<PlacedRoutes>,
    /// Of every prefix that is wanted or was ours; empty if nothing was wanted yet.
    pub statuses: BTreeMap<VipPrefix, PrefixStatus>,
    /// Why nothing could be read before anything was written.
    pub error: Option<String>,
    /// Why the routing daemon takes no change at all, such as a fault in its configuration.
    pub refusal: Option<String>,
}

impl DriverReport {
    /// Why it is not known what there is; `None`: it is.
    #[must_use]
    pub fn unread(&self) -> Option<String> {
        let otherwise = || "what was written could not be read back".to_owned();
        self.placed.is_none().then(|| self.error.clone().unwrap_or_else(otherwise))
    }

    /// What is not as it is wanted: a prefix and why, or the driver as a whole.
    pub fn troubles(&self) -> impl Iterator<Item = (Option<VipPrefix>, String)> {
        let whole = self.error.iter().map(|error| (None, error.clone()));
        let of_prefixes = self.statuses.iter().filter_map(|(prefix, status)| {
            let why = match status {
                PrefixStatus::Failed { reason } => reason.clone(),
                PrefixStatus::Blocked => {
                    "the route to it is somebody else's: remove that, or the frontend's announce"
                        .into()
                }
                PrefixStatus::Unknown => "it was written, and could not be read back".into(),
                PrefixStatus::Placed { .. } | PrefixStatus::Withdrawn => return None,
            };
            Some((Some(*prefix), why))
        });
        whole.chain(of_prefixes)
    }
}
