//! Tests the Controller with real Probers on paused time, fake probes, and a recorder in
//! place of the Reconciler.

mod events;
mod handover;
mod origin;
mod overrides;
mod peers;
mod reload;
mod resolution;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use origin::{by_a_test, refused};

use super::*;
use crate::actors::broadcaster::{Broadcaster, Limits};
use crate::actors::prober::ProbeReading;
use crate::config::{self, FileSource};
use crate::domain::balancing::weights::{DesiredFrontend, TargetWeight, UnmanagedServers};
use crate::domain::controller::{AdminCommand, CommandRefused};
use crate::domain::dataplane::net::Weight;
use crate::domain::health::State;
use crate::domain::health::probe_result::{ProbeResult, ResultCode};
use crate::domain::names::FrontendName;
use crate::domain::reconcile::Generation;
use crate::host::logging::LogDemand;

/// Replaces the Reconciler and records what it receives.
struct DesiredRecorder(Rc<RefCell<Vec<String>>>);

impl Actor for DesiredRecorder {
    type Context = Context<Self>;
}

impl Handler<DesiredChanged> for DesiredRecorder {
    type Result = ();

    fn handle(&mut self, changed: DesiredChanged, _: &mut Self::Context) {
        let cause = if changed.0.decided.is_some() { "probed" } else { "changed" };
        self.0.borrow_mut().push(format!("{cause} {}", text(changed.0.frontends.iter().cloned())));
    }
}

impl Handler<DesiredReplaced> for DesiredRecorder {
    type Result = ();

    fn handle(&mut self, DesiredReplaced(now): DesiredReplaced, _: &mut Self::Context) {
        self.0.borrow_mut().push(format!("all {}", text(now.desired.frontends.clone())));
    }
}

impl Handler<SubscribeProgress> for DesiredRecorder {
    type Result = ();

    fn handle(&mut self, _: SubscribeProgress, _: &mut Self::Context) {}
}

/// `web 2=100 3=? *=?`: the target weights of servers, by the last byte of their address,
/// and of those that VPP has besides, unless they are removed.
fn text(frontends: impl IntoIterator<Item = (FrontendName, Arc<DesiredFrontend>)>) -> String {
    let mut text = Vec::new();
    for (name, frontend) in frontends {
        text.push(name.to_string());
        for (address, server) in &frontend.servers {
            let IpAddr::V4(address) = address else { panic!("{address}") };
            let number = address.octets()[3];
            text.push(match server.weight {
                TargetWeight::Weight(weight) => format!("{number}={weight}"),
                TargetWeight::Keep => format!("{number}=?"),
            });
        }
        match frontend.unmanaged {
            UnmanagedServers::Remove => {}
            UnmanagedServers::Keep => text.push("*=?".into()),
            UnmanagedServers::Drain => text.push("*=0".into()),
        }
    }
    text.join(" ")
}

/// A server with a fixed probe result.
struct ScriptedServer {
    address: IpAddr,
    probes: Arc<AtomicUsize>,
}

thread_local! {
    /// The servers of this thread's test.
    static SERVERS: ScriptedServers = ScriptedServers::default();
}

/// For each server its result, `None` if it does not answer, and the number of its probes.
type ScriptedServers = Arc<Mutex<BTreeMap<IpAddr, (Option<ProbeResult>, Arc<AtomicUsize>)>>>;

impl ScriptedServer {
    fn new(number: u8, result: Option<ProbeResult>) -> Self {
        let (address, probes) = (IpAddr::from([127, 0, 0, number]), Arc::default());
        let known = (result, Arc::clone(&probes));
        SERVERS.with(|servers| servers.lock().unwrap().insert(address, known));
        Self { address, probes }
    }

    fn serving(number: u8) -> Self {
        Self::new(number, Some(ProbeResult::new(ResultCode::L4Ok, "")))
    }

    fn refusing(number: u8) -> Self {
        Self::new(number, Some(ProbeResult::new(ResultCode::L4Connect, "connection refused")))
    }

    fn silent(number: u8) -> Self {
        Self::new(number, None)
    }

    /// The number of probes since the last call.
    fn probes(&self) -> usize {
        self.probes.swap(0, Relaxed)
    }
}

/// Returns the results of the servers of this thread's test.
fn fake_probe() -> FakeProbe {
    let servers = SERVERS.with(Arc::clone);
    Arc::new(move |address| {
        let servers = servers.lock().unwrap();
        let (result, probes) = &servers[&address];
        probes.fetch_add(1, Relaxed);
        let result = result.clone();
        Box::pin(async move {
            match result {
                Some(result) => result,
                None => std::future::pending().await,
            }
        })
    })
}

/// A file with one frontend `web`, whose pool has these servers, each with the type of its
/// health check and its weight.
fn file(servers: &[(&ScriptedServer, &str, u8)]) -> String {
    let each = |line: &dyn Fn(u8, &ScriptedServer, &str, u8) -> String| {
        let lines = servers.iter().map(|(server, kind, weight)| {
            let IpAddr::V4(address) = server.address else { panic!() };
            line(address.octets()[3], server, kind, *weight)
        });
        lines.collect::<String>()
    };
    let checks = each(&|number, _, kind, _| {
        format!(
            "    c{number}: {{type: {kind}, port: 80, interval: 10s, timeout: 5s, rise: 2, fall: 2}}\n"
        )
    });
    let backends = each(&|number, server, _, _| {
        format!("    b{number}: {{address: {}, healthcheck: c{number}}}\n", server.address)
    });
    let pool =
        each(&|number, _, _, weight| format!("            b{number}: {{weight: {weight}}}\n"));
    format!(
        "maglev:\n  vpp: {{lb: {{ipv4-src-address: 192.0.2.1, ipv6-src-address: 2001:db8::1}}}}\n  \
         healthchecks:\n{checks}  backends:\n{backends}  frontends:\n    web:\n      \
         address: 192.0.2.80\n      pools:\n        - name: p\n          backends:\n{pool}"
    )
}

struct ControllerTestBed {
    dir: tempfile::TempDir,
    controller: Addr<Controller>,
    broadcaster: Addr<Broadcaster>,
    recorded: Rc<RefCell<Vec<String>>>,
}

impl ControllerTestBed {
    fn start(text: &str) -> Self {
        Self::start_with(text, |controller| controller.with_fake_probe(fake_probe()))
    }

    fn start_with(text: &str, configure: impl FnOnce(Controller) -> Controller) -> Self {
        Self::start_on(text, vec![], configure)
    }

    fn start_on(
        text: &str,
        arbiters: Vec<ArbiterHandle>,
        configure: impl FnOnce(Controller) -> Controller,
    ) -> Self {
        tokio::time::pause();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("maglev.yaml");
        std::fs::write(&path, text).unwrap();
        let config = config::load(&path).unwrap().config;
        Self::start_from(Arc::new(FileSource::new(path)), (config, dir), arbiters, configure)
    }

    fn start_from(
        source: Arc<dyn ConfigSource>,
        (config, dir): (Config, tempfile::TempDir),
        arbiters: Vec<ArbiterHandle>,
        configure: impl FnOnce(Controller) -> Controller,
    ) -> Self {
        let broadcaster = Broadcaster::new(1, Limits::default(), LogDemand::default()).start();
        let recorded = Rc::default();
        let recorder = DesiredRecorder(Rc::clone(&recorded)).start();
        let recorder = Recipients {
            changed: recorder.clone().recipient(),
            replaced: recorder.clone().recipient(),
            progress: recorder.recipient(),
        };
        let events = EventBatcher::new(&broadcaster);
        let controller = Controller::new(source, config, arbiters, events, recorder);
        let controller = configure(controller).start();
        Self { dir, controller, broadcaster, recorded }
    }

    /// Waits, for at most an hour of paused time, until this is the last message that the
    /// Reconciler received.
    async fn until(&self, last: &str) {
        for _ in 0..36_000 {
            if self.recorded.borrow().last().is_some_and(|recorded| recorded == last) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("no {last:?} in {:#?}", self.recorded.borrow());
    }

    fn take_recorded(&self) -> Vec<String> {
        std::mem::take(&mut self.recorded.borrow_mut())
    }

    async fn administer(&self, backend: &str, command: AdminCommand) -> Result<(), CommandRefused> {
        let (backend, given) = (backend.into(), by_a_test(None));
        let message = AdministerBackend { backend, command, given };
        self.controller.send(message).await.unwrap().map_err(refused)
    }

    async fn backend(&self, name: &str) -> Result<(BackendView, ProbeReading), CommandRefused> {
        self.controller.send(GetBackend(name.into())).await.unwrap()
    }

    async fn state(&self, name: &str) -> State {
        self.backend(name).await.unwrap().0.state
    }

    async fn reload(&self, text: &str) -> Result<(), LoadFailed> {
        std::fs::write(self.dir.path().join("maglev.yaml"), text).unwrap();
        self.controller.send(Reload::default()).await.unwrap()
    }

    async fn set_weight(&self, weight: i64) -> Result<Generation, CommandRefused> {
        let weight = Weight::try_from(weight).unwrap();
        let (frontend, pool, backend) = ("web".into(), "p".into(), "b2".into());
        let (weight, given) = (Some(weight), by_a_test(None));
        let message = SetWeight { frontend, pool, backend, weight, given };
        self.controller.send(message).await.unwrap().map_err(refused)
    }
}

const AN_HOUR: Duration = Duration::from_secs(3600);

#[actix_rt::test]
async fn a_pause_and_a_disable_stop_the_probes_at_once() {
    let server = ScriptedServer::serving(2);
    let bed = ControllerTestBed::start(&file(&[(&server, "tcp", 100)]));
    bed.until("probed web 2=100").await;
    server.probes();
    for (stop, start, state) in [
        (AdminCommand::Pause, AdminCommand::Resume, State::Paused),
        (AdminCommand::Disable, AdminCommand::Enable, State::Disabled),
    ] {
        bed.administer("b2", stop).await.unwrap();
        // When the command is answered, it has taken effect.
        assert_eq!(bed.state("b2").await, state);
        assert_eq!(bed.recorded.borrow().last().unwrap(), "probed web 2=0");
        server.probes();
        tokio::time::sleep(AN_HOUR).await;
        assert_eq!(server.probes(), 0, "{state}");
        bed.administer("b2", start).await.unwrap();
        bed.until("probed web 2=100").await;
        assert_eq!(bed.state("b2").await, State::Up);
        assert!(server.probes() > 0);
    }
    let unknown = bed.administer("ghost", AdminCommand::Pause).await;
    assert_eq!(unknown, Err(CommandRefused::NoBackend("ghost".into())));
}

#[actix_rt::test]
async fn a_backend_that_is_still_unknown_after_startup_max_delay_counts_as_down() {
    let server = ScriptedServer::silent(2);
    let text = file(&[(&server, "http", 100)]).replace("timeout: 5s", "timeout: 1h");
    let bed = ControllerTestBed::start(&text);
    tokio::time::sleep(Duration::from_secs(29)).await;
    assert_eq!(bed.take_recorded(), ["all web 2=?"]);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(bed.take_recorded(), ["changed web 2=0"]);
    assert_eq!(bed.state("b2").await, State::Unknown);
}

#[actix_rt::test]
async fn a_reload_stops_starts_and_keeps_probers() {
    let [kept, left, new] = [2, 3, 4].map(ScriptedServer::serving);
    let bed = ControllerTestBed::start(&file(&[(&kept, "tcp", 100), (&left, "tcp", 100)]));
    bed.until("probed web 2=100 3=100").await;
    let (before, _) = bed.backend("b2").await.unwrap();
    bed.take_recorded();

    bed.reload(&file(&[(&kept, "tcp", 100), (&new, "tcp", 100)])).await.unwrap();
    bed.until("probed web 2=100 4=100").await;
    assert_eq!(bed.take_recorded()[0], "all web 2=100 4=?");
    // It may have been probed meanwhile.
    assert_eq!(bed.backend("b2").await.unwrap().0, before);
    assert_eq!(bed.backend("b3").await, Err(CommandRefused::NoBackend("b3".into())));
    kept.probes();
    left.probes();
    tokio::time::sleep(AN_HOUR).await;
    assert_eq!(left.probes(), 0);
    assert!(kept.probes() > 0);
}

#[actix_rt::test]
async fn a_file_with_faults_changes_nothing() {
    let server = ScriptedServer::serving(2);
    let good = file(&[(&server, "tcp", 100)]);
    let bed = ControllerTestBed::start(&good);
    bed.until("probed web 2=100").await;
    bed.take_recorded();
    let before = bed.backend("b2").await.unwrap();
    for (bad, part) in [
        (good.replace("rise: 2", "rise: 0"), "healthchecks.c2.rise"),
        (good.replace("rise: 2", "rise: two"), "line 4, column"),
    ] {
        let failed = bed.reload(&bad).await.unwrap_err().to_string();
        assert!(failed.contains(part), "{failed}");
        let checked = bed.controller.send(CheckConfig).await.unwrap().unwrap_err().to_string();
        assert_eq!(checked, failed);
    }
    assert_eq!(bed.backend("b2").await.unwrap(), before);
    assert_eq!(bed.take_recorded(), [""; 0]);
}
