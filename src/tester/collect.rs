//! The collector: the one who takes observations, reports, and knows when it ends.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};
use tokio_native_tls::TlsConnector;

use super::engine::{Engine, TestObservation};
use super::error::TesterError;
use super::report::{Reporter, TestReport, TestStart};
use super::settings::LoadSettings;
use super::targets::Targets;
use super::targets::target::VipTarget;
use crate::cli::render::output::now_ns;
use crate::domain::tester::fact::TestFact;
use crate::domain::tester::limits::TestLimits;
use crate::domain::tester::record::{TestPlan, VipRecord, VipReport};

/// Gaps from this length on are events, where no limit is given.
const NOTABLE_GAP: Duration = Duration::from_secs(1);

/// Events that are reported of an interval; the others are counted.
const MAX_EVENTS: u64 = 100;

/// How the test goes on.
pub(super) struct CollectPlan {
    pub(super) settings: LoadSettings,
    pub(super) limits: TestLimits,
    /// `None`: until it is stopped.
    pub(super) lasts: Option<Duration>,
    /// Between two reports.
    pub(super) report: Duration,
}

/// What ends a test early.
pub(super) struct EndSignals([Signal; 3]);

impl EndSignals {
    pub(super) fn take() -> io::Result<Self> {
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        let [interrupt, terminate, hangup] = kinds.map(signal);
        Ok(Self([interrupt?, terminate?, hangup?]))
    }

    async fn any(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

/// What is known of all VIPs.
struct Collector {
    targets: Vec<VipTarget>,
    records: Vec<VipRecord>,
    reporter: Reporter,
    events: u64,
}

/// Tests until the end, and returns whether all limits were kept.
pub(super) async fn collect(
    targets: Targets,
    connector: &TlsConnector,
    plan: CollectPlan,
    mut stop: EndSignals,
    reporter: Reporter,
) -> Result<bool, TesterError> {
    let start = Instant::now();
    let (mut engine, mut observations) =
        Engine::start(&targets.vips, &plan.settings, connector, targets.daemon, start);
    let mut collector = Collector::new(targets.vips, &plan, reporter);
    collector.begin(&plan)?;
    let mut ticks = interval_at(start + plan.report, plan.report);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let end = plan.lasts.map(|lasts| start + lasts);
    let (mut last, mut stopped) = (Duration::ZERO, None);
    loop {
        let is_stopped = stopped.is_some();
        tokio::select! {
            biased;
            () = stop.any() => break,
            () = collector.reporter.left() => break,
            () = until(end), if !is_stopped => {
                engine.stop();
                stopped = Some(start.elapsed());
            }
            _ = ticks.tick(), if !is_stopped => {
                let now = start.elapsed();
                collector.interval(now, now.saturating_sub(last))?;
                last = now;
            }
            () = engine.drained(), if is_stopped => break,
            Some(observation) = observations.recv() => collector.take(observation)?,
        }
    }
    let now = stopped.unwrap_or_else(|| start.elapsed());
    drop(engine);
    collector.take_rest(&mut observations)?;
    collector.summary(now, &plan.limits)
}

async fn until(end: Option<Instant>) {
    match end {
        Some(end) => sleep_until(end).await,
        None => std::future::pending().await,
    }
}

impl Collector {
    fn new(targets: Vec<VipTarget>, plan: &CollectPlan, reporter: Reporter) -> Self {
        let settings = &plan.settings;
        let plan = TestPlan {
            hold: settings.hold,
            has_new_flows: settings.interval.is_some(),
            notable_gap: plan.limits.gap.unwrap_or(NOTABLE_GAP),
        };
        let records = targets.iter().map(|target| {
            let mut record = VipRecord::new(plan);
            if let Some(expected) = &target.expected {
                record.take(Duration::ZERO, TestFact::Expects(expected.clone()));
            }
            record
        });
        let records = records.collect();
        Self { targets, records, reporter, events: 0 }
    }

    fn begin(&mut self, plan: &CollectPlan) -> Result<(), TesterError> {
        let start = TestStart {
            at_ns: now_ns(),
            targets: &self.targets,
            hold: plan.settings.hold,
            interval: plan.settings.interval,
        };
        self.reporter.start(&start)
    }

    fn take(&mut self, observation: TestObservation) -> Result<(), TesterError> {
        let TestObservation { vip, at, fact } = observation;
        let Some(record) = self.records.get_mut(vip) else { return Ok(()) };
        for event in record.take(at, fact) {
            self.events += 1;
            if self.events <= MAX_EVENTS {
                self.reporter.event(now_ns(), at, &self.targets[vip], &event)?;
            }
        }
        Ok(())
    }

    /// Takes what was observed before the end.
    fn take_rest(&mut self, rest: &mut Receiver<TestObservation>) -> Result<(), TesterError> {
        while let Ok(observation) = rest.try_recv() {
            self.take(observation)?;
        }
        Ok(())
    }

    fn interval(&mut self, now: Duration, lasted: Duration) -> Result<(), TesterError> {
        let left_out = self.events.saturating_sub(MAX_EVENTS);
        self.events = 0;
        let interval = self.records.iter_mut().map(|record| record.interval_report(now)).collect();
        let interval = self.report(now, interval);
        let total = self.report(now, self.totals(now));
        self.reporter.interval(&interval, &total, lasted, left_out)
    }

    fn summary(&mut self, now: Duration, limits: &TestLimits) -> Result<bool, TesterError> {
        let total = self.report(now, self.totals(now));
        let named: Vec<_> =
            total.vips.iter().map(|(target, report)| (&*target.name, report.clone())).collect();
        let breaches = limits.breaches(&named);
        self.reporter.summary(&total, &breaches)?;
        Ok(breaches.is_empty())
    }

    fn totals(&self, now: Duration) -> Vec<VipReport> {
        self.records.iter().map(|record| record.total_report(now)).collect()
    }

    fn report(&self, elapsed: Duration, reports: Vec<VipReport>) -> TestReport {
        let vips = self.targets.iter().cloned().zip(reports).collect();
        TestReport { at_ns: now_ns(), elapsed, vips }
    }
}
