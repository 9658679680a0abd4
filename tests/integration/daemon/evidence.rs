//! Verdicts that need a witness, end to end: a lone backend that dies is held and shown
//! to be, and goes down at the limit, or at once where a configured witness answers. On
//! the embedded dataplane and, where `MAGLEV_TEST_VPP_API` names its socket, on a real
//! VPP, whose VIPs are all removed.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::time::Duration;

use crate::support::vpp::on_each_with_weights;
use crate::support::wait::{DEADLINE, eventually};
use crate::support::{Daemon, TestBed, VIP4, get, metrics_address, sample};
use rustix::process::Signal;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use serde_json::Value;
use socket2::{Domain, Socket, Type};
use vpp_maglev::pb::{BackendInfo, GetBackendRequest, GetVpplbStateRequest, WatchRequest};

/// A limit that no test waits for.
const FOR_EVER: &str = "doubt-limit: 1h";

/// The records of a hold.
const HELD: &str = "verdicts-held: backends fail, and no other backend or witness passes; \
                    they stay as they are";
const RELEASED: &str = "verdicts-released";

/// The file of a pool of these backends, with these keys in `healthchecker`.
fn file(bed: &TestBed, pool: &str, keys: &str) -> String {
    let text = bed.config().frontend("v4", VIP4, &[pool]).text();
    text.replace("transition-history: 100", &format!("transition-history: 100\n    {keys}"))
}

/// A daemon with this file and this VPP, whose backends are all up.
async fn started(bed: &TestBed, text: &str, names: &[&str]) -> Daemon {
    let mut command = bed.command();
    command.args(["--grpc-addr", "127.0.0.1:0", "--vpp-stats-addr", ""]);
    bed.write_config(text);
    let daemon = bed.run(&mut command).await;
    daemon.all(names, "up").await;
    until_weight(&daemon, 100).await;
    daemon
}

async fn backend(daemon: &Daemon) -> BackendInfo {
    let request = GetBackendRequest { name: "a".into() };
    daemon.client().await.get_backend(request).await.unwrap().into_inner()
}

/// Waits until the first server of VIP `v4` has this weight in VPP.
async fn until_weight(daemon: &Daemon, weight: u32) {
    let mut client = daemon.client().await;
    eventually(&format!("a weight of {weight}"), DEADLINE, async || {
        let state = client.get_vpplb_state(GetVpplbStateRequest {}).await;
        let vips = state.map(|state| state.into_inner().vips).unwrap_or_default();
        vips.iter().flat_map(|vip| &vip.application_servers).next().map(|it| it.weight)
            == Some(weight)
    })
    .await;
}

/// Waits until a backend that was up is logged as down: nothing was held before.
async fn went_down_at_once(daemon: &mut Daemon) {
    let is_down = |record: &Value| {
        record["msg"] == "backend-transition" && record["from"] == "up" && record["to"] == "down"
    };
    daemon.logged_as("transition from up to down", is_down).await;
    assert_eq!(daemon.records(HELD), [Value::Null; 0]);
}

async fn shown(daemon: &Daemon, command: &str) -> String {
    let mut maglevc = Command::new(env!("CARGO_BIN_EXE_maglevc"));
    maglevc.args(["--server", &daemon.address()]).args(command.split(' '));
    let shown = tokio::task::spawn_blocking(move || maglevc.output()).await.unwrap().unwrap();
    assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
    String::from_utf8(shown.stdout).unwrap()
}

#[tokio::test]
async fn a_lone_backend_that_dies_is_held_where_everybody_sees_it_and_down_at_the_limit() {
    on_each_with_weights(async |api| {
        let mut bed = TestBed::new(&["a"]).vpp(api.to_str().unwrap());
        let mut daemon = started(&bed, &file(&bed, "a", FOR_EVER), &["a"]).await;
        daemon.logged("ready").await;
        let metrics = metrics_address(&mut daemon).await;
        let request =
            WatchRequest { log: Some(false), hold: Some(true), ..WatchRequest::default() };
        let mut watch = daemon.watch_as(request.clone()).await;

        bed.backends[0].stop().await;
        watch.until("hold ipv4 began").await;
        // Its prober reports a moment later that it is held.
        eventually("it is held", DEADLINE, async || {
            backend(&daemon).await.doubt.is_some_and(|doubt| doubt.held)
        })
        .await;
        let info = backend(&daemon).await;
        let why = "L4CON connection refused; no other backend passes either";
        assert_eq!((info.state.as_str(), &*info.doubt.unwrap().why), ("up", why));
        let text = shown(&daemon, "show backend a").await;
        assert!(text.contains(": L4CON connection refused; no other"), "{text}");
        assert!(shown(&daemon, "show backends").await.contains(" up? "));
        let text = shown(&daemon, "show frontend v4").await;
        let lines: Vec<_> = text.lines().collect();
        let titles = lines.iter().position(|line| line.starts_with("DOUBTED  ")).unwrap();
        assert!(lines[titles + 1].ends_with(why), "{text}");
        let (status, words) = get(&metrics, "/readyz").await;
        assert_eq!(status, "HTTP/1.1 200 OK");
        assert!(words.starts_with("ready\nverdicts held (ipv4): 1 backend of those "), "{words}");
        assert_eq!(sample(&metrics, "maglev_doubt{backend=\"a\"}").await, "1");
        // Who comes now finds it in the present state.
        daemon.watch_as(request).await.until("hold ipv4 began").await;

        // It is back, and nothing has been written.
        bed.backends[0].serve();
        assert_eq!(watch.until("hold ipv4 ended passed").await, [""; 0]);
        eventually("it is not doubted", DEADLINE, async || backend(&daemon).await.doubt.is_none())
            .await;
        assert_eq!(get(&metrics, "/readyz").await.1, "ready\n");

        // A reload makes the limit short.
        bed.write_config(&file(&bed, "a", "doubt-limit: 200ms"));
        daemon.signal(Signal::HUP);
        daemon.logged("config-reload-done").await;
        bed.backends[0].stop().await;
        watch.until("hold ipv4 ended believed").await;
        watch.until("backend a up>down").await;
        until_weight(&daemon, 0).await;
        let count = |outcome| format!("maglev_hold_seconds_count{{outcome=\"{outcome}\"}}");
        for (outcome, expected) in [("passed", "1"), ("believed", "1"), ("dropped", "0")] {
            assert_eq!(sample(&metrics, &count(outcome)).await, expected, "{outcome}");
        }
        assert_eq!(sample(&metrics, "maglev_doubt{backend=\"a\"}").await, "0");
        let outcomes: Vec<_> =
            daemon.records(RELEASED).into_iter().map(|it| it["outcome"].clone()).collect();
        assert_eq!(outcomes, ["passed", "believed"]);
        assert_eq!(daemon.records(HELD).len(), 2, "once for a hold");
        daemon.terminate().await;
    })
    .await;
}

#[tokio::test]
async fn a_limit_of_zero_doubts_nothing() {
    on_each_with_weights(async |api| {
        let mut bed = TestBed::new(&["a"]).vpp(api.to_str().unwrap());
        let mut daemon = started(&bed, &file(&bed, "a", "doubt-limit: 0s"), &["a"]).await;
        bed.backends[0].stop().await;
        until_weight(&daemon, 0).await;
        went_down_at_once(&mut daemon).await;
        daemon.terminate().await;
    })
    .await;
}

#[tokio::test]
async fn a_pool_that_dies_one_by_one_has_witnesses_but_for_its_last() {
    let mut bed = TestBed::new(&["a", "b"]);
    let dataplane = bed.dataplane();
    let mut daemon = started(&bed, &file(&bed, "a b", FOR_EVER), &["a", "b"]).await;
    dataplane.until("v4 a=100 b=100").await;
    bed.backends[0].stop().await;
    dataplane.until("v4 a=0 b=100").await;
    went_down_at_once(&mut daemon).await;
    bed.backends[1].stop().await;
    daemon.logged(HELD).await;
    assert_eq!(dataplane.held(), "v4 a=0 b=100");
    daemon.terminate().await;
}

/// A port that accepts nothing and refuses nothing.
struct SilentPort {
    address: SocketAddr,
    _listener: Socket,
    _queue: Vec<Socket>,
}

impl SilentPort {
    fn open() -> Self {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        listener.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
        listener.listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        let mut queue = Vec::new();
        // Linux drops what comes when the queue is full.
        loop {
            assert!(queue.len() < 16, "the queue never fills");
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
            let connected = socket.connect_timeout(&address, Duration::from_millis(300));
            queue.push(socket);
            if connected.is_err() {
                break;
            }
        }
        Self { address: address.as_socket().unwrap(), _listener: listener, _queue: queue }
    }
}

#[tokio::test]
async fn a_configured_witness_that_answers_lets_a_lone_backend_go_down_at_once() {
    let accepting = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let refusing = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    // Bound, so that nobody else listens there.
    refusing.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
    let silent = SilentPort::open();
    let accepts = accepting.local_addr().unwrap();
    let refuses = refusing.local_addr().unwrap().as_socket().unwrap();
    on_each_with_weights(async |api| {
        for (witnesses, is_believed) in [
            (vec![accepts], true),
            (vec![refuses], true),
            (vec![silent.address], false),
            (vec![silent.address, accepts], true),
        ] {
            let mut bed = TestBed::new(&["a"]).vpp(api.to_str().unwrap());
            let list: Vec<_> = witnesses.iter().map(|it| format!("'{it}'")).collect();
            let keys = format!("{FOR_EVER}\n    witnesses: [{}]", list.join(", "));
            let mut daemon = started(&bed, &file(&bed, "a", &keys), &["a"]).await;
            bed.backends[0].stop().await;
            if is_believed {
                until_weight(&daemon, 0).await;
                went_down_at_once(&mut daemon).await;
            } else {
                daemon.logged(HELD).await;
                assert_eq!(backend(&daemon).await.state, "up");
                until_weight(&daemon, 100).await;
            }
            daemon.terminate().await;
        }
    })
    .await;
}

/// Does this in the network namespace of a process.
fn in_namespace_of<T: Send + 'static>(pid: u32, act: impl FnOnce() -> T + Send + 'static) -> T {
    let act = move || {
        let namespace = std::fs::File::open(format!("/proc/{pid}/ns/net")).unwrap();
        let kind = Some(LinkNameSpaceType::Network);
        move_into_link_name_space(std::os::fd::AsFd::as_fd(&namespace), kind).unwrap();
        act()
    };
    // The thread ends in the other namespace.
    std::thread::spawn(act).join().unwrap()
}

/// IPv6 has one address of loopback, which VPP takes for an IPv4 address: the backend
/// has another one, in a namespace of the daemon's.
#[tokio::test]
async fn over_ipv6_it_is_the_same() {
    let may = Command::new("unshare").args(["--net", "ip", "link", "set", "lo", "up"]).status();
    if !may.is_ok_and(|status| status.success()) {
        eprintln!("skipped: a network namespace takes root, unshare and ip");
        return;
    }
    const BACKEND: Ipv6Addr = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 0xa);
    for (witness, is_believed) in [("[::1]:81", true), ("127.0.0.1:81", false)] {
        let mut bed = TestBed::with_text(format!(
            "maglev:\n  healthchecker: {{{FOR_EVER}, witnesses: ['{witness}']}}\n  vpp: {{lb: \
             {{ipv4-src-address: 192.0.2.1, ipv6-src-address: 2001:db8::1}}}}\n  healthchecks: \
             {{c: {{type: tcp, port: 80, interval: 50ms, timeout: 20s, rise: 1, fall: 2}}}}\n  \
             backends: {{a: {{address: '{BACKEND}', healthcheck: c}}}}\n  frontends: {{v4: \
             {{address: {VIP4}, protocol: tcp, port: 80, pools: [{{name: p, backends: {{a: \
             {{}}}}}}]}}}}\n"
        ));
        let dataplane = bed.dataplane();
        let inner = bed.command();
        let mut command = Command::new("unshare");
        let address = format!("ip link set lo up && ip addr add {BACKEND}/128 dev lo nodad");
        command.args(["--net", "sh", "-c"]).arg(format!("{address} && exec \"$@\""));
        command.arg("sh").arg(inner.get_program()).args(inner.get_args());
        for (name, value) in inner.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.args(["--grpc-addr", "127.0.0.1:0"]).current_dir(bed.dir());
        let mut daemon = bed.run(&mut command).await;
        let pid = daemon.pid();
        let _answering = in_namespace_of(pid, || TcpListener::bind("[::]:81").unwrap());
        let serving = in_namespace_of(pid, || TcpListener::bind((BACKEND, 80)).unwrap());
        dataplane.until(&format!("v4 {BACKEND}=100")).await;
        drop(serving);
        if is_believed {
            dataplane.until(&format!("v4 {BACKEND}=0")).await;
            went_down_at_once(&mut daemon).await;
        } else {
            // A witness of the other family says nothing of this one.
            assert_eq!(daemon.logged(HELD).await["probes"], "ipv6");
            assert_eq!(dataplane.held(), format!("v4 {BACKEND}=100"));
            let refused = in_namespace_of(pid, || TcpStream::connect((BACKEND, 80)).is_err());
            assert!(refused);
        }
        daemon.terminate().await;
    }
}
