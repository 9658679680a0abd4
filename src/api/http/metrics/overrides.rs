//! The families of operators' overrides. Their labels are of the configuration, so that
//! there are no more series than it has items; who set one and why is for `show overrides`.

use super::page::{MetricFamily, MetricsPage, count, counter, flag, gauge};
use crate::actors::controller::OverrideListing;
use crate::domain::overrides::{Overridden, OverrideEntry};

const OVERRIDE: MetricFamily =
    gauge("override", "1 for each value that an operator has set in place of the file's.");
const AGE: MetricFamily =
    gauge("override_age_seconds", "How long an operator's override has been in force.");

const FAILURES: MetricFamily = counter(
    "override_write_failures_total",
    "Writes of the file in which overrides are kept over restarts that failed.",
);
const FAILING: MetricFamily = gauge(
    "override_write_failing",
    "1 while the last write of that file has failed: what is asked for is refused.",
);

pub(super) fn write(listing: &OverrideListing, page: &mut MetricsPage) {
    page.family(&OVERRIDE);
    for entry in &listing.overrides {
        page.series(&OVERRIDE, &labels(entry, &scope(entry)), 1.0);
    }
    page.family(&AGE);
    for entry in &listing.overrides {
        let age = entry.origin.term.age(listing.now.monotonic);
        page.series(&AGE, &labels(entry, &scope(entry)), age.as_secs_f64());
    }
    page.family(&FAILURES);
    page.series(&FAILURES, &[], count(listing.writes.failures));
    page.family(&FAILING);
    page.series(&FAILING, &[], flag(listing.writes.is_failing));
}

/// `scope`: of an announcement, the text of which it is.
fn labels<'a>(entry: &'a OverrideEntry, scope: &'a str) -> [(&'static str, &'a str); 5] {
    let (set, frontend, pool, backend) = match &entry.what {
        Overridden::Admin { backend, value, .. } => (value.as_str(), "", "", backend.as_str()),
        Overridden::Weight { frontend, pool, backend, .. } => {
            ("weight", frontend.as_str(), pool.as_str(), backend.as_str())
        }
        Overridden::Announcement { order, .. } => (order.as_str(), "", "", ""),
    };
    [("set", set), ("frontend", frontend), ("pool", pool), ("backend", backend), ("prefix", scope)]
}

/// Of an announcement, the prefix or the word for all; otherwise empty.
fn scope(entry: &OverrideEntry) -> String {
    match &entry.what {
        Overridden::Announcement { scope, .. } => scope.to_string(),
        Overridden::Admin { .. } | Overridden::Weight { .. } => String::new(),
    }
}
