//! The configuration file from the outside: `--check`, SIGHUP, and the RPCs
//! that check and reload.

use std::path::Path;

use crate::support::{Backend, Config, Daemon, Dataplane, TestBed, maglevd, ran, soon};
use rustix::process::Signal;
use vpp_maglev::pb::{
    BackendInfo, CheckConfigRequest, CheckConfigResponse, GetBackendRequest, ListBackendsRequest,
    ReloadConfigRequest, ReloadConfigResponse, WatchRequest,
};

/// Exit status, standard output and standard error of `--check`.
async fn check(path: &Path) -> (i32, String, String) {
    let dir = tempfile::tempdir().unwrap();
    ran(maglevd(dir.path()).arg("--check").arg("--config").arg(path)).await
}

async fn check_text(text: &str) -> (i32, String) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("maglev.yaml");
    std::fs::write(&path, text).unwrap();
    let (status, out, err) = check(&path).await;
    assert_eq!(out, "");
    (status, err.replace(path.to_str().unwrap(), "FILE"))
}

#[tokio::test]
async fn check_accepts_the_examples() {
    for name in ["maglev.yaml", "demo.yaml"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join(name);
        let (status, out, err) = check(&path).await;
        let valid = format!("\"{}: valid\"\n", path.display());
        assert_eq!((status, out, err), (0, valid, String::new()));
    }
}

#[tokio::test]
async fn check_tells_a_slip_of_yaml_by_line_and_column() {
    let text = "maglev:\n  backends:\n    a:\n      address: 192.0.2.1\n      enabled: maybe\n";
    let (status, err) = check_text(text).await;
    assert_eq!(status, 1);
    assert!(err.starts_with("FILE: line 5, column 16: maglev.backends.a.enabled: "), "{err}");
    assert_eq!(err.lines().count(), 1, "{err}");
}

#[tokio::test]
async fn check_tells_of_a_file_that_is_not_there() {
    let (status, out, err) = check(Path::new("/nowhere/maglev.yaml")).await;
    assert_eq!((status, out.as_str(), err.lines().count()), (1, "", 1), "{err}");
    assert!(err.contains("/nowhere/maglev.yaml"), "{err}");
}

#[tokio::test]
async fn check_names_every_broken_rule() {
    let a = Backend::stopped("a");
    let good = Config::of([&a]).frontend("v4", "192.0.2.80", &["a", "ghost"]);
    let text = good.text().replace("sync-interval: 1h", "sync-interval: 0s");
    let text = text.replace("rise: 2", "rise: 0");
    let (status, err) = check_text(&text).await;
    let paths: Vec<_> = err.lines().map(|line| line.split(": ").nth(1).unwrap()).collect();
    let expected =
        ["vpp.lb.sync-interval", "healthchecks.a.rise", "frontends.v4.pools[1].backends.ghost"];
    assert_eq!((status, paths), (2, expected.to_vec()), "{err}");
}

/// A daemon with backends `a` to `c`, of which `c` is about to go down for a
/// very long time.
struct Reloading {
    daemon: Daemon,
    dataplane: Dataplane,
    bed: TestBed,
}

/// Fails so often before it is down that its counter shows whether the prober
/// goes on or starts anew.
const SLOW_TO_FALL: &str = "interval: 200ms, timeout: 20s, rise: 1, fall: 1000";

impl Reloading {
    async fn start() -> Self {
        let mut bed = TestBed::new(&["a", "b", "c", "d"])
            .configured(|config| config.without("d").check("c", SLOW_TO_FALL).both(&["a b c"]));
        let dataplane = bed.dataplane();
        let daemon = bed.start().await;
        daemon.all(&["a", "b", "c"], "up").await;
        dataplane.until_both("a=100 b=100 c=100").await;
        dataplane.writes();
        Self { daemon, dataplane, bed }
    }

    async fn backend(&self, name: &str) -> BackendInfo {
        let request = GetBackendRequest { name: name.into() };
        let backend = self.daemon.client().await.get_backend(request).await.unwrap().into_inner();
        // All but the moment of the answer, and the probes until then.
        BackendInfo { now_unix_ns: 0, probes: vec![], ..backend }
    }

    async fn names(&self) -> Vec<String> {
        let mut client = self.daemon.client().await;
        client.list_backends(ListBackendsRequest {}).await.unwrap().into_inner().backend_names
    }

    /// The next configuration: without `b`, with `d`, and `a` has another
    /// health check.
    fn next(&self) -> Config {
        let config = self.bed.config().without("b").check("c", SLOW_TO_FALL);
        config.check("a", "interval: 60ms, timeout: 20s, rise: 3, fall: 3").both(&["a c d"])
    }

    async fn check(&self) -> CheckConfigResponse {
        let mut client = self.daemon.client().await;
        client.check_config(CheckConfigRequest {}).await.unwrap().into_inner()
    }

    async fn reload(&self) -> ReloadConfigResponse {
        let mut client = self.daemon.client().await;
        client.reload_config(ReloadConfigRequest::default()).await.unwrap().into_inner()
    }
}

#[tokio::test]
async fn sighup_starts_stops_and_keeps_probers() {
    let mut system = Reloading::start().await;
    system.daemon.published_up(&["frontend v6"]).await;
    let mut watch = system.daemon.watch().await;
    watch.until("frontend v6 up>up").await;
    // Some failures are counted, and none of them makes a verdict.
    system.bed.backends[2].stop().await;
    let request = WatchRequest { log_level: "debug".into(), ..WatchRequest::default() };
    let mut log = system.daemon.watch_as(request).await;
    log.until("log probe-done c: connection refused").await;
    let failing = system.backend("c").await;
    assert!(failing.counter < 1000);
    let kept = system.backend("a").await;

    system.bed.write_config(&system.next().text());
    system.daemon.signal(Signal::HUP);
    let done = system.daemon.logged("config-reload-done").await;
    assert_eq!((&done["backends"], &done["frontends"]), (&3.into(), &2.into()));
    let said = watch.until_all(&["backend b up>removed", "backend d unknown>up"]).await;
    // The others say nothing: they went on.
    let others = |text: &&String| text.starts_with("backend a") || text.starts_with("backend c");
    assert_eq!(said.iter().find(others), None);
    system.dataplane.until_both("a=100 c=100 d=100").await;
    let mut writes = system.dataplane.writes();
    writes.sort();
    let mut expected =
        ["+v4 d 0", "-v4 b", "v4 d 100", "+v6 d 0", "-v6 b", "v6 d 100"].map(str::to_owned);
    expected.sort();
    assert_eq!(writes, expected);

    assert_eq!(system.names().await, ["a", "c", "d"]);
    let after = system.backend("c").await;
    assert!((1..=failing.counter).contains(&after.counter), "{failing:?}\n{after:?}");
    assert_eq!(after.transitions, failing.transitions);
    // Another health check of the same server: the verdict and history stay,
    // the counter is the new check's.
    let after = system.backend("a").await;
    assert_eq!((after.state.as_str(), after.transitions), ("up", kept.transitions));
    assert_eq!((kept.counter, after.counter), (3, 5));
    // A removed backend is not probed any more, and a kept one is.
    let (mut a, removed) = (system.bed.backends[0].requests(), system.bed.backends[1].requests());
    let before = *removed.borrow();
    let enough = *a.borrow() + 5;
    soon(a.wait_for(|count| *count >= enough)).await.unwrap().unwrap();
    assert_eq!(*removed.borrow(), before);
    system.daemon.terminate().await;
}

#[tokio::test]
async fn a_broken_file_changes_nothing_and_the_log_says_why() {
    let mut system = Reloading::start().await;
    system.daemon.published_up(&["backend a", "backend b", "backend c", "frontend v6"]).await;
    let mut watch = system.daemon.watch().await;
    watch.until("frontend v6 up>up").await;
    let before = system.backend("a").await;
    let good = system.next().text();
    let path = system.bed.dir().join("maglev.yaml");

    // Several times, so that every fault is logged anew.
    let faults = [
        (good.replace("rise: 3", "rise: none"), "line 11, column"),
        (good.replace("fall: 3", "fall: 0"), "healthchecks.a.fall"),
        ("{}\n".to_owned(), "missing field `maglev`"),
    ];
    for (text, expected) in &faults {
        std::fs::write(&path, text).unwrap();
        system.daemon.signal(Signal::HUP);
        let says_why = |record: &serde_json::Value| {
            let fault = record["fault"].as_str().unwrap_or_default();
            record["msg"] == "config-check-failed" && fault.contains(expected)
        };
        system.daemon.logged_as(expected, says_why).await;
    }
    assert_eq!(system.daemon.records("config-reload-done"), Vec::<serde_json::Value>::new());
    assert_eq!(system.names().await, ["a", "b", "c"]);
    assert_eq!(system.backend("a").await, before);
    assert_eq!(system.dataplane.writes(), Vec::<String>::new());

    // Nothing was said of any backend until a file is good again.
    std::fs::write(&path, &good).unwrap();
    system.daemon.signal(Signal::HUP);
    let mut said = watch.until("backend b up>removed").await;
    // The last writes of the start may have been published later.
    said.retain(|event| !event.starts_with("dataplane "));
    assert_eq!(said, Vec::<String>::new());
    system.daemon.terminate().await;
}

#[tokio::test]
async fn the_rpcs_check_and_reload_as_sighup_does() {
    let system = Reloading::start().await;
    let good = system.next().text();
    let path = system.bed.dir().join("maglev.yaml");
    for (text, parses) in
        [(good.replace("rise: 3", "rise: none"), false), (good.replace("fall: 3", "fall: 0"), true)]
    {
        std::fs::write(&path, text).unwrap();
        let checked = system.check().await;
        let reloaded = system.reload().await;
        assert!(!checked.ok && !reloaded.ok);
        assert_eq!(checked.parse_error, reloaded.parse_error);
        assert_eq!(checked.semantic_error, reloaded.semantic_error);
        assert_eq!(reloaded.reload_error, "");
        if parses {
            assert_eq!(checked.parse_error, "");
            assert!(checked.semantic_error.contains("healthchecks.a.fall"), "{checked:?}");
        } else {
            assert_eq!(checked.semantic_error, "");
            assert!(checked.parse_error.contains("line 11, column"), "{checked:?}");
        }
        assert_eq!(system.names().await, ["a", "b", "c"]);
    }

    // A check alone uses nothing, and reports warnings.
    let unused = good.replace("            d: {weight: 100}\n", "");
    std::fs::write(&path, unused).unwrap();
    let checked = system.check().await;
    assert_eq!((checked.ok, checked.parse_error + &checked.semantic_error), (true, "".into()));
    assert!(checked.warnings.iter().any(|warning| warning.contains("backends.d")));
    assert_eq!(system.names().await, ["a", "b", "c"]);
    assert_eq!(system.dataplane.writes(), Vec::<String>::new());

    std::fs::write(&path, &good).unwrap();
    let reloaded = system.reload().await;
    assert_eq!(reloaded, ReloadConfigResponse { ok: true, ..ReloadConfigResponse::default() });
    assert_eq!(system.names().await, ["a", "c", "d"]);
    system.dataplane.until_both("a=100 c=100 d=100").await;
    system.daemon.terminate().await;
}
