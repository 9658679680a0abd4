//! Tests the order of reloads, and what they and a restart do to backends that VPP serves.

use std::fmt;

use super::*;
use crate::actors::controller::{GetConfig, GetOverview, GetProbes};
use crate::actors::reconciler::ServedObserved;
use crate::config::ConfigLoad;
use crate::domain::readiness::ReloadRefusal;

/// A source whose next load takes as long as its text says.
#[derive(Debug)]
struct SlowSource {
    /// The seconds that a load takes, and the text that it reads when it begins.
    text: Mutex<(u64, String)>,
    loads: AtomicUsize,
    running: Arc<AtomicUsize>,
}

impl fmt::Display for SlowSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("test://")
    }
}

impl ConfigSource for SlowSource {
    fn load(&self) -> ConfigLoad {
        let (seconds, text) = self.text.lock().unwrap().clone();
        self.loads.fetch_add(1, Relaxed);
        let running = Arc::clone(&self.running);
        assert_eq!(running.fetch_add(1, Relaxed), 0, "two loads at a time");
        Box::pin(async move {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            running.fetch_sub(1, Relaxed);
            config::parse(&text)
        })
    }

    fn changes(&self) -> Option<tokio::sync::watch::Receiver<()>> {
        None
    }
}

#[actix_rt::test]
async fn reloads_are_made_one_at_a_time_and_the_last_one_asked_for_wins() {
    tokio::time::pause();
    let server = ScriptedServer::serving(2);
    let text = |weight| file(&[(&server, "tcp", weight)]);
    let source = Arc::new(SlowSource {
        text: Mutex::new((0, text(1))),
        loads: AtomicUsize::new(0),
        running: Arc::default(),
    });
    let parts = (config::parse(&text(1)).unwrap().config, tempfile::tempdir().unwrap());
    let bed = ControllerTestBed::start_from(source.clone(), parts, vec![], |controller| {
        controller.with_fake_probe(fake_probe())
    });
    let set = |seconds, text: String| *source.text.lock().unwrap() = (seconds, text);
    let weight = async || {
        let config = bed.controller.send(GetConfig).await.unwrap();
        config.frontends["web"].pools[0].backends["b2"].get()
    };
    // One that takes long, and quick ones while it is loading.
    set(60, text(10));
    let slow = tokio::spawn(bed.controller.send(Reload::default()));
    tokio::time::sleep(Duration::from_secs(1)).await;
    set(0, text(20));
    let quick = tokio::spawn(bed.controller.send(Reload::default()));
    set(0, "maglev: nonsense".into());
    let refused = tokio::spawn(bed.controller.send(Reload::default()));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!((weight().await, source.loads.load(Relaxed)), (1, 1));
    set(0, text(30));
    let last = tokio::spawn(bed.controller.send(Reload::default()));
    for reload in [slow, quick, refused, last] {
        reload.await.unwrap().unwrap().unwrap();
    }
    assert_eq!((weight().await, source.loads.load(Relaxed)), (30, 2), "those that wait share one");
}

#[actix_rt::test]
async fn the_outcome_of_the_last_reload_is_known() {
    let server = ScriptedServer::serving(2);
    let good = file(&[(&server, "tcp", 100)]);
    let bed = ControllerTestBed::start(&good);
    let nothing = || GetOverview { backends: vec![], frontends: vec![] };
    let status = async || bed.controller.send(nothing()).await.unwrap().reload;
    let mut accepted = status().await;
    assert!(accepted.refusal.is_none());
    for bad in ["maglev: nonsense".to_owned(), good.replace("rise: 2", "rise: 0")] {
        bed.reload(&bad).await.unwrap_err();
        let refused = status().await;
        assert_eq!(
            (refused.refusal, refused.last_success),
            (Some(ReloadRefusal::Fault), accepted.last_success)
        );
        bed.reload(&good).await.unwrap();
        let again = status().await;
        assert!(again.refusal.is_none() && again.last_success > accepted.last_success);
        accepted = again;
    }
}

/// `b2` has another name.
fn renamed(text: &str) -> String {
    text.replace("b2:", "web2:")
}

#[actix_rt::test]
async fn a_reload_that_renames_a_backend_disturbs_no_traffic() {
    let server = ScriptedServer::serving(2);
    let text = file(&[(&server, "tcp", 100)]);
    let bed = ControllerTestBed::start(&text);
    bed.until("probed web 2=100").await;
    // The startup grace is over.
    tokio::time::sleep(Duration::from_secs(60)).await;
    bed.take_recorded();
    let probes = server.probes();
    let (before, reading) = bed.backend("b2").await.unwrap();
    bed.reload(&renamed(&text)).await.unwrap();
    let (after, taken_over) = bed.backend("web2").await.unwrap();
    assert_eq!((after.state, taken_over), (State::Up, reading), "counter and last result");
    let history: Vec<_> = after.transitions.iter().map(|it| &*it.why).collect();
    let mut expected: Vec<_> = before.transitions.iter().map(|it| &*it.why).collect();
    expected.push("renamed from b2");
    assert_eq!(history, expected);
    let name = "web2".into();
    let counted = bed.controller.send(GetProbes(vec![name])).await.unwrap();
    assert_eq!(counted.backends[0].stats.took.count(), probes as u64, "its probes as well");
    // It is probed within the fast interval, which is that of the file.
    tokio::time::sleep(Duration::from_secs(11)).await;
    assert!(server.probes() > 0);
    assert_eq!(bed.take_recorded(), ["all web 2=100"]);
}

#[actix_rt::test]
async fn a_renamed_backend_takes_over_what_its_prober_has_just_found() {
    let server = ScriptedServer::serving(2);
    let text = file(&[(&server, "tcp", 100)]);
    let bed = ControllerTestBed::start(&text);
    bed.until("probed web 2=100").await;
    let refusing = ScriptedServer::refusing(3);
    SERVERS.with(|servers| {
        let mut servers = servers.lock().unwrap();
        let refused = servers[&refusing.address].clone();
        servers.insert(server.address, refused);
    });
    // Many times, so that some reloads come between a report and its receipt.
    let texts = [renamed(&text), text.clone()];
    for text in texts.iter().cycle().take(40) {
        bed.reload(text).await.unwrap();
        tokio::time::sleep(Duration::from_millis(9_970)).await;
    }
    assert_eq!(bed.state("b2").await, State::Down);
}

/// `web2` replaces `b2` in its pool, and probes the same address in another way.
fn beside(text: &str) -> String {
    let check =
        "    other: {type: http, port: 80, interval: 10s, timeout: 1h, params: {path: /}}\n";
    let backend = "    web2: {address: 127.0.0.2, healthcheck: other}\n";
    text.replacen("  backends:\n", &format!("{check}  backends:\n{backend}"), 1)
        .replace("            b2:", "            web2:")
}

#[actix_rt::test]
async fn a_new_backend_whose_probes_hang_is_waited_for_where_vpp_serves_it_and_no_longer() {
    let (server, silent) = (ScriptedServer::serving(2), ScriptedServer::silent(3));
    let text = file(&[(&server, "tcp", 100)]);
    let bed = ControllerTestBed::start(&text);
    bed.until("probed web 2=100").await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    SERVERS.with(|servers| {
        let mut servers = servers.lock().unwrap();
        let hanging = servers[&silent.address].clone();
        servers.insert(server.address, hanging);
    });
    bed.reload(&beside(&text)).await.unwrap();
    bed.take_recorded();
    tokio::time::sleep(Duration::from_secs(29)).await;
    let earlier = bed.take_recorded();
    assert!(!earlier.iter().any(|recorded| recorded.ends_with("2=0")), "{earlier:?}");
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(bed.take_recorded(), ["changed web 2=0"]);
}

/// The number of failed probes after which a backend of a daemon that has just started
/// is down. `served`: what VPP is read to serve; `None`: it is not read.
async fn failures_until_down(served: Option<bool>) -> usize {
    let (server, witness) = (ScriptedServer::refusing(2), ScriptedServer::serving(3));
    let text = file(&[(&server, "tcp", 100), (&witness, "tcp", 100)]);
    // It passes between any two failures of the other.
    let often = "c3: {type: tcp, port: 80, interval: 100ms";
    let text = text.replace("c3: {type: tcp, port: 80, interval: 10s", often);
    let bed = ControllerTestBed::start_with(&text, |controller| {
        controller.with_fake_probe(fake_probe()).awaiting_vpp()
    });
    if let Some(served) = served {
        let addresses = served.then_some(server.address).into_iter().collect();
        bed.controller.send(ServedObserved(addresses)).await.unwrap();
    }
    // When the other one goes up, this one is probed once more.
    for _ in 0..100_000 {
        if bed.recorded.borrow().iter().any(|recorded| recorded.contains(" 2=0")) {
            return server.probes();
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("it is not down: {:#?}", bed.recorded.borrow());
}

#[actix_rt::test]
async fn a_backend_that_vpp_serves_needs_fall_failures_after_a_restart() {
    assert_eq!(failures_until_down(Some(true)).await, 2);
}

#[actix_rt::test]
async fn a_backend_that_vpp_may_be_serving_needs_fall_failures() {
    assert_eq!(failures_until_down(None).await, 2);
}

#[actix_rt::test]
async fn a_backend_that_vpp_does_not_serve_is_down_after_one_failure() {
    assert_eq!(failures_until_down(Some(false)).await, 1);
}

#[actix_rt::test]
async fn a_check_that_changes_for_all_backends_spreads_their_probes() {
    let servers: Vec<_> = (2..22).map(ScriptedServer::serving).collect();
    let each: Vec<_> = servers.iter().map(|server| (server, "tcp", 100)).collect();
    let text = file(&each);
    let bed = ControllerTestBed::start(&text);
    tokio::time::sleep(Duration::from_secs(60)).await;
    for server in &servers {
        server.probes();
    }
    bed.reload(&text.replace("timeout: 5s", "timeout: 4s")).await.unwrap();
    let mut busiest = 0;
    let mut all = 0;
    // The fast interval is 10 s.
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(505)).await;
        let probes = servers.iter().map(ScriptedServer::probes).sum();
        busiest = busiest.max(probes);
        all += probes;
    }
    assert!(all >= 20, "{all} probes: each is probed within the fast interval");
    assert!(busiest <= 10, "{busiest} of {all} probes in half a second");
}

#[actix_rt::test]
async fn an_operators_weight_stays_until_the_file_says_something_else() {
    let server = ScriptedServer::serving(2);
    let bed = ControllerTestBed::start(&file(&[(&server, "tcp", 100)]));
    bed.until("probed web 2=100").await;
    bed.set_weight(7).await.unwrap();
    bed.until("changed web 2=7").await;
    bed.reload(&file(&[(&server, "tcp", 100)])).await.unwrap();
    bed.until("all web 2=7").await;
    bed.reload(&file(&[(&server, "tcp", 50)])).await.unwrap();
    bed.until("changed web 2=50").await;
    // Sent twice: in the whole desired state, and as a change to be written at once.
    assert!(bed.take_recorded().contains(&"all web 2=50".to_owned()));
}
