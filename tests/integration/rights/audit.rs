//! Every change has an event and a record of the log: who, from where, what, why, and what
//! came of it.

use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::Signal;
use serde_json::Value;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use vpp_maglev::pb::event::Event as Kind;
use vpp_maglev::pb::maglev_client::MaglevClient;
use vpp_maglev::pb::*;

use super::calls::CHANGING;
use super::clients::RightsDaemon;
use crate::support::wait::{DEADLINE, eventually};
use crate::support::{Daemon, Names, TestBed, Watch, soon};

const WHY: &str = "kernel upgrade";

/// Each RPC that changes something, as it is done, what it asks for in words, and whether
/// it takes a reason.
const CASES: &[(&str, &str, bool)] = &[
    ("PauseBackend", "pause backend a for 1h", true),
    ("ResumeBackend", "resume backend a", true),
    ("DisableBackend", "disable backend a", true),
    ("EnableBackend", "enable backend a", true),
    ("UnsetBackend", "unset backend a", true),
    ("DrainBackend", "drain backend a timeout 10m", true),
    ("UndrainBackend", "undrain backend a", true),
    ("SetFrontendPoolBackendWeight", "set frontend v4 pool pool0 backend a weight 7", true),
    ("UnsetFrontendPoolBackendWeight", "unset frontend v4 pool pool0 backend a weight", true),
    ("ReloadConfig", "config reload", false),
    ("SyncVPPLBState", "sync vpp lb state v4", false),
];

async fn ask(channel: &Channel, method: &str, name: &str) -> Result<(), Status> {
    let mut client = MaglevClient::new(channel.clone());
    let why = WHY.to_owned();
    let (frontend, pool) = ("v4".to_owned(), "pool0".to_owned());
    let minute = 60_000_000_000;
    let of_backend = |for_ns| BackendRequest {
        name: name.into(),
        why: WHY.into(),
        for_ns,
        ..Default::default()
    };
    match method {
        "PauseBackend" => client.pause_backend(of_backend(60 * minute)).await.map(drop),
        "ResumeBackend" => client.resume_backend(of_backend(0)).await.map(drop),
        "DisableBackend" => client.disable_backend(of_backend(0)).await.map(drop),
        "EnableBackend" => client.enable_backend(of_backend(0)).await.map(drop),
        "UnsetBackend" => client.unset_backend(of_backend(0)).await.map(drop),
        "UndrainBackend" => client.undrain_backend(of_backend(0)).await.map(drop),
        "DrainBackend" => {
            let timeout_ns = 10 * minute;
            let name = name.into();
            let request = DrainBackendRequest { name, timeout_ns, why, ..Default::default() };
            client.drain_backend(request).await.map(drop)
        }
        "SetFrontendPoolBackendWeight" => {
            let (backend, weight) = (name.into(), 7);
            let request =
                SetWeightRequest { frontend, pool, backend, weight, why, ..Default::default() };
            client.set_frontend_pool_backend_weight(request).await.map(drop)
        }
        "UnsetFrontendPoolBackendWeight" => {
            let backend = name.into();
            let request = UnsetWeightRequest { frontend, pool, backend, why, ..Default::default() };
            client.unset_frontend_pool_backend_weight(request).await.map(drop)
        }
        "ReloadConfig" => client.reload_config(ReloadConfigRequest::default()).await.map(drop),
        "SyncVPPLBState" => {
            let frontend_name = Some(if name == "a" { "v4".into() } else { name.to_owned() });
            let request = SyncVpplbStateRequest { frontend_name, ..Default::default() };
            client.sync_vpplb_state(request).await.map(drop)
        }
        other => panic!("{other} is not in this test"),
    }
}

/// Nothing but the audit.
async fn audited(channel: &Channel, resume: Option<ResumePoint>) -> Watch {
    let no = Some(false);
    let request = WatchRequest {
        log: no,
        backend: no,
        frontend: no,
        dataplane: no,
        audit: Some(true),
        resume,
        ..WatchRequest::default()
    };
    let mut client = MaglevClient::new(channel.clone());
    let stream = client.watch_events(request).await.unwrap().into_inner();
    Watch::new(stream, Names::default())
}

async fn next(watch: &mut Watch) -> AuditEvent {
    watch.next().await.unwrap().unwrap();
    match watch.events.last().unwrap().event.clone() {
        Some(Kind::Audit(audit)) => *audit,
        other => panic!("{other:?}"),
    }
}

/// The record of the log that says the same as an event.
async fn record(system: &mut RightsDaemon, event: &AuditEvent) -> Value {
    let (what, outcome) = (event.what.clone(), event.outcome.clone());
    let who = event.who.clone();
    let is_its = move |line: &Value| {
        line["msg"] == "audit"
            && line["what"] == what.as_str()
            && line["outcome"] == outcome.as_str()
            && line["who"] == who.as_str()
    };
    system.daemon.logged_as("the audit's record", is_its).await
}

#[tokio::test]
async fn every_change_is_recorded_whatever_comes_of_it() {
    let mut told: Vec<&str> = CASES.iter().map(|(method, ..)| *method).collect();
    told.sort_unstable();
    // Orders take a daemon that announces: `announce::orders` looks at their records.
    let changing = CHANGING.iter().filter(|method| !method.ends_with("Announcement"));
    let changing: Vec<&str> = changing.copied().collect();
    assert_eq!(told, changing, "every RPC that changes something is in this test");

    let listeners = "127.0.0.1:0,role=operator,127.0.0.1:0,role=viewer";
    let mut system = RightsDaemon::start(listeners, "", &[]).await;
    let addresses = system.addresses();
    let (operator, viewer) = (system.tcp(0).await, system.tcp(1).await);
    system.daemon.all(&["a", "b"], "up").await;
    let mut watch = audited(&viewer, None).await;
    for (method, what, has_reason) in CASES {
        let why = if *has_reason { WHY } else { "" };
        let denied = ask(&viewer, method, "a").await.unwrap_err();
        assert_eq!(denied.code(), Code::PermissionDenied, "{method}: {denied}");
        ask(&operator, method, "a").await.unwrap_or_else(|error| panic!("{method}: {error}"));
        let no_such = *method != "ReloadConfig";
        if no_such {
            let refused = ask(&operator, method, "nobody").await.unwrap_err();
            assert_eq!(refused.code(), Code::NotFound, "{method}: {refused}");
        }
        let expected = [
            ("denied", "viewer", &addresses[1], denied.message()),
            ("done", "operator", &addresses[0], ""),
            ("refused", "operator", &addresses[0], ""),
        ];
        for (outcome, role, listener, detail) in &expected[..if no_such { 3 } else { 2 }] {
            let event = next(&mut watch).await;
            let said = (&*event.outcome, &*event.role, &event.listener, &*event.method);
            assert_eq!(said, (*outcome, *role, *listener, *method), "{event:?}");
            if *outcome == "refused" {
                assert!(event.what.contains("nobody") && !event.detail.is_empty(), "{event:?}");
            } else {
                assert_eq!((&*event.what, &*event.detail), (*what, *detail), "{event:?}");
            }
            assert_eq!(event.why, why, "{event:?}");
            assert!(event.who.starts_with("127.0.0.1:") && event.who == event.peer, "{event:?}");
            assert_eq!((&*event.identity, event.withheld), ("", 0), "{event:?}");
            assert!(event.at_unix_ns >= event.began_unix_ns && event.began_unix_ns > 0);
            let line = record(&mut system, &event).await;
            for (key, value) in [
                ("role", *role),
                ("method", *method),
                ("because", why),
                ("listener", listener.as_str()),
                ("peer", event.peer.as_str()),
            ] {
                assert_eq!(line[key], value, "{line}");
            }
        }
    }
    // Nothing else came, and all of it is in the timeline.
    let mut client = MaglevClient::new(viewer.clone());
    let timeline = client.get_timeline(GetTimelineRequest::default()).await.unwrap().into_inner();
    let of_audit = timeline.events.iter().filter(|it| matches!(it.event, Some(Kind::Audit(_))));
    assert_eq!(of_audit.count(), 3 * CASES.len() - 1);
    assert_eq!(watch.events.len(), 3 * CASES.len() - 1);

    // A client that was away gets what it has not seen.
    let seen = watch.events.len() - 2;
    let (boot_id, seq) = (watch.events[seen - 1].boot_id, watch.events[seen - 1].seq);
    let mut again = audited(&viewer, Some(ResumePoint { boot_id, seq })).await;
    for event in &watch.events[seen..] {
        again.next().await.unwrap().unwrap();
        assert_eq!(again.events.last().unwrap(), event);
    }
    system.daemon.terminate().await;
}

#[tokio::test]
async fn the_level_of_the_log_does_not_matter() {
    let bed = TestBed::new(&["a"]).pools(&["a"]);
    let socket = bed.dir().join("maglevd.sock");
    let url = format!("unix:{}", socket.display());
    let mut command = bed.command();
    command.args(["--grpc-addr", &url, "--log-level", "error"]);
    let mut daemon = Daemon::spawn(&mut command);
    eventually("it listens", DEADLINE, async || socket.exists()).await;
    let channel = Endpoint::from_shared(url).unwrap().connect().await.unwrap();
    ask(&channel, "PauseBackend", "a").await.unwrap();
    let line = daemon.logged("audit").await;
    assert_eq!(line["what"], "pause backend a for 1h");
    assert_eq!(line["level"], "INFO");
    daemon.terminate().await;
}

#[tokio::test]
async fn what_changes_nothing_is_not_recorded() {
    let listeners = "127.0.0.1:0,role=operator,127.0.0.1:0,role=viewer";
    let system = RightsDaemon::start(listeners, "", &[]).await;
    let (operator, viewer) = (system.tcp(0).await, system.tcp(1).await);
    system.daemon.all(&["a", "b"], "up").await;
    let mut watch = audited(&viewer, None).await;
    let mut client = MaglevClient::new(operator);
    let validate =
        || BackendRequest { name: "a".into(), validate_only: true, ..Default::default() };
    client.pause_backend(validate()).await.unwrap();
    let dry_run = SyncVpplbStateRequest { dry_run: true, ..Default::default() };
    client.sync_vpplb_state(dry_run.clone()).await.unwrap();
    // Whether it would be accepted is no question for viewers: it would not.
    let mut of_viewer = MaglevClient::new(viewer);
    let denied = of_viewer.pause_backend(validate()).await.unwrap_err();
    assert_eq!(denied.code(), Code::PermissionDenied);
    of_viewer.sync_vpplb_state(dry_run).await.unwrap();
    let request = BackendRequest { name: "b".into(), ..Default::default() };
    client.pause_backend(request).await.unwrap();
    assert_eq!(next(&mut watch).await.what, "pause backend b");
    system.daemon.terminate().await;
}

#[tokio::test]
async fn a_reload_by_a_signal_and_one_that_fails_are_recorded() {
    let listeners = "127.0.0.1:0,role=operator";
    let mut system = RightsDaemon::start(listeners, "", &[]).await;
    let channel = system.tcp(0).await;
    let mut watch = audited(&channel, None).await;
    system.daemon.signal(Signal::HUP);
    let event = next(&mut watch).await;
    let said = (&*event.who, &*event.method, &*event.what, &*event.outcome);
    assert_eq!(said, ("SIGHUP", "SIGHUP", "config reload", "done"));
    assert_eq!((&*event.listener, &*event.peer, &*event.role), ("", "", "operator"));
    record(&mut system, &event).await;

    system.bed.write_config("maglev: { frontend: 1 }\n");
    system.daemon.signal(Signal::HUP);
    let event = next(&mut watch).await;
    assert_eq!((&*event.who, &*event.outcome), ("SIGHUP", "refused"));
    assert!(event.detail.contains("unknown field `frontend`"), "{event:?}");
    let mut client = MaglevClient::new(channel.clone());
    let answer = client.reload_config(ReloadConfigRequest { force: true }).await.unwrap();
    assert!(!answer.into_inner().ok);
    let event = next(&mut watch).await;
    assert_eq!((&*event.what, &*event.outcome), ("config reload force", "refused"));
    assert!(event.detail.contains("unknown field `frontend`"), "{event:?}");
    system.daemon.terminate().await;
}

/// A caller that does not wait for the answer has its change recorded all the same.
#[tokio::test]
async fn a_change_whose_caller_is_gone_is_recorded() {
    let system = RightsDaemon::start("127.0.0.1:0,role=operator", "", &[]).await;
    let channel = system.tcp(0).await;
    let mut watch = audited(&channel, None).await;
    let mut client = MaglevClient::new(system.tcp(0).await);
    // A file without an end, which the daemon reads for seconds.
    let path = system.bed.write_config("");
    std::fs::remove_file(&path).unwrap();
    mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let mut request = tonic::Request::new(ReloadConfigRequest::default());
    request.set_timeout(std::time::Duration::from_millis(300));
    let gone = soon(client.reload_config(request)).await.unwrap().unwrap_err();
    assert!(matches!(gone.code(), Code::Cancelled | Code::DeadlineExceeded), "{gone}");
    let event = next(&mut watch).await;
    assert_eq!((&*event.what, &*event.outcome), ("config reload", "abandoned"));
    assert!(event.detail.contains("may have been done"), "{event:?}");
    system.daemon.terminate().await;
}
