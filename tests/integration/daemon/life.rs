//! How maglevd starts and stops, and how it lives with a VPP that is not
//! there, comes, goes, or is too old.

use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use crate::support::{Daemon, TestBed, maglevd, ran};
use rustix::process::Signal;
use tonic::Code;
use vpp_maglev::pb::{
    GetBackendRequest, GetVppInfoRequest, GetVpplbStateRequest, SyncVpplbStateRequest,
};
use vpp_maglev::vpp::embedded::{EmbeddedOptions, FaultCondition, InjectedFault};

/// What a service manager may wait for at most.
const STOPS_WITHIN: Duration = Duration::from_secs(5);

fn sync(dry_run: bool) -> SyncVpplbStateRequest {
    SyncVpplbStateRequest { frontend_name: None, dry_run, force: false }
}

#[tokio::test]
async fn sigterm_leaves_vpp_as_it_is_and_a_second_life_adopts_it() {
    let mut bed = TestBed::new(&["a", "b", "c"]).pools(&["a b:40", "c"]);
    let dataplane = bed.dataplane();
    let mut daemon = bed.start().await;
    daemon.all(&["a", "b", "c"], "up").await;
    dataplane.until_both("a=100 b=40 c=0").await;
    daemon.published_up(&["frontend v6"]).await;
    let mut watch = daemon.watch().await;
    watch.until("frontend v6 up>up").await;
    let mut client = daemon.client().await;
    client.get_vpp_info(GetVppInfoRequest {}).await.unwrap();
    assert_eq!(dataplane.control.snapshot().unwrap().clients, ["maglevd"]);
    dataplane.writes();

    let begun = Instant::now();
    daemon.signal(Signal::TERM);
    let end = watch.end().await;
    assert_eq!((end.code(), end.message()), (Code::Unavailable, "maglevd is stopping"));
    let status = daemon.ended().await;
    assert!(status.success(), "{status}");
    assert!(begun.elapsed() < STOPS_WITHIN, "{:?}", begun.elapsed());
    assert_eq!(daemon.errors(), "");
    assert_eq!(
        client.get_vpp_info(GetVppInfoRequest {}).await.unwrap_err().code(),
        Code::Unavailable
    );
    let left = dataplane.control.snapshot().unwrap();
    assert_eq!((left.clients.len(), left.dead_clients.len()), (0, 0));
    assert_eq!(dataplane.writes(), Vec::<String>::new());
    assert_eq!(dataplane.held(), "v4 a=100 b=40 c=0 / v6 a=100 b=40 c=0");

    // Another life finds everything as it should be, and touches nothing,
    // neither before it knows its backends nor when it does.
    let mut daemon = bed.start().await;
    daemon.all(&["a", "b", "c"], "up").await;
    daemon.logged("vpp-lbsync-done").await;
    let synced = daemon.client().await.sync_vpplb_state(sync(false)).await.unwrap().into_inner();
    assert_eq!((synced.applied, synced.steps), (true, vec![]));
    assert_eq!(dataplane.writes(), Vec::<String>::new());
    daemon.terminate().await;
}

#[tokio::test]
async fn a_restart_keeps_a_dead_server_dead_and_does_not_flush_it_again() {
    let mut bed = TestBed::new(&["a", "b"]).pools(&["a b"]);
    let dataplane = bed.dataplane();
    let daemon = bed.start().await;
    dataplane.until_both("a=100 b=100").await;
    bed.backends[1].stop().await;
    dataplane.until_both("a=100 b=0").await;
    daemon.terminate().await;
    dataplane.writes();

    let mut daemon = bed.start().await;
    daemon.all(&["a"], "up").await;
    daemon.all(&["b"], "down").await;
    daemon.logged("vpp-lbsync-done").await;
    daemon.client().await.sync_vpplb_state(sync(false)).await.unwrap();
    assert_eq!(dataplane.writes(), Vec::<String>::new());
    daemon.terminate().await;
}

#[tokio::test]
async fn open_streams_and_idle_clients_do_not_hold_up_the_end() {
    let bed = TestBed::new(&[]);
    let mut daemon = bed.start().await;
    let mut watches = Vec::new();
    for _ in 0..20 {
        watches.push(daemon.watch().await);
    }
    let idle = tokio::net::TcpStream::connect(daemon.address()).await.unwrap();
    let begun = Instant::now();
    daemon.signal(Signal::INT);
    for watch in &mut watches {
        assert_eq!(watch.end().await.code(), Code::Unavailable);
    }
    assert!(daemon.ended().await.success());
    assert!(begun.elapsed() < STOPS_WITHIN, "{:?}", begun.elapsed());
    drop(idle);
}

#[tokio::test]
async fn a_signal_as_soon_as_it_serves_is_a_clean_end() {
    let bed = TestBed::new(&[]);
    for (mode, ready) in [("daemon", "grpc-listening"), ("dataplane", "dataplane-ready")] {
        for signal in [Signal::TERM, Signal::INT, Signal::QUIT].repeat(4) {
            let mut command = bed.command();
            if mode == "daemon" {
                let socket = format!("unix:{}/grpc.sock", bed.dir().display());
                command.args(["--grpc-addr", &socket]);
            } else {
                command = maglevd(bed.dir());
                command.arg("--dataplane-only").arg(bed.dir());
            }
            let mut daemon = Daemon::spawn(&mut command);
            daemon.logged(ready).await;
            daemon.signal(signal);
            let status = daemon.ended().await;
            assert!(status.success(), "{mode}: {status}");
            let left = std::fs::read_dir(bed.dir()).unwrap().count();
            assert_eq!(left, 1, "{mode} leaves sockets");
        }
    }
}

#[tokio::test]
async fn a_vpp_that_answers_while_the_daemon_stops_is_not_written_to() {
    let mut bed = TestBed::new(&["a"]).pools(&["a"]);
    let dataplane = bed.dataplane();
    // It takes connections and says nothing: the handshake does not end.
    dataplane.control.freeze().unwrap();
    let mut daemon = bed.start().await;
    daemon.all(&["a"], "up").await;
    // A connection that never says what it wants makes the end take its time.
    let silent = tokio::net::TcpStream::connect(daemon.address()).await.unwrap();
    daemon.signal(Signal::TERM);
    daemon.logged("stopping").await;
    dataplane.control.thaw().unwrap();
    assert!(daemon.ended().await.success());
    drop(silent);
    assert_eq!(daemon.records("vpp-connect"), Vec::<serde_json::Value>::new());
    assert_eq!(dataplane.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn vpp_may_come_late_and_restart() {
    let mut bed = TestBed::new(&["a", "b"]).pools(&["a b"]);
    let dataplane = bed.dataplane();
    dataplane.control.stop().unwrap();

    // Not there yet: backends are probed all the same.
    let mut daemon = bed.start().await;
    daemon.all(&["a", "b"], "up").await;
    daemon.logged("vpp-connect-failed").await;
    let mut client = daemon.client().await;
    let info = client.get_vpp_info(GetVppInfoRequest {}).await.unwrap_err();
    let state = client.get_vpplb_state(GetVpplbStateRequest {}).await.unwrap_err();
    let synced = client.sync_vpplb_state(sync(true)).await.unwrap_err();
    for status in [info, state, synced] {
        assert_eq!(status.code(), Code::Unavailable);
        assert!(status.message().contains("api.sock does not exist"), "{status}");
    }

    daemon.published_up(&["frontend v6"]).await;
    let mut watch = daemon.watch().await;
    watch.until("frontend v6 up>up").await;
    dataplane.control.restart().unwrap();
    dataplane.until_both("a=100 b=100").await;
    watch.until("dataplane v6 as_added v6 b weight 100").await;
    client.get_vpp_info(GetVppInfoRequest {}).await.unwrap();

    // It restarts, empty: everything is written again.
    dataplane.writes();
    dataplane.control.restart().unwrap();
    dataplane.until_both("a=100 b=100").await;
    let again = ["conf", "+v4", "+v4 a 100", "+v4 b 100", "+v6", "+v6 a 100", "+v6 b 100"];
    assert_eq!(dataplane.writes(), again);
    let events = watch.until("dataplane v6 as_added v6 b weight 100").await;
    let events: Vec<_> = events.iter().filter(|text| text.contains("connected")).collect();
    assert_eq!(events.len(), 2, "{events:?}");
    assert!(events[0].starts_with("dataplane  disconnected "), "{events:?}");
    assert!(events[1].starts_with("dataplane  connected VPP "), "{events:?}");

    // Killed, it leaves a socket without a listener.
    dataplane.control.kill().unwrap();
    watch.until_all(&["dataplane  disconnected VPP closed the connection"]).await;
    let status = client.get_vpp_info(GetVppInfoRequest {}).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    dataplane.control.restart().unwrap();
    dataplane.until_both("a=100 b=100").await;
    daemon.terminate().await;
}

#[tokio::test]
async fn a_backend_that_falls_while_vpp_is_away_is_down_when_it_is_back() {
    let mut bed = TestBed::new(&["a", "b"]).pools(&["a b"]);
    let dataplane = bed.dataplane();
    let daemon = bed.start().await;
    dataplane.until_both("a=100 b=100").await;
    // Only the connection breaks: VPP keeps what it holds.
    dataplane.control.inject(FaultCondition::NEXT, InjectedFault::DropBefore).unwrap();
    bed.backends[0].stop().await;
    daemon.all(&["a"], "down").await;
    dataplane.until_both("a=0 b=100").await;
    daemon.terminate().await;
}

#[tokio::test]
async fn a_vpp_that_lacks_messages_is_told_of_and_not_written_to() {
    let mut bed =
        TestBed::new(&["a", "b"]).configured(|config| config.sync_interval("100ms").both(&["a b"]));
    let old = EmbeddedOptions {
        without: vec!["lb_as_set_weight", "lb_conf_get"],
        ..EmbeddedOptions::default()
    };
    let dataplane = bed.dataplane_with(old);
    let mut daemon = bed.start().await;
    daemon.all(&["a", "b"], "up").await;
    let missing = daemon.logged("vpp-messages-missing: backends are probed and nothing is programmed; this VPP's lb plugin is too old or not loaded").await;
    assert!(missing["missing"].as_str().unwrap().contains("lb_as_set_weight_"), "{missing}");

    let mut client = daemon.client().await;
    let info = client.get_vpp_info(GetVppInfoRequest {}).await.unwrap().into_inner();
    let names: Vec<_> =
        info.missing_messages.iter().map(|key| key.rsplit_once('_').unwrap().0).collect();
    assert_eq!(names, ["lb_conf_get", "lb_as_set_weight"]);
    let state = client.get_vpplb_state(GetVpplbStateRequest {}).await.unwrap_err();
    let synced = client.sync_vpplb_state(sync(false)).await.unwrap_err();
    for status in [state, synced] {
        assert_eq!(status.code(), Code::Unavailable);
        assert!(status.message().contains("lb_as_set_weight_"), "{status}");
    }

    bed.backends[0].stop().await;
    daemon.all(&["a"], "down").await;
    let request = GetBackendRequest { name: "a".into() };
    let a = client.get_backend(request).await.unwrap().into_inner();
    assert_eq!(a.last_result, "L4CON connection refused");
    assert_eq!(dataplane.writes(), Vec::<String>::new());
    assert_eq!(dataplane.held(), "");
    daemon.terminate().await;
}

/// One line on standard error, and nothing that a shell takes for success.
async fn fails(command: &mut std::process::Command, status: i32, expected: &[&str]) {
    let (found, _, err) = ran(command).await;
    assert_eq!((found, err.lines().count()), (status, 1), "{err}");
    for expected in expected {
        assert!(err.contains(expected), "{expected:?} is not in: {err}");
    }
}

#[tokio::test]
async fn a_start_that_fails_says_why_in_one_line() {
    let bed = TestBed::new(&[]);
    let start = || bed.command();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let expected = ["cannot listen on", address.as_str(), "--grpc-addr"];
    fails(start().args(["--grpc-addr", &address]), 1, &expected).await;
    // The second of two: the first is given back.
    let both = format!("unix:{}/grpc.sock,{address}", bed.dir().display());
    fails(start().args(["--grpc-addr", &both]), 1, &[&address]).await;
    let config = bed.dir().join("maglev.yaml");
    let file = format!("unix:{}", config.display());
    fails(start().args(["--grpc-addr", &file]), 1, &["no socket", "maglev.yaml"]).await;
    assert!(config.exists());

    let mut command = maglevd(bed.dir());
    fails(command.args(["--config", "none.yaml"]), 1, &["none.yaml", "No such file"]).await;
    std::fs::write(bed.dir().join("bad.yaml"), "maglev:\n  vpp: 1\n").unwrap();
    let mut command = maglevd(bed.dir());
    fails(command.args(["--config", "bad.yaml"]), 1, &["bad.yaml: line 2, column 8"]).await;

    for (flags, expected) in [
        (["--grpc-addr", "nowhere"], ["nowhere", "--grpc-addr"]),
        (["--log-level", "loud"], ["loud", "--log-level"]),
        (["--colour", "no"], ["--colour", ""]),
    ] {
        fails(start().args(flags), 2, &expected).await;
    }
    fails(start().env("MAGLEV_LOG_LEVEL", "loud"), 2, &["loud", "--log-level"]).await;
    fails(start().args(["--check", "--demo"]), 2, &["--check", "--demo"]).await;
}

#[tokio::test]
async fn a_unix_socket_is_served_and_goes_with_the_daemon() {
    let bed = TestBed::new(&[]);
    let socket = bed.dir().join("grpc.sock");
    let address = format!("unix:{}", socket.display());
    let start = || {
        let mut command = bed.command();
        command.args(["--grpc-addr", &address]);
        command
    };
    let daemon = bed.run(&mut start()).await;
    let mode = std::fs::metadata(&socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o660);
    let mut maglevc = std::process::Command::new(env!("CARGO_BIN_EXE_maglevc"));
    let maglevc = maglevc.args(["--server", &address, "--output", "json", "show", "backends"]);
    let shown = maglevc.output().unwrap();
    assert!(shown.status.success(), "{shown:?}");
    // A second daemon does not take it away.
    fails(&mut start(), 1, &["cannot listen on", "grpc.sock"]).await;
    daemon.terminate().await;
    assert!(!socket.exists());

    // The socket that a killed daemon leaves does not hinder the next.
    let mut daemon = bed.run(&mut start()).await;
    daemon.signal(Signal::KILL);
    daemon.ended().await;
    assert!(socket.exists());
    let daemon = bed.run(&mut start()).await;
    daemon.terminate().await;
}
