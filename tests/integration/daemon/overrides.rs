//! Operators' overrides: who set them, why, and how each ends, in VPP as well.

use tonic::Code;
use tonic::transport::Channel;
use vpp_maglev::pb::event::Event;
use vpp_maglev::pb::maglev_client::MaglevClient;
use vpp_maglev::pb::{
    BackendRequest, ChangeEvent, GetBackendRequest, GetOverridesRequest, OverrideInfo,
    SetWeightRequest, UnsetWeightRequest, WatchRequest,
};

use crate::support::{Daemon, TestBed, Watch, get, metrics_address, sample};

const HOUR_NS: i64 = 3_600_000_000_000;
/// Longer than anything takes here.
const LONG_NS: i64 = 30_000_000_000;

fn request(name: &str) -> BackendRequest {
    BackendRequest { name: name.into(), wait_ns: LONG_NS, ..BackendRequest::default() }
}

async fn overrides(daemon: &Daemon) -> Vec<OverrideInfo> {
    let mut client = daemon.client().await;
    client.get_overrides(GetOverridesRequest {}).await.unwrap().into_inner().overrides
}

/// Changes alone.
fn changes() -> WatchRequest {
    WatchRequest {
        log: Some(false),
        backend: Some(false),
        frontend: Some(false),
        dataplane: Some(false),
        change: Some(true),
        ..WatchRequest::default()
    }
}

/// The first changes that came.
async fn changes_of<const N: usize>(watch: &mut Watch) -> [ChangeEvent; N] {
    loop {
        let changes = watch.events.iter().filter_map(|event| match &event.event {
            Some(Event::Change(change)) => Some(change.clone()),
            _ => None,
        });
        if let Ok(changes) = changes.take(N).collect::<Vec<_>>().try_into() {
            return changes;
        }
        watch.next().await.unwrap().expect("in time");
    }
}

async fn started(bed: &TestBed) -> (Daemon, MaglevClient<Channel>) {
    let daemon = bed.start().await;
    daemon.all(&["a", "b"], "up").await;
    let client = daemon.client().await;
    (daemon, client)
}

#[tokio::test]
async fn an_override_for_two_seconds_ends_and_vpp_follows() {
    let mut bed = TestBed::new(&["a", "b"]).pools(&["a b"]);
    let dataplane = bed.dataplane();
    let (mut daemon, mut client) = started(&bed).await;
    dataplane.until_both("a=100 b=100").await;
    dataplane.writes();
    let mut watch = daemon.watch_as(changes()).await;
    let for_ns = 2_000_000_000;
    let pause = BackendRequest { for_ns, why: "kernel upgrade".into(), ..request("a") };
    let paused = client.pause_backend(pause).await.unwrap().into_inner();
    let info = paused.admin_override.unwrap();
    assert_eq!(
        (&*info.value, &*info.configured, &*info.why),
        ("paused", "enabled", "kernel upgrade")
    );
    assert!(info.who.starts_with("127.0.0.1:"), "{}", info.who);
    assert_eq!(info.until_unix_ns - info.since_unix_ns, for_ns);
    assert!(info.left_ns.is_some_and(|left| left <= for_ns), "{info:?}");
    daemon.logged("override-set").await;
    // Nobody asks for it.
    let expired = daemon.logged("override-expired: its time is over").await;
    assert_eq!(expired["what"], "paused of backend a");
    assert_eq!(expired["set_why"], "kernel upgrade");
    assert_eq!(overrides(&daemon).await, []);
    dataplane.until_both("a=100 b=100").await;
    assert_eq!(dataplane.writes(), ["v4 a 0", "v6 a 0", "v4 a 100", "v6 a 100"]);
    let [set, ended] = changes_of(&mut watch).await;
    assert_eq!((&*set.from, &*set.to, set.overridden), ("enabled", "paused", true));
    assert_eq!((&*set.why, set.until_unix_ns), ("kernel upgrade", info.until_unix_ns));
    assert_eq!((&*ended.from, &*ended.to, ended.overridden), ("paused", "enabled", false));
    assert_eq!((&*ended.who, &*ended.ended), ("time", "expired"));
    daemon.terminate().await;
}

#[tokio::test]
async fn unset_brings_back_what_the_file_says() {
    let mut bed = TestBed::new(&["a", "b"]).pools(&["a b:40"]);
    let dataplane = bed.dataplane();
    let (mut daemon, mut client) = started(&bed).await;
    dataplane.until_both("a=100 b=40").await;
    let mut watch = daemon.watch_as(changes()).await;
    let weight = SetWeightRequest {
        frontend: "v6".into(),
        pool: "pool0".into(),
        backend: "b".into(),
        weight: 7,
        wait_ns: LONG_NS,
        for_ns: HOUR_NS,
        why: "it is slow".into(),
        validate_only: false,
    };
    let set = client.set_frontend_pool_backend_weight(weight).await.unwrap().into_inner();
    let member = &set.pools[0].backends[1];
    assert_eq!((member.weight, member.weight_overridden), (7, true));
    assert_eq!(member.weight_override.as_ref().unwrap().configured, "40");
    client.disable_backend(request("a")).await.unwrap();
    dataplane.until("v4 a=0 b=40 / v6 a=0 b=7").await;
    let all = overrides(&daemon).await;
    let items: Vec<_> = all.iter().map(|it| (&*it.kind, &*it.backend_name, &*it.value)).collect();
    assert_eq!(items, [("admin", "a", "disabled"), ("weight", "b", "7")]);

    let unset = BackendRequest { why: "done".into(), ..request("a") };
    let backend = client.unset_backend(unset).await.unwrap().into_inner();
    assert_eq!((backend.enabled, backend.admin_override), (true, None));
    let unset = UnsetWeightRequest {
        frontend: "v6".into(),
        pool: "pool0".into(),
        backend: "b".into(),
        wait_ns: LONG_NS,
        why: String::new(),
        validate_only: false,
    };
    client.unset_frontend_pool_backend_weight(unset.clone()).await.unwrap();
    dataplane.until_both("a=100 b=40").await;
    assert_eq!(overrides(&daemon).await, []);
    let ended = daemon.logged("override-unset").await;
    assert_eq!((&ended["what"], &ended["why"]), (&"disabled of backend a".into(), &"done".into()));
    let [_, _, admin, weight] = changes_of(&mut watch).await;
    assert_eq!((&*admin.to, &*admin.why, &*admin.ended), ("enabled", "done", "unset"));
    assert_eq!((&*weight.from, &*weight.to, &*weight.ended), ("7", "40", "unset"));

    // There is nothing any more, which is as well.
    client.unset_backend(request("a")).await.unwrap();
    client.unset_frontend_pool_backend_weight(unset.clone()).await.unwrap();
    for (status, code) in [
        (client.unset_backend(request("ghost")).await.unwrap_err(), Code::NotFound),
        (
            client.unset_backend(BackendRequest { for_ns: 1, ..request("a") }).await.unwrap_err(),
            Code::InvalidArgument,
        ),
        (
            client.pause_backend(BackendRequest { for_ns: -1, ..request("a") }).await.unwrap_err(),
            Code::InvalidArgument,
        ),
        (
            client.enable_backend(BackendRequest { for_ns: 1, ..request("a") }).await.unwrap_err(),
            Code::FailedPrecondition,
        ),
        (
            client
                .unset_frontend_pool_backend_weight(UnsetWeightRequest {
                    pool: "x".into(),
                    ..unset
                })
                .await
                .unwrap_err(),
            Code::NotFound,
        ),
    ] {
        assert_eq!(status.code(), code, "{status}");
    }
    daemon.terminate().await;
}

#[tokio::test]
async fn the_files_own_change_ends_an_override() {
    let mut bed = TestBed::new(&["a", "b"]).pools(&["a b"]);
    let dataplane = bed.dataplane();
    let (mut daemon, mut client) = started(&bed).await;
    let mut watch = daemon.watch_as(changes()).await;
    let weight = SetWeightRequest {
        frontend: "v4".into(),
        pool: "pool0".into(),
        backend: "b".into(),
        weight: 7,
        ..SetWeightRequest::default()
    };
    client.set_frontend_pool_backend_weight(weight).await.unwrap();
    dataplane.until("v4 a=100 b=7 / v6 a=100 b=100").await;
    bed.write_config(&bed.config().both(&["a b:50"]).text());
    client.reload_config(vpp_maglev::pb::ReloadConfigRequest::default()).await.unwrap();
    dataplane.until_both("a=100 b=50").await;
    assert_eq!(overrides(&daemon).await, []);
    let dropped = daemon
        .logged("override-dropped: the file now says something else, or has no such item")
        .await;
    assert_eq!(dropped["what"], "weight 7 of b in v4/pool0");
    let [_, ended] = changes_of(&mut watch).await;
    assert_eq!((&*ended.who, &*ended.to, &*ended.ended), ("file", "50", "reconfigured"));
    daemon.terminate().await;
}

#[tokio::test]
async fn a_client_on_a_unix_socket_is_named_by_its_user_and_process() {
    let bed = TestBed::new(&["a"]).pools(&["a"]);
    let socket = bed.dir().join("grpc.sock");
    let mut command = bed.command();
    command.arg("--grpc-addr").arg(format!("unix:{},127.0.0.1:0", socket.display()));
    let mut daemon = Daemon::spawn(&mut command);
    let is_tcp = |record: &serde_json::Value| {
        record["msg"] == "grpc-listening" && !record["address"].as_str().unwrap().contains("unix")
    };
    daemon.logged_as("a listener", is_tcp).await;
    let mut maglevc = std::process::Command::new(env!("CARGO_BIN_EXE_maglevc"));
    maglevc.arg("--server").arg(format!("unix:{}", socket.display()));
    let words = ["set", "backend", "a", "pause", "for", "2h", "because", "kernel upgrade"];
    let output = maglevc.args(words).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.starts_with("a is paused for 2h0m"), "{printed}");
    let set = daemon.logged("override-set").await;
    let who = set["who"].as_str().unwrap();
    let uid = rustix::process::getuid().as_raw();
    assert!(who.starts_with(&format!("uid {uid} pid ")), "{who}");
    assert_eq!(
        (&set["why"], &set["what"]),
        (&"kernel upgrade".into(), &"paused of backend a".into())
    );
    daemon.terminate().await;
}

/// An override stays while its backend is paused; its age is the daemon's to tell.
#[tokio::test]
async fn a_backend_tells_of_its_override() {
    let bed = TestBed::new(&["a"]).pools(&["a"]);
    let mut daemon = bed.start().await;
    daemon.all(&["a"], "up").await;
    let mut client = daemon.client().await;
    client.pause_backend(request("a")).await.unwrap();
    let address = metrics_address(&mut daemon).await;
    let (_, page) = get(&address, "/metrics").await;
    let labels = "{set=\"paused\",frontend=\"\",pool=\"\",backend=\"a\",prefix=\"\"}";
    assert!(page.contains(&format!("\nmaglev_override{labels} 1\n")), "{page}");
    let age = sample(&address, &format!("maglev_override_age_seconds{labels}")).await;
    assert!((0.0..3600.0).contains(&age.parse().unwrap()), "{age}");
    let question = GetBackendRequest { name: "a".into() };
    let backend = client.get_backend(question).await.unwrap().into_inner();
    let info = backend.admin_override.unwrap();
    assert_eq!((info.left_ns, info.until_unix_ns), (None, 0));
    assert!((0..HOUR_NS).contains(&info.age_ns), "{}", info.age_ns);
    assert_eq!(overrides(&daemon).await[0].who, info.who);
    daemon.terminate().await;
}
