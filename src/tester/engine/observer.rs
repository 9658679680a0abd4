//! Where the tasks' observations go: to one collector.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::domain::tester::fact::TestFact;

/// What happened to which of the VIPs, since the start.
#[derive(Debug)]
pub struct TestObservation {
    pub vip: usize,
    pub at: Duration,
    pub fact: TestFact,
}

/// Reports of one VIP.
#[derive(Clone, Debug)]
pub(super) struct Observer {
    pub(super) vip: usize,
    pub(super) start: Instant,
    pub(super) sender: mpsc::Sender<TestObservation>,
}

impl Observer {
    pub(super) fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// Waits while the collector is behind. Without one the test is over.
    pub(super) async fn report(&self, fact: TestFact) {
        let observation = TestObservation { vip: self.vip, at: self.now(), fact };
        let _ = self.sender.send(observation).await;
    }
}
