//! Tests that overrides are kept before they take effect, that a disk which is slow or full
//! delays and changes nothing else, and that they end by themselves.

use std::io;

use tokio::sync::{mpsc, oneshot};

use super::*;
use crate::actors::override_keeper::StoreOverrides;
use crate::domain::overrides::OverrideSet;
use crate::state::KeepError;

type StoreReply = oneshot::Sender<Result<(), KeepError>>;

/// Replaces the disk: each write is answered by the test.
struct HeldKeeper(mpsc::UnboundedSender<(OverrideSet, StoreReply)>);

impl Actor for HeldKeeper {
    type Context = Context<Self>;
}

impl Handler<StoreOverrides> for HeldKeeper {
    type Result = ResponseFuture<Result<(), KeepError>>;

    fn handle(
        &mut self,
        StoreOverrides(set): StoreOverrides,
        _: &mut Self::Context,
    ) -> Self::Result {
        let (reply, replied) = oneshot::channel();
        self.0.send((set, reply)).unwrap();
        Box::pin(async move { replied.await.unwrap() })
    }
}

/// The writes that wait for their answers.
struct Writes(mpsc::UnboundedReceiver<(OverrideSet, StoreReply)>);

impl Writes {
    /// The next write: what it says, and its reply.
    async fn next(&mut self) -> (Vec<String>, StoreReply) {
        let (set, reply) = self.0.recv().await.unwrap();
        (set.entries().map(|entry| entry.what.to_string()).collect(), reply)
    }

    fn is_empty(&mut self) -> bool {
        self.0.try_recv().is_err()
    }
}

fn full() -> KeepError {
    KeepError {
        path: "/state/overrides.json".into(),
        attempted: "write a new file",
        source: Arc::new(io::Error::from(io::ErrorKind::StorageFull)),
        is_in_doubt: false,
    }
}

fn bed(text: &str, stored: OverrideSet) -> (ControllerTestBed, Writes) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let bed = ControllerTestBed::start_with(text, |controller| {
        let keeper = HeldKeeper(sender).start().recipient();
        controller.keeping(stored, keeper).with_fake_probe(fake_probe())
    });
    (bed, Writes(receiver))
}

type PendingAnswer = oneshot::Receiver<Result<(), OverrideFailed>>;

impl ControllerTestBed {
    /// Gives a command whose answer is not awaited here.
    fn command(
        &self,
        backend: &str,
        command: AdminCommand,
        lasts: Option<Duration>,
    ) -> PendingAnswer {
        let (sender, receiver) = oneshot::channel();
        let (backend, given) = (backend.into(), by_a_test(lasts));
        let sent = self.controller.send(AdministerBackend { backend, command, given });
        actix_rt::spawn(async move {
            let _ = sender.send(sent.await.unwrap());
        });
        receiver
    }

    async fn overrides(&self) -> Vec<String> {
        let listing = self.controller.send(GetOverrides).await.unwrap();
        listing.overrides.iter().map(|entry| entry.what.to_string()).collect()
    }

    async fn is_failing(&self) -> bool {
        self.controller.send(GetOverrides).await.unwrap().writes.is_failing
    }
}

#[actix_rt::test]
async fn a_command_takes_effect_once_it_is_written_and_then_is_answered() {
    let server = ScriptedServer::serving(2);
    let (bed, mut writes) = bed(&file(&[(&server, "tcp", 100)]), OverrideSet::default());
    bed.until("probed web 2=100").await;
    let mut answer = bed.command("b2", AdminCommand::Pause, None);
    let (set, reply) = writes.next().await;
    assert_eq!(set, ["paused of backend b2"]);
    tokio::time::sleep(AN_HOUR).await;
    assert!(answer.try_recv().is_err(), "it is not written yet");
    assert_eq!(bed.state("b2").await, State::Up);
    assert_eq!(bed.overrides().await, [""; 0]);
    reply.send(Ok(())).unwrap();
    answer.await.unwrap().unwrap();
    assert_eq!(bed.state("b2").await, State::Paused);
    assert_eq!(bed.recorded.borrow().last().unwrap(), "probed web 2=0");
    assert!(writes.is_empty());
}

#[actix_rt::test]
async fn a_disk_that_hangs_delays_no_weight() {
    let [fallen, paused] = [2, 3].map(ScriptedServer::serving);
    let text = file(&[(&fallen, "tcp", 100), (&paused, "tcp", 100)]);
    let (bed, mut writes) = bed(&text, OverrideSet::default());
    bed.until("probed web 2=100 3=100").await;
    let answer = bed.command("b3", AdminCommand::Pause, None);
    let (_, reply) = writes.next().await;
    let _fallen = ScriptedServer::refusing(2);
    bed.until("probed web 2=0 3=100").await;
    reply.send(Ok(())).unwrap();
    answer.await.unwrap().unwrap();
    assert_eq!(bed.state("b3").await, State::Paused);
}

#[actix_rt::test]
async fn a_full_disk_refuses_commands_and_changes_nothing() {
    let server = ScriptedServer::serving(2);
    let (bed, mut writes) = bed(&file(&[(&server, "tcp", 100)]), OverrideSet::default());
    bed.until("probed web 2=100").await;
    let commands = [AdminCommand::Pause, AdminCommand::Disable, AdminCommand::Pause];
    let answers = commands.map(|command| bed.command("b2", command, None));
    for _ in 0..2 {
        writes.next().await.1.send(Err(full())).unwrap();
    }
    let mut failures = Vec::new();
    for answer in answers {
        failures.push(answer.await.unwrap().unwrap_err().to_string());
    }
    assert!(failures[0].contains("cannot keep it in /state/overrides.json: write a new file: "));
    assert!(failures[0].ends_with("; nothing has changed"), "{failures:?}");
    assert_eq!((bed.state("b2").await, bed.overrides().await), (State::Up, vec![]));
    // Nobody asks any more. Whether there is room again shows when it is written again.
    assert!(bed.is_failing().await);
    let (set, reply) = writes.next().await;
    assert_eq!(set, [""; 0]);
    reply.send(Err(full())).unwrap();
    assert!(bed.is_failing().await);
    writes.next().await.1.send(Ok(())).unwrap();
    tokio::time::sleep(AN_HOUR).await;
    assert!(writes.is_empty() && !bed.is_failing().await);
    let answer = bed.command("b2", AdminCommand::Pause, None);
    writes.next().await.1.send(Ok(())).unwrap();
    answer.await.unwrap().unwrap();
    assert_eq!(bed.state("b2").await, State::Paused);
}

#[actix_rt::test]
async fn commands_at_one_time_do_not_lose_each_other() {
    let servers = [2, 3, 4].map(ScriptedServer::serving);
    let text = file(&servers.each_ref().map(|server| (server, "tcp", 100)));
    let (bed, mut writes) = bed(&text, OverrideSet::default());
    bed.until("probed web 2=100 3=100 4=100").await;
    let first = bed.command("b2", AdminCommand::Pause, None);
    let (_, reply) = writes.next().await;
    let others = ["b3", "b4"].map(|backend| bed.command(backend, AdminCommand::Disable, None));
    let resumed = bed.command("b2", AdminCommand::Resume, None);
    // So that all have been received.
    assert_eq!(bed.overrides().await, [""; 0]);
    reply.send(Ok(())).unwrap();
    first.await.unwrap().unwrap();
    let (set, reply) = writes.next().await;
    assert_eq!(set, ["disabled of backend b3", "disabled of backend b4"]);
    reply.send(Ok(())).unwrap();
    for answer in others.into_iter().chain([resumed]) {
        answer.await.unwrap().unwrap();
    }
    assert_eq!(bed.overrides().await, set);
}

#[actix_rt::test]
async fn a_reload_during_a_write_is_heeded() {
    let server = ScriptedServer::serving(2);
    let text = file(&[(&server, "tcp", 100)]);
    let (bed, mut writes) = bed(&text, OverrideSet::default());
    bed.until("probed web 2=100").await;
    let answer = bed.command("b2", AdminCommand::Pause, None);
    let (_, reply) = writes.next().await;
    bed.reload(&text.replace("healthcheck: c2", "healthcheck: c2, enabled: false")).await.unwrap();
    reply.send(Ok(())).unwrap();
    // What was written does not fit the file any more: it is planned, and written, anew.
    writes.next().await.1.send(Ok(())).unwrap();
    let refused = answer.await.unwrap().map_err(refused);
    let (backend, command) = ("b2".into(), AdminCommand::Pause);
    assert_eq!(refused, Err(CommandRefused::Disabled { backend, command }));
    assert_eq!((bed.state("b2").await, bed.overrides().await), (State::Disabled, vec![]));
    tokio::time::sleep(AN_HOUR).await;
    assert!(writes.is_empty());
}

#[actix_rt::test]
async fn an_override_ends_by_itself_and_vpp_follows() {
    let server = ScriptedServer::serving(2);
    let (bed, mut writes) = bed(&file(&[(&server, "tcp", 100)]), OverrideSet::default());
    bed.until("probed web 2=100").await;
    let lasts = Duration::from_secs(2 * 3600);
    let answer = bed.command("b2", AdminCommand::Pause, Some(lasts));
    writes.next().await.1.send(Ok(())).unwrap();
    answer.await.unwrap().unwrap();
    server.probes();
    tokio::time::sleep(lasts - Duration::from_secs(1)).await;
    assert_eq!((bed.state("b2").await, server.probes()), (State::Paused, 0));
    assert!(writes.is_empty());
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_ne!(bed.state("b2").await, State::Paused);
    bed.until("probed web 2=100").await;
    let why = bed.backend("b2").await.unwrap().0.transitions;
    assert!(why.iter().any(|it| &*it.why == "paused of backend b2 by a test is over"), "{why:?}");
    let (set, reply) = writes.next().await;
    assert_eq!(set, [""; 0]);
    // It has ended, whether the disk has room or not; and is written when it has.
    reply.send(Err(full())).unwrap();
    assert_eq!(bed.overrides().await, [""; 0]);
    writes.next().await.1.send(Ok(())).unwrap();
    tokio::time::sleep(AN_HOUR).await;
    assert!(writes.is_empty());
}

#[actix_rt::test]
async fn what_an_earlier_daemon_has_stored_is_in_force_from_the_first_write_to_vpp() {
    let servers = [2, 3].map(ScriptedServer::serving);
    let text = file(&servers.each_ref().map(|server| (server, "tcp", 100)));
    let stored = {
        let (bed, mut writes) = bed(&text, OverrideSet::default());
        bed.until("probed web 2=100 3=100").await;
        let answer = bed.command("b2", AdminCommand::Pause, None);
        let (set, reply) = writes.0.recv().await.unwrap();
        reply.send(Ok(())).unwrap();
        answer.await.unwrap().unwrap();
        // The next bed stops it again.
        tokio::time::resume();
        set
    };
    servers[0].probes();
    let (bed, mut writes) = bed(&text, stored);
    bed.until("probed web 2=0 3=100").await;
    let of_b2: Vec<_> = bed.take_recorded();
    assert_eq!(of_b2[0], "all web 2=0 3=?");
    assert!(of_b2.iter().all(|it| it.contains("2=0")), "{of_b2:?}");
    assert_eq!((bed.state("b2").await, servers[0].probes()), (State::Paused, 0));
    assert!(writes.is_empty(), "it is written already");
}

#[actix_rt::test]
async fn what_has_ended_meanwhile_is_taken_out_of_the_file() {
    let server = ScriptedServer::serving(2);
    let text = file(&[(&server, "tcp", 100)]);
    let stored = {
        let (bed, mut writes) = bed(&text, OverrideSet::default());
        let answer = bed.command("b2", AdminCommand::Pause, None);
        let (set, reply) = writes.0.recv().await.unwrap();
        reply.send(Ok(())).unwrap();
        answer.await.unwrap().unwrap();
        // The next bed stops it again.
        tokio::time::resume();
        set
    };
    let other = text.replace("b2:", "b3:");
    let (bed, mut writes) = bed(&other, stored);
    let (set, reply) = writes.next().await;
    assert_eq!((set, bed.overrides().await), (vec![], vec![]));
    reply.send(Ok(())).unwrap();
    bed.until("probed web 2=100").await;
}
