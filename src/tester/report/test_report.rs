//! What is reported.

use std::time::Duration;

use crate::domain::tester::record::VipReport;
use crate::tester::targets::target::VipTarget;

/// What is tested, and how.
pub(in crate::tester) struct TestStart<'a> {
    /// Unix time in nanoseconds.
    pub(in crate::tester) at_ns: i64,
    pub(in crate::tester) targets: &'a [VipTarget],
    pub(in crate::tester) hold: usize,
    pub(in crate::tester) interval: Option<Duration>,
}

/// All VIPs at one moment.
pub(in crate::tester) struct TestReport {
    /// Unix time in nanoseconds.
    pub(in crate::tester) at_ns: i64,
    /// Since the start.
    pub(in crate::tester) elapsed: Duration,
    pub(in crate::tester) vips: Vec<(VipTarget, VipReport)>,
}
