//! Drains of a running daemon: what VPP is told, what is counted and shown, and how
//! `drain … wait` ends.

use std::process::{Command, Output, Stdio};

use crate::support::wait::{DEADLINE, eventually};
use crate::support::{Daemon, Dataplane, TestBed, get, metrics_address, sample};
use vpp_maglev::pb::{BackendInfo, GetBackendRequest, WatchRequest};
use vpp_maglev::vpp::embedded::plugin::{PluginApi, PluginVipKey};
use vpp_maglev::vpp::embedded::{EmbeddedOptions, WriteRequest};

/// A daemon whose backends `a` and `b` serve `v4`, and VPP.
async fn started(bed: &mut TestBed, flags: &[&str]) -> (Dataplane, Daemon) {
    let dataplane = bed.dataplane();
    let daemon = bed.start_with(flags).await;
    daemon.all(&["a", "b"], "up").await;
    dataplane.until("v4 a=100 b=100").await;
    dataplane.writes();
    (dataplane, daemon)
}

fn bed() -> TestBed {
    TestBed::new(&["a", "b"]).configured(|config| config.frontend("v4", "192.0.2.80", &["a b"]))
}

/// The VIP in VPP, and its two servers: `a` and `b`.
fn servers(dataplane: &Dataplane) -> (PluginVipKey, u128, u128) {
    let snapshot = dataplane.control.snapshot().unwrap();
    let mut addresses: Vec<u128> = snapshot.servers.iter().map(|row| row.address).collect();
    addresses.sort_unstable();
    (snapshot.vips[0].key, addresses[0], addresses[1])
}

/// Puts so many flows on `a`.
fn put_flows(dataplane: &Dataplane, flows: u64) {
    let (vip, a, _) = servers(dataplane);
    dataplane.control.edit(move |plugin, _| plugin.put_flows(vip, a, flows)).unwrap().unwrap();
}

/// Has new flows to `b` take the places of so many of `a`.
fn reuse(dataplane: &Dataplane, flows: u64) {
    let (vip, a, b) = servers(dataplane);
    let reused = dataplane.control.edit(move |plugin, _| plugin.reuse_entries(vip, (a, b), flows));
    reused.unwrap().unwrap();
}

fn maglevc(daemon: &Daemon, command: &str) -> Command {
    let mut maglevc = Command::new(env!("CARGO_BIN_EXE_maglevc"));
    maglevc.args(["--server", &daemon.address()]).args(command.split(' '));
    maglevc.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    maglevc
}

async fn ran(daemon: &Daemon, command: &str) -> (i32, String, String) {
    let mut command = maglevc(daemon, command);
    let ended = tokio::task::spawn_blocking(move || command.output()).await.unwrap();
    texts(&ended.unwrap())
}

fn texts(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

async fn backend(daemon: &Daemon) -> BackendInfo {
    let request = GetBackendRequest { name: "a".into() };
    daemon.client().await.get_backend(request).await.unwrap().into_inner()
}

/// Waits until so many flows of `a` were counted.
async fn until_counted(daemon: &Daemon, flows: u64) {
    eventually(&format!("{flows} flows"), DEADLINE, async || {
        backend(daemon).await.drain.is_some_and(|drain| drain.flows == Some(flows))
    })
    .await;
}

#[tokio::test]
async fn a_drain_takes_new_flows_away_and_is_over_when_no_flow_is_left() {
    let mut bed = bed();
    let (dataplane, mut daemon) = started(&mut bed, &["--metrics-addr", "127.0.0.1:0"]).await;
    let metrics = metrics_address(&mut daemon).await;
    put_flows(&dataplane, 40);
    let drains = WatchRequest {
        log: Some(false),
        backend: Some(false),
        frontend: Some(false),
        dataplane: Some(false),
        drain: Some(true),
        ..WatchRequest::default()
    };
    let mut watch = daemon.watch_as(drains.clone()).await;

    let (status, out, err) = ran(&daemon, "drain backend a timeout 1h").await;
    assert_eq!((status, out.as_str(), err.as_str()), (0, "a is draining, written\n", ""));
    watch.until("drain a draining ?").await;
    assert_eq!(dataplane.writes(), ["v4 a 0"], "its flows are kept");
    until_counted(&daemon, 40).await;
    let info = backend(&daemon).await;
    let drain = info.drain.unwrap();
    assert_eq!((info.state.as_str(), drain.phase.as_str()), ("paused", "draining"));
    assert_eq!((drain.first_flows, drain.frontends.len()), (Some(40), 1));
    assert_eq!((drain.timeout_ns, drain.flush), (3_600_000_000_000, false));
    assert!(drain.left_ns.is_some() && drain.uncounted.is_empty());
    let series = "maglev_drain_flows{backend=\"a\"}";
    assert_eq!(sample(&metrics, series).await, "40");
    let (_, shown, _) = ran(&daemon, "show backend a").await;
    assert!(shown.contains("draining for ") && shown.contains(": 40 flows"), "{shown}");
    let (_, listed, _) = ran(&daemon, "show backends").await;
    assert!(listed.contains(" draining*"), "no drain to be told from a pause: {listed}");
    // Whoever comes now learns of it with the present state.
    daemon.watch_as(drains).await.until("drain a draining ?").await;

    reuse(&dataplane, 15);
    until_counted(&daemon, 25).await;
    reuse(&dataplane, 25);
    watch.until("drain a drained 0").await;
    let drain = backend(&daemon).await.drain.unwrap();
    assert_eq!((drain.phase.as_str(), drain.flows), ("drained", Some(0)));
    daemon.logged("backend-drain").await;

    let (status, out, _) = ran(&daemon, "undrain backend a").await;
    assert_eq!(status, 0, "{out}");
    watch.until("drain a ended 0").await;
    dataplane.until("v4 a=100 b=100").await;
    assert_eq!(dataplane.writes(), ["v4 a 100"]);
    assert_eq!(backend(&daemon).await.drain, None);
    assert!(!get(&metrics, "/metrics").await.1.contains("maglev_drain_flows{"));
    let (status, _, err) = ran(&daemon, "undrain backend a").await;
    assert_eq!((status, err.as_str()), (1, "backend \"a\" is not drained\n"));
    daemon.terminate().await;
}

#[tokio::test]
async fn a_script_learns_by_the_exit_status_how_a_drain_ended() {
    let mut bed = bed();
    let (dataplane, mut daemon) = started(&mut bed, &[]).await;
    put_flows(&dataplane, 3);

    let (status, _, err) = ran(&daemon, "drain backend a timeout 3s wait").await;
    let late = "a was not drained within 3s: 3 flows are left";
    assert_eq!((status, err.lines().last()), (1, Some(late)), "{err}");
    assert_eq!(dataplane.writes(), ["v4 a 0"]);
    daemon.logged_as("an overdue drain", |record| record["phase"] == "overdue").await;

    let command = "drain backend a timeout 1s then flush wait";
    let (status, out, err) = ran(&daemon, command).await;
    assert_eq!((status, out.as_str()), (0, "a is drained, written\n"), "{err}");
    assert_eq!(dataplane.writes(), ["v4 a 0 flush"]);
    assert!(err.starts_with("a: draining for "), "{err}");

    put_flows(&dataplane, 2);
    let waiting = maglevc(&daemon, "--output json drain backend a wait").spawn().unwrap();
    until_counted(&daemon, 2).await;
    reuse(&dataplane, 2);
    let ended = tokio::task::spawn_blocking(|| waiting.wait_with_output()).await.unwrap();
    let (status, out, err) = texts(&ended.unwrap());
    assert_eq!(status, 0, "{err}");
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&json["state"], &json["drain"]["phase"]), (&"paused".into(), &"drained".into()));

    put_flows(&dataplane, 1);
    let waiting = maglevc(&daemon, "drain backend a wait").spawn().unwrap();
    until_counted(&daemon, 1).await;
    assert_eq!(ran(&daemon, "set backend a resume").await.0, 0);
    let ended = tokio::task::spawn_blocking(|| waiting.wait_with_output()).await.unwrap();
    let (status, _, err) = texts(&ended.unwrap());
    assert_eq!(status, 1, "{err}");
    assert!(err.contains("the drain of a was ended before no flow was left"), "{err}");

    let waiting = maglevc(&daemon, "drain backend a wait").spawn().unwrap();
    until_counted(&daemon, 1).await;
    daemon.terminate().await;
    let ended = tokio::task::spawn_blocking(|| waiting.wait_with_output()).await.unwrap();
    let (status, _, err) = texts(&ended.unwrap());
    assert_eq!(status, 3, "{err}");
}

#[tokio::test]
async fn a_drain_is_over_though_vpp_still_counts_flows_that_have_timed_out() {
    for api in [PluginApi::V1_2, PluginApi::V1_1] {
        let mut bed = TestBed::new(&["a", "b"])
            .configured(|config| config.frontend("v4", "192.0.2.80", &["a b"]).flow_timeout("4s"));
        let dataplane = bed.dataplane_with(EmbeddedOptions { api, ..EmbeddedOptions::default() });
        let mut daemon = bed.start().await;
        daemon.all(&["a", "b"], "up").await;
        let weights = if api == PluginApi::V1_2 { "v4 a=100 b=100" } else { "v4 a=1 b=1" };
        dataplane.until(weights).await;
        put_flows(&dataplane, 40);
        let server = servers(&dataplane).1;
        let waiting = maglevc(&daemon, "drain backend a wait").spawn().unwrap();
        until_counted(&daemon, 40).await;
        // As long as packets come, none has timed out for certain.
        for _ in 0..2 {
            let quiet_ns = async || backend(&daemon).await.drain.unwrap().quiet_ns.unwrap();
            let (short, long) = (1_000_000_000, 1_500_000_000);
            eventually("it is quiet", DEADLINE, async || quiet_ns().await > long).await;
            dataplane.control.edit(move |plugin, _| plugin.send_packets(server, 10)).unwrap();
            eventually("packets are seen", DEADLINE, async || quiet_ns().await < short).await;
            assert_eq!(backend(&daemon).await.drain.unwrap().phase, "draining");
        }
        let ended = tokio::task::spawn_blocking(|| waiting.wait_with_output()).await.unwrap();
        let (status, out, err) = texts(&ended.unwrap());
        assert_eq!((status, out.as_str()), (0, "a is drained, written\n"), "{err}");
        let drain = backend(&daemon).await.drain.unwrap();
        assert_eq!((drain.flows, drain.first_flows, drain.quiet_ns), (Some(0), Some(40), None));
        let drained = |record: &serde_json::Value| record["phase"] == "drained";
        let why = daemon.logged_as("it is drained", drained).await["why"].to_string();
        assert!(why.contains("VPP still counts 40 flows, which have timed out"), "{why}");
        daemon.terminate().await;
    }
}

#[tokio::test]
async fn without_weights_the_flows_of_the_server_that_was_removed_are_counted() {
    let mut bed = bed();
    let options = EmbeddedOptions { api: PluginApi::V1_1, ..EmbeddedOptions::default() };
    let dataplane = bed.dataplane_with(options);
    let daemon = bed.start().await;
    daemon.all(&["a", "b"], "up").await;
    dataplane.until("v4 a=1 b=1").await;
    put_flows(&dataplane, 40);
    dataplane.control.take_writes().unwrap();
    let flushes = || {
        let writes = dataplane.control.take_writes().unwrap();
        let removals = writes.iter().filter_map(|write| match write.write {
            WriteRequest::Server(server) => Some((write.retval, server.is_flush)),
            _ => None,
        });
        removals.collect::<Vec<_>>()
    };

    assert_eq!(ran(&daemon, "drain backend a timeout 1h").await.0, 0);
    dataplane.until("v4 b=1").await;
    until_counted(&daemon, 40).await;
    assert_eq!(flushes(), [(0, false)]);
    let (_, explained, _) = ran(&daemon, "explain backend a").await;
    assert!(explained.contains("keeps its established flows"), "{explained}");
    reuse(&dataplane, 15);
    until_counted(&daemon, 25).await;

    let (status, out, err) = ran(&daemon, "drain backend a timeout 1s then flush wait").await;
    assert_eq!((status, out.as_str()), (0, "a is drained, written\n"), "{err}");
    assert_eq!(flushes(), [(0, true)]);
    assert_eq!(ran(&daemon, "undrain backend a").await.0, 0);
    dataplane.until("v4 a=1 b=1").await;
    daemon.terminate().await;
}

#[tokio::test]
async fn flows_are_not_taken_for_none_while_vpp_is_away() {
    let mut bed = bed();
    let (dataplane, daemon) = started(&mut bed, &[]).await;
    put_flows(&dataplane, 4);
    assert_eq!(ran(&daemon, "drain backend a").await.0, 0);
    until_counted(&daemon, 4).await;
    dataplane.control.stop().unwrap();
    eventually("the drain says that VPP is away", DEADLINE, async || {
        let drain = backend(&daemon).await.drain.unwrap();
        assert_eq!((drain.phase.as_str(), drain.flows), ("draining", Some(4)));
        drain.uncounted.contains("not connected") || drain.uncounted.contains("not confirmed")
    })
    .await;
    // Its flows went with the VPP that had them.
    dataplane.control.restart().unwrap();
    eventually("it is over", DEADLINE, async || {
        backend(&daemon).await.drain.unwrap().phase == "drained"
    })
    .await;
    dataplane.until("v4 a=0 b=100").await;
    daemon.terminate().await;
}
