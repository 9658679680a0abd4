//! Tests a prober that receives commands while its probes are in progress, on paused
//! time. The verdicts are tested with [`health`] itself.

mod evidence;

use std::collections::BTreeSet;
use std::sync::Mutex;
use tokio::sync::oneshot;

use super::*;
use crate::config;
use crate::domain::controller::{ControllerEffect, ControllerState};
use crate::domain::health::{Admin, State};

/// The seeds, and the commands per seed.
const SEEDS: u64 = 40;
const COMMANDS: usize = 60;

/// The numbers of the probes.
#[derive(Default)]
struct ProbeLog {
    /// The number of probes so far, and of the last one.
    begun: u64,
    running: BTreeSet<u64>,
    /// Dropped before their end.
    cancelled: BTreeSet<u64>,
}

/// A probe in progress; it ends when this is dropped.
struct RunningProbe {
    number: u64,
    completed: bool,
    log: Arc<Mutex<ProbeLog>>,
}

impl Drop for RunningProbe {
    fn drop(&mut self) {
        let mut log = self.log.lock().unwrap();
        log.running.remove(&self.number);
        if !self.completed {
            log.cancelled.insert(self.number);
        }
    }
}

/// Probes that take up to three seconds and pass or fail at random. The detail of each
/// result is the probe's number.
fn random_probe(log: &Arc<Mutex<ProbeLog>>, seed: u64) -> FakeProbe {
    let log = Arc::clone(log);
    let random = Mutex::new(fastrand::Rng::with_seed(seed));
    Arc::new(move |_| {
        let (takes, code) = {
            let mut random = random.lock().unwrap();
            let code = if random.bool() { ResultCode::L3Ok } else { ResultCode::L3Timeout };
            (Duration::from_millis(random.u64(..3000)), code)
        };
        let log = Arc::clone(&log);
        Box::pin(async move {
            let mut running = {
                let mut probes = log.lock().unwrap();
                probes.begun += 1;
                let number = probes.begun;
                probes.running.insert(number);
                assert_eq!(probes.running.len(), 1, "two probes of one backend at a time");
                RunningProbe { number, completed: false, log: Arc::clone(&log) }
            };
            tokio::time::sleep(takes).await;
            running.completed = true;
            ProbeResult::new(code, running.number.to_string())
        })
    })
}

/// Replaces the Controller: keeps the reported state, and asserts that each transition
/// starts from the state before.
struct TransitionRecorder(Arc<Mutex<State>>);

impl Actor for TransitionRecorder {
    type Context = Context<Self>;
}

impl Handler<Transitioned> for TransitionRecorder {
    type Result = ();

    fn handle(&mut self, message: Transitioned, _: &mut Self::Context) {
        let mut state = self.0.lock().unwrap();
        assert_eq!(message.transition.from, *state);
        *state = message.transition.to;
    }
}

impl Handler<Suspected> for TransitionRecorder {
    type Result = ();

    fn handle(&mut self, _: Suspected, _: &mut Self::Context) {}
}

impl Handler<TrendChanged> for TransitionRecorder {
    type Result = ();

    fn handle(&mut self, _: TrendChanged, _: &mut Self::Context) {}
}

impl Handler<CertificateSeen> for TransitionRecorder {
    type Result = ();

    fn handle(&mut self, _: CertificateSeen, _: &mut Self::Context) {}
}

impl Handler<Damped> for TransitionRecorder {
    type Result = ();

    fn handle(&mut self, _: Damped, _: &mut Self::Context) {}
}

impl Handler<Answered> for TransitionRecorder {
    type Result = ();

    fn handle(&mut self, _: Answered, _: &mut Self::Context) {}
}

#[actix_rt::test]
async fn at_most_one_probe_runs_at_a_time_and_a_cancelled_one_never_counts() {
    tokio::time::pause();
    for seed in 0..SEEDS {
        let mut random = fastrand::Rng::with_seed(seed);
        let text = "maglev: { vpp: { lb: { ipv4-src-address: 192.0.2.1, ipv6-src-address: \
                    '2001:db8::1' } }, healthchecks: { c: { type: icmp, interval: 2s, timeout: \
                    5s } }, backends: { b: { address: 192.0.2.5, healthcheck: c } } }";
        let config = config::parse(text).unwrap().config;
        let check = Arc::clone(&config.checks["c"]);
        let (_, effects) = ControllerState::new(Arc::new(config), SystemTime::now());
        let Some(ControllerEffect::StartProber { id, backend, settings }) =
            effects.into_iter().next()
        else {
            panic!("a prober is started");
        };
        let log = Arc::new(Mutex::new(ProbeLog::default()));
        let state = Arc::new(Mutex::new(State::Unknown));
        let to = ProberRecipients::from(&TransitionRecorder(Arc::clone(&state)).start());
        let transport = ProbeTransport::Fake(random_probe(&log, seed));
        let start =
            || Prober::new(id, backend.clone(), settings.clone(), transport.clone(), to.clone());
        let mut prober = start().start();
        let mut stopped = false;
        for _ in 0..COMMANDS {
            let why = String::from("a test");
            match random.u8(..7) {
                0 => {
                    stopped = true;
                    prober
                        .send(Administer { admin: Admin::Paused, why, within: Duration::ZERO })
                        .await
                        .unwrap();
                }
                1 => {
                    stopped = true;
                    prober
                        .send(Administer { admin: Admin::Disabled, why, within: Duration::ZERO })
                        .await
                        .unwrap();
                }
                2 | 3 => {
                    stopped = false;
                    prober
                        .send(Administer { admin: Admin::Enabled, why, within: Duration::ZERO })
                        .await
                        .unwrap();
                }
                4 => prober.send(CheckChanged(Some(Arc::clone(&check)))).await.unwrap(),
                5 => {
                    // The new prober receives a message before the handover.
                    let (sender, handover) = oneshot::channel();
                    let old = prober;
                    prober = Prober::create(|ctx| {
                        let prober = start();
                        prober.take_over(handover, ctx);
                        prober
                    });
                    prober.do_send(CheckChanged(Some(Arc::clone(&check))));
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    old.send(Handover(sender)).await.unwrap();
                }
                _ => prober.send(Readdressed([192, 0, 2, random.u8(1..)].into())).await.unwrap(),
            }
            let before = log.lock().unwrap().begun;
            tokio::time::sleep(Duration::from_millis(random.u64(..6000))).await;
            let last = prober.send(GetReading { with_history: false }).await.unwrap().last;
            let probes = log.lock().unwrap();
            if let Some(result) = last {
                let number: u64 = result.detail.parse().unwrap();
                assert!(!probes.cancelled.contains(&number), "seed {seed}: {number} was cancelled");
            }
            if stopped {
                let probed = (probes.begun, probes.running.len());
                assert_eq!(probed, (before, 0), "seed {seed}: a stopped backend is probed");
            }
        }
        prober
            .send(Administer { admin: Admin::Enabled, why: String::new(), within: Duration::ZERO })
            .await
            .unwrap();
        // The prober is stopped during a probe, which starts within an interval.
        for _ in 0..1000 {
            if !log.lock().unwrap().running.is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(log.lock().unwrap().running.len(), 1, "seed {seed}: no probe starts");
        prober.send(Stop).await.unwrap();
        tokio::task::yield_now().await;
        let begun = log.lock().unwrap().begun;
        tokio::time::sleep(Duration::from_secs(60)).await;
        let probes = log.lock().unwrap();
        let probed = (probes.begun, probes.running.len());
        assert_eq!(probed, (begun, 0), "seed {seed}: it probes after its end");
        assert!(!probes.cancelled.is_empty() && probes.begun > 10, "seed {seed}: too few probes");
    }
}
