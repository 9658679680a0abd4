//! What benchmarks share: child processes and what the kernel counts of them,
//! the built maglevd, and HTTP.

pub(crate) mod maglevd;
pub(crate) mod process;

use std::time::{Duration, Instant};

/// How long anything may take that is not measured.
pub(crate) const DEADLINE: Duration = Duration::from_secs(120);

/// Between two checks of a condition that has no event.
const PAUSE: Duration = Duration::from_millis(10);

/// Waits until `condition` holds; `what` is for the message if it does not.
pub(crate) fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < DEADLINE, "not within {DEADLINE:?}: {what}");
        std::thread::sleep(PAUSE);
    }
}
