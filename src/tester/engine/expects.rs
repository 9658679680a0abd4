//! Asks the daemon which shares it expects, again and again: operators change them
//! while a test runs.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use super::observer::Observer;
use crate::domain::tester::fact::TestFact;
use crate::tester::targets::DaemonShares;

/// Between two questions.
const EVERY: Duration = Duration::from_secs(1);

/// Reports what is expected of each VIP, in the order of `observers`.
pub(super) async fn run(daemon: DaemonShares, observers: Vec<Observer>) {
    let mut pace = interval(EVERY);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        pace.tick().await;
        for (vip, observer) in observers.iter().enumerate() {
            // A daemon that restarts expects what it expected before.
            if let Some(expected) = daemon.expected(vip).await {
                observer.report(TestFact::Expects(expected)).await;
            }
        }
    }
}
