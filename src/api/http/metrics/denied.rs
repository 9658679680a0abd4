//! The family of calls that were denied.

use super::page::{MetricFamily, MetricsPage, count, counter};
use crate::api::rights::denied::DeniedCalls;

const DENIED: MetricFamily = counter(
    "api_denied_total",
    "Calls that were denied: the caller lacks the role, or its token counts for nothing.",
);

pub(super) fn write(denied: &DeniedCalls, page: &mut MetricsPage) {
    page.family(&DENIED);
    for (method, cause, calls) in denied.read() {
        page.series(&DENIED, &[("method", method), ("cause", cause.as_str())], count(calls));
    }
}
