//! Logs what is announced and withdrawn, and what drivers cannot do.

use std::collections::BTreeSet;

use tracing::{info, warn};

use crate::domain::announce::{AnnouncementChange, DriverReport, VipStanding};

/// A prefix is wanted otherwise than before.
pub(super) fn change(change: &AnnouncementChange) {
    let AnnouncementChange { prefix, from, to, why, .. } = change;
    match to {
        VipStanding::Withdrawn => warn!(%prefix, %from, %to, %why, "announcement"),
        _ => info!(%prefix, %from, %to, %why, "announcement"),
    }
}

/// A driver has run. What it told before is not told again.
pub(super) fn report(driver: &str, before: Option<&DriverReport>, now: &DriverReport) {
    let known: BTreeSet<_> = before.into_iter().flat_map(DriverReport::troubles).collect();
    let troubles: BTreeSet<_> = now.troubles().collect();
    for (prefix, why) in troubles.difference(&known) {
        let prefix = prefix.map(|prefix| prefix.to_string());
        warn!(driver, prefix, why, "announcement-failed: it is tried again");
    }
    if troubles.is_empty() && !known.is_empty() {
        info!(driver, "announcement-recovered: the routes are as they are wanted");
    }
}
