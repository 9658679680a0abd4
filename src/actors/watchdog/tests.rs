//! The Watchdog with actors that answer, and with some that do not for a while.

use std::sync::mpsc::{self as blocking, RecvTimeoutError};
use std::sync::{Arc, Mutex};

use tokio::time::sleep;

use super::*;
use crate::actors::broadcaster::{Broadcaster, Limits};
use crate::actors::controller::{Controller, Recipients};
use crate::actors::event_batcher::EventBatcher;
use crate::actors::ping::HeartbeatResponder;
use crate::actors::prober::FakeProbe;
use crate::actors::reconciler::Reconciler;
use crate::actors::reconciler::{GetReconcilerStatus, ReconcilerStatus};
use crate::actors::vpp_connection::VppConnection;
use crate::config::{self, FileSource};
use crate::domain::health::probe_result::{ProbeResult, ResultCode};
use crate::domain::readiness::{HealthCounts, ReadyNotes};
use crate::host::logging::LogDemand;
use crate::host::sd_notify::datagram;
use crate::vpp::client::ClientOptions;

/// The lines that the service manager received.
#[derive(Clone, Default)]
struct RecordedNotifications(Arc<Mutex<Vec<String>>>);

impl RecordedNotifications {
    fn notifier(&self) -> Notifier {
        let lines = Arc::clone(&self.0);
        Box::new(move |notifications| {
            let text = datagram(notifications);
            lines.lock().unwrap().extend(text.lines().map(str::to_owned));
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

/// In place of Controller, VppConnection and Reconciler.
struct FakeActors {
    counts: HealthCounts,
    connection: ConnectionState,
    observed: Option<Epoch>,
}

impl Actor for FakeActors {
    type Context = Context<Self>;
}

impl Handler<GetHealthCounts> for FakeActors {
    type Result = MessageResult<GetHealthCounts>;

    fn handle(&mut self, _: GetHealthCounts, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.counts)
    }
}

impl Handler<GetConnectionState> for FakeActors {
    type Result = ConnectionState;

    fn handle(&mut self, _: GetConnectionState, _: &mut Self::Context) -> ConnectionState {
        self.connection
    }
}

impl Handler<GetReconcilerStatus> for FakeActors {
    type Result = ReconcilerStatus;

    fn handle(&mut self, _: GetReconcilerStatus, _: &mut Self::Context) -> ReconcilerStatus {
        ReconcilerStatus { observed: self.observed, removals_held: 0 }
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct Become(FakeActors);

impl Handler<Become> for FakeActors {
    type Result = ();

    fn handle(&mut self, Become(next): Become, _: &mut Self::Context) {
        *self = next;
    }
}

/// Answers its first ping late.
struct LateResponder(Option<tokio::sync::oneshot::Receiver<()>>);

impl Actor for LateResponder {
    type Context = Context<Self>;
}

impl Handler<Ping> for LateResponder {
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

fn watched(actors: &Addr<FakeActors>, others: Vec<(String, Recipient<Ping>)>) -> WatchedActors {
    let (controller, vpp) = (actors.clone().recipient(), actors.clone().recipient());
    WatchedActors { controller, vpp, reconciler: actors.clone().recipient(), others }
}

fn unknown(backends_unknown: usize) -> HealthCounts {
    HealthCounts {
        frontends_open: 0,
        backends: 2,
        backends_up: 2 - backends_unknown,
        backends_unknown,
        ..HealthCounts::default()
    }
}

#[actix_rt::test]
async fn it_notifies_ready_once_and_then_each_new_status() {
    tokio::time::pause();
    let (connection, observed) = (ConnectionState::Dialing, None);
    let actors = FakeActors { counts: unknown(2), connection, observed }.start();
    let received = RecordedNotifications::default();
    let watchdog = Watchdog::new(watched(&actors, vec![]), received.notifier(), None).start();
    let second = Duration::from_secs(1);
    sleep(second).await;
    let lines = received.take();
    assert_eq!(lines[..2], ["WATCHDOG=1", "EXTEND_TIMEOUT_USEC=30000000"]);
    let status = "STATUS=starting, 2 backends have no verdict yet: frontends 0 of 0 up, \
                  backends 0 of 2 up, VPP being connected";
    assert_eq!(lines.iter().filter(|line| *line == status).count(), 1, "{lines:?}");
    assert!(!lines.contains(&"READY=1".to_owned()), "{lines:?}");
    // Reloads are not notified before the daemon is ready.
    watchdog.send(Reloading { monotonic_us: 1 }).await.unwrap();
    watchdog.send(Reloaded { refusal: None }).await.unwrap();
    assert!(!watchdog.send(GetReadiness).await.unwrap().has_started());
    assert!(received.take().is_empty());

    let connection = ConnectionState::Up(Epoch(1));
    let unread = FakeActors { counts: unknown(0), connection, observed: None };
    actors.send(Become(unread)).await.unwrap();
    sleep(second).await;
    assert!(!received.take().contains(&"READY=1".to_owned()), "VPP was not read yet");
    let observed = Some(Epoch(1));
    let read = FakeActors { counts: unknown(0), connection, observed };
    actors.send(Become(read)).await.unwrap();
    sleep(second).await;
    let status = "STATUS=frontends 0 of 0 up, backends 2 of 2 up, VPP connected";
    assert_eq!(received.take()[..3], ["WATCHDOG=1", "READY=1", status]);
    assert_eq!(watchdog.send(GetReadiness).await.unwrap(), Readiness::Ready(ReadyNotes::default()));

    let lost = FakeActors { counts: unknown(0), connection: ConnectionState::Away, observed };
    actors.send(Become(lost)).await.unwrap();
    sleep(10 * second).await;
    let lines = received.take();
    assert_eq!(lines.iter().filter(|line| line.ends_with("VPP not connected")).count(), 1);
    assert!(!lines.contains(&"READY=1".to_owned()), "{lines:?}");

    watchdog.send(Reloading { monotonic_us: 42 }).await.unwrap();
    assert_eq!(received.take(), ["RELOADING=1", "MONOTONIC_USEC=42"]);
    watchdog.send(Reloaded { refusal: None }).await.unwrap();
    assert_eq!(received.take(), ["READY=1"]);
    watchdog.send(Stopping).await.unwrap();
    assert_eq!(received.take(), ["STOPPING=1", "STATUS=stopping"]);
    sleep(10 * second).await;
    assert!(received.take().is_empty(), "STOPPING=1 is the last notification");
}

#[actix_rt::test]
async fn an_actor_that_does_not_answer_stops_the_feeding() {
    tokio::time::pause();
    let connection = ConnectionState::Off;
    let actors = FakeActors { counts: unknown(0), connection, observed: None }.start();
    let (answer, until) = tokio::sync::oneshot::channel();
    let late = LateResponder(Some(until)).start().recipient();
    let responder = HeartbeatResponder.start().recipient();
    let others = vec![("responder".into(), responder), ("late".into(), late)];
    let received = RecordedNotifications::default();
    let timeout = Duration::from_secs(4);
    let _watchdog =
        Watchdog::new(watched(&actors, others), received.notifier(), Some(timeout)).start();
    sleep(10 * timeout).await;
    assert!(received.take().is_empty());
    answer.send(()).unwrap();
    sleep(10 * timeout).await;
    let feeds = received.feeds();
    assert!((39..=41).contains(&feeds), "{feeds}: four in each of ten times");
}

/// What `event` brings, within a minute of real time: that of other threads, which the
/// paused clock of this one does not keep.
async fn within_a_minute<T>(what: &str, event: impl Future<Output = T>) -> T {
    let (_done, is_done) = blocking::channel::<()>();
    let (expire, expired) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        if is_done.recv_timeout(Duration::from_secs(60)) == Err(RecvTimeoutError::Timeout) {
            // The test may have failed meanwhile.
            let _ = expire.send(());
        }
    });
    tokio::select! {
        outcome = event => outcome,
        Ok(()) = expired => panic!("not within a minute: {what}"),
    }
}

/// Every actor of the daemon, on threads as in the daemon, of which one hangs.
#[actix_rt::test]
async fn a_thread_of_probers_that_hangs_stops_the_feeding() {
    // On the Watchdog's thread; the other threads keep real time.
    tokio::time::pause();
    let text = "maglev: {vpp: {lb: {ipv4-src-address: 192.0.2.1, ipv6-src-address: '2001:db8::1'}}, \
                healthchecks: {c: {type: icmp, interval: 100ms, timeout: 50ms}}, \
                backends: {a: {address: 192.0.2.2, healthcheck: c}, b: {address: 192.0.2.3}}}\n";
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("maglev.yaml");
    std::fs::write(&path, text).unwrap();
    let config = config::load(&path).unwrap().config;
    let outward = Arbiter::new();
    let broadcaster = Broadcaster::start_in_arbiter(&outward.handle(), |_| {
        Broadcaster::new(1, Limits::default(), LogDemand::default())
    });
    let events = EventBatcher::new(&broadcaster);
    let vpp = VppConnection::new(None, ClientOptions::default(), events.clone()).start();
    let reconciler = Reconciler::new(vpp.clone(), events.clone()).start();
    let probing = [Arbiter::new(), Arbiter::new()];
    let handles: Vec<_> = probing.iter().map(Arbiter::handle).collect();
    let recipients = Recipients::from(&reconciler);
    let probe: FakeProbe = Arc::new(|_| Box::pin(async { ProbeResult::new(ResultCode::L3Ok, "") }));
    let source = Arc::new(FileSource::new(path));
    let controller = Controller::new(source, config, handles.clone(), events, recipients);
    let controller = controller.with_fake_probe(probe).start();
    let responders = handles.iter().enumerate().map(|(number, arbiter)| {
        let responder = HeartbeatResponder::start_in_arbiter(arbiter, |_| HeartbeatResponder);
        (format!("probers {number}"), responder.recipient())
    });
    let others = responders.chain([("Broadcaster".to_owned(), broadcaster.recipient())]).collect();
    let watched = WatchedActors {
        controller: controller.recipient(),
        vpp: vpp.recipient(),
        reconciler: reconciler.recipient(),
        others,
    };
    let received = RecordedNotifications::default();
    let (fed, mut feeds) = tokio::sync::mpsc::unbounded_channel();
    let notify = received.notifier();
    let notify: Notifier = Box::new(move |notifications| {
        notify(notifications);
        // The receiver is gone when the test is over.
        let _ = fed.send(());
    });
    // Rounds of 10 ms.
    let timeout = Some(Duration::from_millis(40));
    let _watchdog = Watchdog::new(watched, notify, timeout).start();
    within_a_minute("it is ready", async {
        while !received.take().contains(&"READY=1".to_owned()) {
            feeds.recv().await.unwrap();
        }
    })
    .await;

    let (release, hung) = blocking::channel::<()>();
    let (hangs, begun) = tokio::sync::oneshot::channel();
    probing[1].spawn_fn(move || {
        hangs.send(()).unwrap();
        // Like a handler that does not return.
        let _ = hung.recv();
    });
    within_a_minute("a thread hangs", begun).await.unwrap();
    received.take();
    sleep(Duration::from_secs(60)).await;
    let count = received.feeds();
    // This thread may have answered the round that was under way.
    assert!(count <= 1, "fed {count} times although a thread hangs");
    while feeds.try_recv().is_ok() {}
    received.take();
    drop(release);
    within_a_minute("it is fed again", feeds.recv()).await.unwrap();
    assert_eq!(received.take()[0], "WATCHDOG=1");
}
