//! Makes new flows and holds connections, and reports what happens to them.
//!
//! ```text
//! new_flows ──┐
//! held ───────┼─▶ TestObservation ─▶ one collector
//! full_size ──┤
//! expects ────┘
//! ```
//!
//! Each is a task a VIP (`held`: one a connection); none shares state with another.

mod asks;
mod conversation;
mod expects;
mod failure;
mod full_size;
mod held;
mod http_answer;
mod new_flows;
mod observer;
mod open;
mod path_size;

use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::domain::tester::fact::FlowFailure;
use crate::tester::settings::LoadSettings;
use crate::tester::targets::DaemonShares;
use crate::tester::targets::target::VipTarget;
use asks::Asks;
use observer::Observer;

pub use failure::tls_connector;
pub use observer::TestObservation;

/// Observations that may be queued for the collector: some for each connection
/// that may report at once.
const QUEUE: usize = 16 * 1024;

/// Attempts to reach a VIP at the start: some of its servers may be dead.
const FIRST_ATTEMPTS: usize = 5;

/// The tasks of a test, which end when this is dropped.
pub struct Engine {
    stop: watch::Sender<bool>,
    new_flows: JoinSet<()>,
    _others: JoinSet<()>,
}

impl Engine {
    /// Starts all tasks. What they observe ends with the last of them.
    #[must_use]
    pub fn start(
        targets: &[VipTarget],
        settings: &LoadSettings,
        connector: &tokio_native_tls::TlsConnector,
        daemon: Option<DaemonShares>,
        start: Instant,
    ) -> (Self, mpsc::Receiver<TestObservation>) {
        let (sender, observations) = mpsc::channel(QUEUE);
        let (stop, stopped) = watch::channel(false);
        let (mut new_flows, mut others) = (JoinSet::new(), JoinSet::new());
        let observer = |vip| Observer { vip, start, sender: sender.clone() };
        for (vip, target) in targets.iter().enumerate() {
            let asks = Arc::new(Asks::new(target, settings, connector.clone()));
            let observer = observer(vip);
            if let Some(interval) = settings.interval {
                let flows = new_flows::NewFlows {
                    asks: Arc::clone(&asks),
                    lines: settings.lines,
                    line_interval: settings.line_interval,
                    timeout: settings.timeout,
                };
                new_flows.spawn(flows.run(interval, observer.clone(), stopped.clone()));
            }
            for slot in 0..settings.hold {
                let held = held::Held {
                    asks: Arc::clone(&asks),
                    slot,
                    of: settings.hold,
                    interval: settings.hold_interval,
                    late: settings.timeout,
                    timeout: settings.hold_timeout,
                };
                others.spawn(held.run(observer.clone()));
            }
            if settings.full_size {
                others.spawn(full_size::run(asks, settings.timeout, observer));
            }
        }
        if let Some(daemon) = daemon {
            others.spawn(expects::run(daemon, (0..targets.len()).map(observer).collect()));
        }
        (Self { stop, new_flows, _others: others }, observations)
    }

    /// Begins no new flows any more.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Returns once the new flows have ended that were under way at the stop.
    pub async fn drained(&mut self) {
        while self.new_flows.join_next().await.is_some() {}
    }
}

/// Whether something answers at each target, or why not.
pub async fn reach(
    targets: &[VipTarget],
    settings: &LoadSettings,
    connector: &tokio_native_tls::TlsConnector,
) -> Vec<Option<FlowFailure>> {
    let mut attempts = JoinSet::new();
    for (vip, target) in targets.iter().enumerate() {
        let asks = Arc::new(Asks::new(target, settings, connector.clone()));
        let timeout = settings.timeout;
        for _ in 0..FIRST_ATTEMPTS {
            let asks = Arc::clone(&asks);
            attempts.spawn(async move { (vip, new_flows::attempt(&asks, timeout).await) });
        }
    }
    let mut found: Vec<Option<Result<(), FlowFailure>>> = targets.iter().map(|_| None).collect();
    while let Some(attempt) = attempts.join_next().await {
        let Ok((vip, result)) = attempt else { continue };
        let reached = match result {
            Err(failure) if !failure.kind.reached() => Err(failure),
            _ => Ok(()),
        };
        if !matches!(found[vip], Some(Ok(()))) {
            found[vip] = Some(reached);
        }
    }
    found.into_iter().map(|found| found.and_then(Result::err)).collect()
}
