//! A prober that is ordered about while its probes are in flight, on paused
//! time. What a row of results means is tested with [`health`] itself.

use std::collections::BTreeSet;
use std::sync::Mutex;

use super::*;
use crate::config;
use crate::domain::controller::{ControllerEffect, ControllerState};
use crate::domain::health::{Admin, State};

/// Seeds that are tried, and orders given in each.
const SEEDS: u64 = 40;
const ORDERS: usize = 60;

/// What became of the probes, each of which has a number.
#[derive(Default)]
struct Ledger {
    begun: u64,
    running: BTreeSet<u64>,
    /// Those that were dropped before their end.
    cancelled: BTreeSet<u64>,
}

/// A probe that runs; when it is dropped, it is over.
struct RunningProbe {
    number: u64,
    ended: bool,
    ledger: Arc<Mutex<Ledger>>,
}

impl Drop for RunningProbe {
    fn drop(&mut self) {
        let mut ledger = self.ledger.lock().unwrap();
        ledger.running.remove(&self.number);
        if !self.ended {
            ledger.cancelled.insert(self.number);
        }
    }
}

/// Probes that take up to three seconds, and pass or fail as chance has it.
/// Each tells its number.
fn fake(ledger: &Arc<Mutex<Ledger>>, seed: u64) -> FakeProbe {
    let ledger = Arc::clone(ledger);
    let random = Mutex::new(fastrand::Rng::with_seed(seed));
    Arc::new(move |_| {
        let (takes, code) = {
            let mut random = random.lock().unwrap();
            let code = if random.bool() { ResultCode::L3Ok } else { ResultCode::L3Timeout };
            (Duration::from_millis(random.u64(..3000)), code)
        };
        let ledger = Arc::clone(&ledger);
        Box::pin(async move {
            let mut running = {
                let mut book = ledger.lock().unwrap();
                book.begun += 1;
                let number = book.begun;
                book.running.insert(number);
                assert_eq!(book.running.len(), 1, "two probes of one backend at a time");
                RunningProbe { number, ended: false, ledger: Arc::clone(&ledger) }
            };
            tokio::time::sleep(takes).await;
            running.ended = true;
            ProbeResult::new(code, running.number.to_string())
        })
    })
}

/// Stands in for the Controller: keeps the state as it is told, and that what it
/// is told joins up.
struct TransitionRecorder(Arc<Mutex<State>>);

impl Actor for TransitionRecorder {
    type Context = Context<Self>;
}

impl Handler<Transitioned> for TransitionRecorder {
    type Result = ();

    fn handle(&mut self, told: Transitioned, _: &mut Self::Context) {
        let mut state = self.0.lock().unwrap();
        assert_eq!(told.transition.from, *state);
        *state = told.transition.to;
    }
}

#[actix_rt::test]
async fn whatever_is_ordered_one_probe_runs_at_a_time_and_a_cancelled_one_never_counts() {
    tokio::time::pause();
    for seed in 0..SEEDS {
        let mut random = fastrand::Rng::with_seed(seed);
        let text = "maglev: { vpp: { lb: { ipv4-src-address: 192.0.2.1, ipv6-src-address: \
                    '2001:db8::1' } }, healthchecks: { c: { type: icmp, interval: 2s, timeout: \
                    5s } }, backends: { b: { address: 192.0.2.5, healthcheck: c } } }";
        let config = config::parse(text).unwrap().config;
        let check = Arc::clone(&config.checks["c"]);
        let (_, orders) = ControllerState::new(Arc::new(config), SystemTime::now());
        let Some(ControllerEffect::StartProber { id, backend, settings }) =
            orders.into_iter().next()
        else {
            panic!("a prober is started");
        };
        let ledger = Arc::new(Mutex::new(Ledger::default()));
        let state = Arc::new(Mutex::new(State::Unknown));
        let to = TransitionRecorder(Arc::clone(&state)).start().recipient();
        let transport = ProbeTransport::Script(fake(&ledger, seed));
        let start =
            || Prober::new(id, backend.clone(), settings.clone(), transport.clone(), to.clone());
        let mut prober = start().start();
        let mut held = false;
        for _ in 0..ORDERS {
            let why = String::from("a test");
            match random.u8(..7) {
                0 => {
                    held = true;
                    prober.send(Administer { admin: Admin::Paused, why }).await.unwrap();
                }
                1 => {
                    held = true;
                    prober.send(Administer { admin: Admin::Disabled, why }).await.unwrap();
                }
                2 | 3 => {
                    held = false;
                    prober.send(Administer { admin: Admin::Enabled, why }).await.unwrap();
                }
                4 => prober.send(CheckChanged(Some(Arc::clone(&check)))).await.unwrap(),
                5 => {
                    // What is left comes after what the successor is told.
                    let (left, inherited) = oneshot::channel();
                    let leaving = prober;
                    prober = Prober::create(|ctx| {
                        let prober = start();
                        prober.take_over(inherited, ctx);
                        prober
                    });
                    prober.do_send(CheckChanged(Some(Arc::clone(&check))));
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    leaving.send(Handover(left)).await.unwrap();
                }
                _ => prober.send(Readdressed([192, 0, 2, random.u8(1..)].into())).await.unwrap(),
            }
            let before = ledger.lock().unwrap().begun;
            tokio::time::sleep(Duration::from_millis(random.u64(..6000))).await;
            let last = prober.send(GetReading).await.unwrap().last;
            let book = ledger.lock().unwrap();
            if let Some(result) = last {
                let number: u64 = result.detail.parse().unwrap();
                assert!(!book.cancelled.contains(&number), "seed {seed}: {number} was cancelled");
            }
            if held {
                let busy = (book.begun, book.running.len());
                assert_eq!(busy, (before, 0), "seed {seed}: it probes what is held");
            }
        }
        prober.send(Administer { admin: Admin::Enabled, why: String::new() }).await.unwrap();
        // It is stopped in the middle of a probe.
        while ledger.lock().unwrap().running.is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        prober.send(Stop).await.unwrap();
        tokio::task::yield_now().await;
        let begun = ledger.lock().unwrap().begun;
        tokio::time::sleep(Duration::from_secs(60)).await;
        let book = ledger.lock().unwrap();
        assert_eq!((book.begun, book.running.len()), (begun, 0), "seed {seed}: it goes on");
        assert!(!book.cancelled.is_empty() && book.begun > 10, "seed {seed} tells nothing");
    }
}
