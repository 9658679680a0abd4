//! The Watchdog over actors that answer, are deaf for a time, and end.

use std::sync::mpsc as blocking;
use std::sync::{Arc, Mutex};

use tokio::time::sleep;

use super::*;
use crate::actors::broadcaster::{Broadcaster, Limits};
use crate::actors::controller::{Controller, Recipients};
use crate::actors::event_batcher::EventBatcher;
use crate::actors::prober::FakeProbe;
use crate::actors::reconciler::Reconciler;
use crate::actors::vpp_connection::VppConnection;
use crate::config;
use crate::domain::health::probe_result::{ProbeResult, ResultCode};
use crate::domain::readiness::HealthCounts;
use crate::host::log_stream::LogDemand;
use crate::host::notification::datagram;
use crate::vpp::client::ClientOptions;

/// What the service manager was told.
#[derive(Clone, Default)]
struct RecordedNotifications(Arc<Mutex<Vec<String>>>);

impl RecordedNotifications {
    fn tell(&self) -> Tell {
        let told = Arc::clone(&self.0);
        Box::new(move |notices| {
            let text = datagram(notices);
            told.lock().unwrap().extend(text.lines().map(str::to_owned));
        })
    }

    /// Since the last call.
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    fn feeds(&self) -> usize {
        self.take().iter().filter(|line| *line == "WATCHDOG=1").count()
    }
}

/// Stands in for Controller, VppConnection and Reconciler.
struct All {
    census: HealthCounts,
    link: ConnectionState,
    sight: Option<Epoch>,
}

impl Actor for All {
    type Context = Context<Self>;
}

impl Handler<GetHealthCounts> for All {
    type Result = MessageResult<GetHealthCounts>;

    fn handle(&mut self, _: GetHealthCounts, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.census)
    }
}

impl Handler<GetConnectionState> for All {
    type Result = ConnectionState;

    fn handle(&mut self, _: GetConnectionState, _: &mut Self::Context) -> ConnectionState {
        self.link
    }
}

impl Handler<GetObservedEpoch> for All {
    type Result = MessageResult<GetObservedEpoch>;

    fn handle(&mut self, _: GetObservedEpoch, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.sight)
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct Become(All);

impl Handler<Become> for All {
    type Result = ();

    fn handle(&mut self, Become(next): Become, _: &mut Self::Context) {
        *self = next;
    }
}

/// Answers only once it is told to.
struct Deaf(Option<tokio::sync::oneshot::Receiver<()>>);

impl Actor for Deaf {
    type Context = Context<Self>;
}

impl Handler<Ping> for Deaf {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: Ping, _: &mut Self::Context) -> Self::Result {
        let until = self.0.take();
        Box::pin(async move {
            if let Some(until) = until {
                until.await.unwrap();
            }
        })
    }
}

fn parts(all: &Addr<All>, others: Vec<(String, Recipient<Ping>)>) -> Parts {
    let (census, link) = (all.clone().recipient(), all.clone().recipient());
    Parts { census, link, sight: all.clone().recipient(), others }
}

fn unknown(backends_unknown: usize) -> HealthCounts {
    HealthCounts {
        backends: 2,
        backends_up: 2 - backends_unknown,
        backends_unknown,
        ..HealthCounts::default()
    }
}

#[actix_rt::test]
async fn it_says_ready_once_and_then_what_changes() {
    tokio::time::pause();
    let (link, sight) = (ConnectionState::Dialing, None);
    let all = All { census: unknown(2), link, sight }.start();
    let told = RecordedNotifications::default();
    let overseer = Watchdog::new(parts(&all, vec![]), told.tell(), None).start();
    let second = Duration::from_secs(1);
    sleep(second).await;
    let lines = told.take();
    assert_eq!(lines[..2], ["WATCHDOG=1", "EXTEND_TIMEOUT_USEC=30000000"]);
    let status = "STATUS=starting, 2 backends have no verdict yet: frontends 0 of 0 up, \
                  backends 0 of 2 up, VPP being connected";
    assert_eq!(lines.iter().filter(|line| *line == status).count(), 1, "{lines:?}");
    assert!(!lines.contains(&"READY=1".to_owned()), "{lines:?}");
    // A reload of one that is not ready is no news.
    overseer.send(Reloading { monotonic_us: 1 }).await.unwrap();
    overseer.send(Reloaded).await.unwrap();
    assert!(!overseer.send(GetReadiness).await.unwrap().has_started());
    assert!(told.take().is_empty());

    let link = ConnectionState::Up(Epoch(1));
    all.send(Become(All { census: unknown(0), link, sight: None })).await.unwrap();
    sleep(second).await;
    assert!(!told.take().contains(&"READY=1".to_owned()), "VPP was not read yet");
    let sight = Some(Epoch(1));
    all.send(Become(All { census: unknown(0), link, sight })).await.unwrap();
    sleep(second).await;
    let status = "STATUS=frontends 0 of 0 up, backends 2 of 2 up, VPP connected";
    assert_eq!(told.take()[..3], ["WATCHDOG=1", "READY=1", status]);
    assert_eq!(overseer.send(GetReadiness).await.unwrap(), Readiness::Ready);

    let lost = All { census: unknown(0), link: ConnectionState::Away, sight };
    all.send(Become(lost)).await.unwrap();
    sleep(10 * second).await;
    let lines = told.take();
    assert_eq!(lines.iter().filter(|line| line.ends_with("VPP not connected")).count(), 1);
    assert!(!lines.contains(&"READY=1".to_owned()), "{lines:?}");

    overseer.send(Reloading { monotonic_us: 42 }).await.unwrap();
    assert_eq!(told.take(), ["RELOADING=1", "MONOTONIC_USEC=42"]);
    overseer.send(Reloaded).await.unwrap();
    assert_eq!(told.take(), ["READY=1"]);
    overseer.send(Stopping).await.unwrap();
    assert_eq!(told.take(), ["STOPPING=1", "STATUS=stopping"]);
    sleep(10 * second).await;
    assert!(told.take().is_empty(), "a daemon that stops has said its last");
}

#[actix_rt::test]
async fn one_that_does_not_answer_stops_the_feeding() {
    tokio::time::pause();
    let all = All { census: unknown(0), link: ConnectionState::Off, sight: None }.start();
    let (speak, until) = tokio::sync::oneshot::channel();
    let deaf = Deaf(Some(until)).start().recipient();
    let pulse = HeartbeatResponder.start().recipient();
    let others = vec![("pulse".into(), pulse), ("deaf".into(), deaf)];
    let told = RecordedNotifications::default();
    let within = Duration::from_secs(4);
    let _overseer = Watchdog::new(parts(&all, others), told.tell(), Some(within)).start();
    sleep(10 * within).await;
    assert!(told.take().is_empty());
    speak.send(()).unwrap();
    sleep(10 * within).await;
    let feeds = told.feeds();
    assert!((39..=41).contains(&feeds), "{feeds}: four in each of ten times");
}

/// Every actor of the daemon, on threads as the daemon has them, and one of
/// them hangs.
#[actix_rt::test]
async fn a_thread_of_probers_that_hangs_stops_the_feeding() {
    // The Watchdog's time; the other threads have the real one.
    tokio::time::pause();
    let text = "maglev: {vpp: {lb: {ipv4-src-address: 192.0.2.1, ipv6-src-address: '2001:db8::1'}}, \
                healthchecks: {c: {type: icmp, interval: 100ms, timeout: 50ms}}, \
                backends: {a: {address: 192.0.2.2, healthcheck: c}, b: {address: 192.0.2.3}}}";
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("maglev.yaml");
    std::fs::write(&path, text).unwrap();
    let config = config::load(&path).unwrap().config;
    let outward = Arbiter::new();
    let broadcaster = Broadcaster::start_in_arbiter(&outward.handle(), |_| {
        Broadcaster::new(1, Limits::default(), LogDemand::default())
    });
    let herald = EventBatcher::of(&broadcaster);
    let vpp = VppConnection::new(None, ClientOptions::default(), herald.clone()).start();
    let reconciler = Reconciler::new(vpp.clone(), herald.clone()).start();
    let probing = [Arbiter::new(), Arbiter::new()];
    let handles: Vec<_> = probing.iter().map(Arbiter::handle).collect();
    let ears = Recipients::from(&reconciler);
    let script: FakeProbe =
        Arc::new(|_| Box::pin(async { ProbeResult::new(ResultCode::L3Ok, "") }));
    let checker = Controller::new(path, config, handles.clone(), herald, ears);
    let checker = checker.with_fake_probe(script).start();
    let pulses = handles.iter().enumerate().map(|(number, arbiter)| {
        let pulse = HeartbeatResponder::start_in_arbiter(arbiter, |_| HeartbeatResponder);
        (format!("probers {number}"), pulse.recipient())
    });
    let others = pulses.chain([("Broadcaster".to_owned(), broadcaster.recipient())]).collect();
    let parts = Parts {
        census: checker.recipient(),
        link: vpp.recipient(),
        sight: reconciler.recipient(),
        others,
    };
    let told = RecordedNotifications::default();
    let (fed, mut feeds) = tokio::sync::mpsc::unbounded_channel();
    let tell = told.tell();
    let tell: Tell = Box::new(move |notices| {
        tell(notices);
        // Nobody listens any more when the test is over.
        let _ = fed.send(());
    });
    // Rounds of 10 ms.
    let watchdog = Some(Duration::from_millis(40));
    let _overseer = Watchdog::new(parts, tell, watchdog).start();
    while !told.take().contains(&"READY=1".to_owned()) {
        feeds.recv().await.unwrap();
    }

    let (release, hung) = blocking::channel::<()>();
    let (hangs, begun) = tokio::sync::oneshot::channel();
    probing[1].spawn_fn(move || {
        hangs.send(()).unwrap();
        // As a handler that does not return would.
        let _ = hung.recv();
    });
    begun.await.unwrap();
    told.take();
    sleep(Duration::from_secs(60)).await;
    let count = told.feeds();
    // One round may have been under way, and have had this thread's answer.
    assert!(count <= 1, "fed {count} times although a thread hangs");
    while feeds.try_recv().is_ok() {}
    told.take();
    drop(release);
    feeds.recv().await.unwrap();
    assert_eq!(told.take()[0], "WATCHDOG=1");
}
