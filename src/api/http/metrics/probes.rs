//! The families of probes.

use super::page::{MetricFamily, MetricsPage, count, counter, gauge, histogram};
use crate::actors::controller::Probes;

const TOTAL: MetricFamily = counter("probe_total", "Probes by what they found.");
const DURATION: MetricFamily = histogram(
    "probe_duration_seconds",
    "How long probes took, from the first socket to the finding.",
);
const LATENESS: MetricFamily = histogram(
    "probe_lateness_seconds",
    "How long after they were due probes began, all backends together.",
);
const IN_FLIGHT: MetricFamily = gauge("probes_in_flight", "Probes that are being made.");
const IN_FLIGHT_MAX: MetricFamily =
    gauge("probes_in_flight_max", "The most that may be: max-probes-in-flight.");
const WAITING: MetricFamily =
    gauge("probes_waiting", "Probes that are due and wait until others have ended.");
const WAITED: MetricFamily =
    counter("probes_waited_total", "Probes that had to wait until others had ended.");

pub(super) fn write(probes: &Probes, page: &mut MetricsPage) {
    let probed = || probes.backends.iter().filter_map(|backend| Some((backend, backend.kind?)));
    page.family(&TOTAL);
    for (backend, kind) in probed() {
        for (code, number) in &backend.stats.outcomes {
            let labels = [
                ("backend", backend.backend.as_str()),
                ("type", kind),
                ("result", if code.passed() { "success" } else { "failure" }),
                ("code", code.as_str()),
            ];
            page.series(&TOTAL, &labels, count(*number));
        }
    }
    page.family(&DURATION);
    for (backend, kind) in probed() {
        let labels = [("backend", backend.backend.as_str()), ("type", kind)];
        page.histogram(&DURATION, &labels, &backend.stats.took);
    }
    page.family(&LATENESS);
    page.histogram(&LATENESS, &[], &probes.late);
    page.single(&IN_FLIGHT, count(probes.slots.in_flight as u64));
    page.single(&IN_FLIGHT_MAX, count(probes.slots.total as u64));
    page.single(&WAITING, count(probes.slots.waiting as u64));
    page.single(&WAITED, count(probes.slots.waited));
}
