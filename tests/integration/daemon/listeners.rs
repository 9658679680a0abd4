//! The sockets of the gRPC service from the outside: who may connect, what is
//! bounded, and what becomes of open connections when the daemon stops.

use std::collections::BTreeSet;
use std::fs::Permissions;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use crate::support::wait::{DEADLINE, eventually};
use crate::support::{Daemon, ReadyDaemon, TestBed, soon};
use rustix::process::{Gid, Pid, Resource, Rlimit, Signal, Uid, getrlimit, prlimit};
use rustix::thread::{set_thread_gid, set_thread_groups, set_thread_uid};
use tokio::task::JoinSet;
use tonic::Code;
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use vpp_maglev::pb::maglev_client::MaglevClient;
use vpp_maglev::pb::*;

fn backend(name: &str) -> BackendRequest {
    BackendRequest { name: name.into(), ..BackendRequest::default() }
}

/// Tries to connect as another user, on a thread that becomes him.
fn connect_as(id: u32, path: &Path) -> io::Result<()> {
    let path = path.to_owned();
    let connect = move || {
        set_thread_groups(&[])?;
        set_thread_gid(Gid::from_raw(id))?;
        set_thread_uid(Uid::from_raw(id))?;
        UnixStream::connect(path).map(drop)
    };
    std::thread::spawn(connect).join().unwrap()
}

#[tokio::test]
async fn a_unix_socket_is_for_its_group() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: to be another user for a moment takes root");
        return;
    }
    let bed = TestBed::new(&["a"]).pools(&["a"]);
    std::fs::set_permissions(bed.dir(), Permissions::from_mode(0o755)).unwrap();
    let path = bed.dir().join("maglevd.sock");
    let mut command = bed.command();
    command.arg("--grpc-addr").arg(format!("unix:{}", path.display()));
    let daemon = bed.run(command.args(["--grpc-unix-group", "4242"])).await;

    let found = std::fs::metadata(&path).unwrap();
    assert_eq!((found.mode() & 0o777, found.gid()), (0o660, 4242));
    connect_as(4242, &path).unwrap();
    let refused = connect_as(4243, &path).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::PermissionDenied);

    // What is done over it has a name, too.
    let endpoint = Endpoint::from_shared(format!("unix:{}", path.display())).unwrap();
    let mut client = MaglevClient::new(endpoint.connect().await.unwrap());
    let info = client.pause_backend(backend("a")).await.unwrap().into_inner();
    let who = format!("pause by uid 0 pid {}", std::process::id());
    assert_eq!(info.transitions.last().unwrap().why, who);
    daemon.terminate().await;
    assert!(!path.exists());
}

/// Has the process get no further descriptors, or all that it may have.
fn limit_descriptors(daemon: &Daemon, limited: bool) {
    let hard = getrlimit(Resource::Nofile).maximum;
    let open = std::fs::read_dir(format!("/proc/{}/fd", daemon.pid())).unwrap();
    let number = |entry: PathBuf| entry.file_name()?.to_str()?.parse::<u64>().ok();
    let open: BTreeSet<u64> = open.filter_map(|entry| number(entry.unwrap().path())).collect();
    let lowest_free = (0..).find(|number| !open.contains(number));
    let current = if limited { lowest_free } else { hard };
    let pid = Pid::from_raw(i32::try_from(daemon.pid()).unwrap());
    prlimit(pid, Resource::Nofile, Rlimit { current, maximum: hard }).unwrap();
}

#[tokio::test]
async fn a_daemon_without_descriptors_waits_and_goes_on() {
    let bed = TestBed::new(&[]);
    let mut daemon = bed.start().await;
    let mut early = daemon.client().await;
    early.list_backends(ListBackendsRequest {}).await.unwrap();
    limit_descriptors(&daemon, true);
    let mut late = daemon.client().await;
    let answered = tokio::spawn(async move { late.list_backends(ListBackendsRequest {}).await });
    let failed = daemon.logged("grpc-accept-failed: tried again until it works").await;
    assert!(failed["error"].as_str().unwrap().contains("Too many open files"), "{failed}");
    // Those who are there are served all the while.
    early.list_backends(ListBackendsRequest {}).await.unwrap();
    assert!(!answered.is_finished());
    limit_descriptors(&daemon, false);
    soon(answered).await.unwrap().unwrap().unwrap();
    let said = daemon.records("grpc-accept-failed: tried again until it works");
    assert_eq!(said.len(), 1, "{said:?}");
    daemon.terminate().await;
}

#[tokio::test]
async fn what_is_too_long_is_refused() {
    let bed = TestBed::new(&[]);
    let daemon = bed.start().await;
    let mut client = daemon.client().await;
    for length in [5 << 20, 1 << 20, (64 << 10) + 1] {
        let huge = client.pause_backend(backend(&"a".repeat(length))).await.unwrap_err();
        assert_eq!(huge.code(), Code::ResourceExhausted, "{huge}");
        assert_eq!(huge.message(), "a request has 65536 bytes at most");
    }
    for name in ["", "a b", "a\nb", &"a".repeat(129), &"a".repeat(1 << 15)] {
        let refused = client.pause_backend(backend(name)).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
        assert!(refused.message().len() < 200, "{refused}");
    }
    let missing = client.pause_backend(backend(&"a".repeat(128))).await.unwrap_err();
    assert_eq!(missing.code(), Code::NotFound);
    daemon.terminate().await;
}

#[tokio::test]
async fn there_are_ten_thousand_streams_and_no_more() {
    let bed = TestBed::new(&[]);
    let daemon = bed.start().await;
    let mut client = daemon.client().await;
    let quiet = WatchRequest { log: Some(false), ..WatchRequest::default() };
    let mut opening = JoinSet::new();
    for _ in 0..100 {
        // A connection has room for a part of them.
        let (mut client, quiet) = (daemon.client().await, quiet.clone());
        opening.spawn(async move {
            let mut streams = Vec::new();
            for _ in 0..100 {
                streams.push(client.watch_events(quiet.clone()).await.unwrap());
            }
            streams
        });
    }
    let streams = opening.join_all().await;
    let refused = client.watch_events(quiet.clone()).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted, "{refused}");
    assert!(refused.message().contains("10000"), "{refused}");
    client.list_backends(ListBackendsRequest {}).await.unwrap();
    // A stream that is closed makes room, as soon as the daemon sees it.
    drop(streams);
    eventually("a stream is opened again", DEADLINE, async || {
        client.watch_events(quiet.clone()).await.is_ok()
    })
    .await;
    daemon.terminate().await;
}

#[tokio::test]
async fn health_follows_the_daemon_and_streams_end_with_a_reason() {
    // Its first probe is due within half an hour.
    let bed = TestBed::new(&["a"])
        .configured(|config| config.check("a", "interval: 1h, timeout: 20s").both(&["a"]))
        .vpp("/nowhere/api.sock");
    let mut daemon = bed.start().await;
    daemon.logged("vpp-connect-failed").await;
    let mut client = daemon.client().await;
    let mut events = daemon.watch().await;
    let mut health = HealthClient::new(daemon.channel().await);
    let request = HealthCheckRequest { service: "maglev.Maglev".into() };
    let mut health = health.watch(request).await.unwrap().into_inner();
    let mut next = async || soon(health.message()).await.unwrap();
    assert_eq!(next().await.unwrap().unwrap().status(), ServingStatus::NotServing);
    // Nobody wants it probed: there is nothing left to be found out.
    client.pause_backend(backend("a")).await.unwrap();
    assert_eq!(next().await.unwrap().unwrap().status(), ServingStatus::Serving);

    daemon.signal(Signal::TERM);
    assert_eq!(next().await.unwrap().unwrap().status(), ServingStatus::NotServing);
    let end = events.end().await;
    assert_eq!((end.code(), end.message()), (Code::Unavailable, "maglevd is stopping"));
    // The health stream ends, too, and does not delay the end.
    assert!(!matches!(next().await, Ok(Some(_))));
    assert!(daemon.ended().await.success());
    assert_eq!(daemon.records("some requests were cut off"), Vec::<serde_json::Value>::new());
}

#[tokio::test]
async fn what_is_asked_for_is_told_with_who_asks() {
    let mut system = ReadyDaemon::start().await;
    let no = Some(false);
    let change = Some(true);
    let request = WatchRequest {
        log: no,
        dataplane: no,
        backend: no,
        frontend: no,
        change,
        ..WatchRequest::default()
    };
    let mut watch = system.daemon.watch_as(request).await;
    system.weight("pool0", "a", 7).await;
    system.weight("pool0", "a", 7).await;
    system.client.disable_backend(backend("b")).await.unwrap();
    system.client.enable_backend(backend("b")).await.unwrap();
    for expected in [
        "change weight v4 pool0 a 100>7 overridden",
        "change admin   b enabled>disabled overridden",
        "change admin   b disabled>enabled",
    ] {
        assert_eq!(watch.next().await.unwrap().unwrap(), expected);
        let event = watch.events.last().unwrap().event.as_ref();
        let Some(event::Event::Change(change)) = event else { panic!("{event:?}") };
        assert!(change.who.starts_with("127.0.0.1:"), "{change:?}");
        assert!(change.at_unix_ns > 1_600_000_000_000_000_000);
    }

    // The file says something else: it is its own word from then on.
    let config = system.bed.config().both(&["a:60 b:40", "c"]);
    system.bed.write_config(&config.text());
    system.daemon.signal(Signal::HUP);
    let events = watch.until("change config    >").await;
    let expected = ["change weight v4 pool0 a 7>60", "change weight v6 pool0 a 100>60"];
    assert_eq!(events, expected);
    for event in watch.events.iter().rev().take(3) {
        let Some(event::Event::Change(change)) = &event.event else { panic!("{event:?}") };
        assert_eq!(change.who, "file");
    }
    system.daemon.terminate().await;
}
