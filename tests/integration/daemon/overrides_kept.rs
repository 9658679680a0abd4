//! Overrides over restarts: what is in force again, files that are cut off.

use std::path::Path;

use rustix::process::Signal;
use vpp_maglev::pb::{
    BackendRequest, DrainBackendRequest, DrainInfo, GetBackendRequest, GetOverridesRequest,
    GetOverridesResponse,
};

use crate::support::wait::{DEADLINE, eventually};
use crate::support::{Daemon, TestBed, ran};

/// Backends that nobody probes, in one pool: the daemon is up at once.
const UNPROBED: &str = "maglev:
  vpp: {lb: {ipv4-src-address: 192.0.2.1, ipv6-src-address: \"2001:db8::1\"}}
  healthchecks: {}
  backends:
    a: {address: 192.0.2.10}
    b: {address: 192.0.2.11}
    c: {address: 192.0.2.12}
  frontends:
    web:
      address: 192.0.2.80
      pools:
        - name: p
          backends: {a: {weight: 100}, b: {weight: 100}, c: {weight: 100}}
";

pub(super) const FILE: &str = "overrides.json";

pub(super) fn bed() -> TestBed {
    TestBed::with_text(UNPROBED).vpp("embedded")
}

pub(super) async fn start(bed: &TestBed, state: &Path) -> Daemon {
    bed.start_with(&["--state-dir", state.to_str().unwrap()]).await
}

pub(super) async fn listing(daemon: &Daemon) -> GetOverridesResponse {
    let mut client = daemon.client().await;
    client.get_overrides(GetOverridesRequest {}).await.unwrap().into_inner()
}

pub(super) fn request(name: &str) -> BackendRequest {
    BackendRequest { name: name.into(), ..BackendRequest::default() }
}

/// A daemon, ended as by kill -9.
pub(super) async fn killed(mut daemon: Daemon) {
    daemon.signal(Signal::KILL);
    daemon.ended().await;
}

#[tokio::test]
async fn a_paused_backend_gets_no_weight_over_a_restart() {
    let mut bed = TestBed::new(&["a", "b"]).pools(&["a b"]);
    let dataplane = bed.dataplane();
    let state = bed.dir().join("state");
    let daemon = start(&bed, &state).await;
    daemon.all(&["a", "b"], "up").await;
    let mut client = daemon.client().await;
    client.pause_backend(request("a")).await.unwrap();
    dataplane.until_both("a=0 b=100").await;
    killed(daemon).await;
    // Both restart, VPP empty: all that is written is seen.
    dataplane.control.restart().unwrap();
    dataplane.writes();
    let daemon = start(&bed, &state).await;
    dataplane.until_both("a=0 b=100").await;
    daemon.all(&["b"], "up").await;
    daemon.all(&["a"], "paused").await;
    let of_a: Vec<_> = dataplane.writes().into_iter().filter(|it| it.contains(" a ")).collect();
    assert_eq!(of_a, ["+v4 a 0", "+v6 a 0"]);
    client = daemon.client().await;
    client.unset_backend(request("a")).await.unwrap();
    dataplane.until_both("a=100 b=100").await;
    daemon.terminate().await;
    // What was unset is not back.
    let daemon = start(&bed, &state).await;
    assert_eq!(listing(&daemon).await.overrides, []);
    daemon.terminate().await;
}

#[tokio::test]
async fn a_drain_goes_on_over_a_restart() {
    let bed = bed();
    let state = bed.dir().join("state");
    let daemon = start(&bed, &state).await;
    let mut client = daemon.client().await;
    let order = DrainBackendRequest {
        name: "a".into(),
        timeout_ns: 3_600_000_000_000,
        flush: true,
        why: "kernel upgrade".into(),
        ..DrainBackendRequest::default()
    };
    let before = client.drain_backend(order).await.unwrap().into_inner().drain.unwrap();
    killed(daemon).await;
    let daemon = start(&bed, &state).await;
    let mut client = daemon.client().await;
    let a = GetBackendRequest { name: "a".into() };
    let after = client.get_backend(a.clone()).await.unwrap().into_inner().drain.unwrap();
    let terms = |it: &DrainInfo| (it.who.clone(), it.since_unix_ns, it.timeout_ns, it.flush);
    assert_eq!(terms(&after), terms(&before));
    assert!(after.lasted_ns >= before.lasted_ns && after.left_ns < before.left_ns);
    assert_eq!(listing(&daemon).await.overrides[0].why, "kernel upgrade");
    // It ends as ever: no flow is left, and somebody resumes the backend.
    eventually("it is drained", DEADLINE, async || {
        let backend = daemon.client().await.get_backend(a.clone()).await.unwrap().into_inner();
        backend.drain.unwrap().phase == "drained"
    })
    .await;
    client.undrain_backend(request("a")).await.unwrap();
    killed(daemon).await;
    let daemon = start(&bed, &state).await;
    daemon.all(&["a"], "up").await;
    let backend = daemon.client().await.get_backend(a).await.unwrap().into_inner();
    assert_eq!(backend.drain, None);
    daemon.terminate().await;
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_set_aside_and_the_daemon_starts() {
    let bed = bed();
    let state = bed.dir().join("state");
    let mut daemon = start(&bed, &state).await;
    daemon.client().await.pause_backend(request("a")).await.unwrap();
    daemon.logged("override-set").await;
    daemon.terminate().await;
    let file = state.join(FILE);
    let whole = std::fs::read(&file).unwrap();
    for (number, length) in [0, 1, whole.len() / 2, whole.len() - 2].into_iter().enumerate() {
        std::fs::write(&file, &whole[..length]).unwrap();
        let mut daemon = start(&bed, &state).await;
        let record = "overrides-set-aside: the file cannot be used, and no override is in force";
        let aside = state.join(format!("{FILE}.aside-{}", number + 1));
        assert_eq!(daemon.logged(record).await["set_aside"], aside.to_str().unwrap());
        assert_eq!(listing(&daemon).await.overrides, []);
        daemon.terminate().await;
        assert_eq!(std::fs::read(aside).unwrap(), whole[..length]);
    }
    // Of a newer version, whatever it says.
    let newer = String::from_utf8(whole).unwrap().replace("\"version\": 1", "\"version\": 4");
    std::fs::write(&file, newer).unwrap();
    let mut daemon = start(&bed, &state).await;
    let told = daemon.logged_as("why", |record| record["why"].is_string()).await;
    assert_eq!(told["why"], "it is of version 4, and this maglevd reads versions 1 to 3");
    daemon.client().await.pause_backend(request("b")).await.unwrap();
    daemon.terminate().await;
    let daemon = start(&bed, &state).await;
    assert_eq!(listing(&daemon).await.overrides[0].backend_name, "b");
    daemon.terminate().await;
}

#[tokio::test]
async fn what_the_file_has_no_more_is_dropped_and_told_at_the_start() {
    let bed = bed();
    let state = bed.dir().join("state");
    let daemon = start(&bed, &state).await;
    let mut client = daemon.client().await;
    client.pause_backend(request("a")).await.unwrap();
    client.pause_backend(request("b")).await.unwrap();
    client.pause_backend(BackendRequest { for_ns: 1, ..request("c") }).await.unwrap();
    daemon.terminate().await;
    let other =
        UNPROBED.replace("    a: {address: 192.0.2.10}\n", "").replace("a: {weight: 100}, ", "");
    let bed_of_other = TestBed::with_text(other).vpp("embedded");
    let mut daemon = start(&bed_of_other, &state).await;
    let dropped = "override-dropped: the file now says something else, or has no such item";
    assert_eq!(daemon.logged(dropped).await["what"], "paused of backend a");
    let backends: Vec<_> =
        listing(&daemon).await.overrides.into_iter().map(|it| it.backend_name).collect();
    assert_eq!(backends, ["b"]);
    daemon.terminate().await;
}

#[tokio::test]
async fn one_daemon_uses_a_state_directory_and_only_if_it_is_asked_to() {
    let bed = bed();
    let state = bed.dir().join("state");
    let daemon = start(&bed, &state).await;
    assert!(listing(&daemon).await.kept);
    let mut second = bed.command();
    second.args(["--grpc-addr", "127.0.0.1:0", "--state-dir"]).arg(&state);
    let (status, _, error) = ran(&mut second).await;
    assert_eq!(status, 1, "{error}");
    assert!(error.contains("state: ") || error.contains("is in use by another maglevd"), "{error}");
    daemon.terminate().await;

    let made = bed.dir().join("made-by-systemd");
    let kept = async |flags: &[&str]| {
        let mut command = bed.command();
        command.args(["--grpc-addr", "127.0.0.1:0"]).args(flags);
        command.env("STATE_DIRECTORY", format!("{}:/elsewhere", made.display()));
        let daemon = bed.run(&mut command).await;
        let kept = listing(&daemon).await.kept;
        daemon.terminate().await;
        kept
    };
    assert!(!kept(&["--state-dir="]).await && !kept(&["--demo"]).await && !made.exists());
    assert!(kept(&[]).await && made.exists());
    // Without any of them.
    let daemon = bed.start().await;
    assert!(!listing(&daemon).await.kept);
    daemon.client().await.pause_backend(request("a")).await.unwrap();
    daemon.terminate().await;
    let daemon = bed.start().await;
    assert_eq!(listing(&daemon).await.overrides, []);
    daemon.terminate().await;
}
