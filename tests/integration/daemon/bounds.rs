//! What clients cannot take from the daemon: its descriptors, its places, its
//! memory; and what honest clients may do.

use std::fmt::Write as _;
use std::process::Command;

use crate::support::raw_http2::{PREFACE, RawFrame, RawHttp2, call, empty, frame, head};
use crate::support::wait::{DEADLINE, eventually};
use crate::support::{Daemon, TestBed, VIP4, get, metrics_address};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::{Code, Status};
use vpp_maglev::pb::*;

/// A connection on which this was sent.
async fn sent(address: &str, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream
}

/// Whether the other end has closed a connection, whatever came before.
async fn is_closed(stream: &mut TcpStream) -> bool {
    let mut rest = Vec::new();
    let read = stream.read_to_end(&mut rest);
    tokio::time::timeout(std::time::Duration::ZERO, read).await.is_ok()
}

/// The command, run with so many descriptors.
fn limited(descriptors: u32, command: &Command) -> Command {
    let mut limited = Command::new("sh");
    limited.arg("-c").arg(format!("ulimit -n {descriptors} && exec \"$@\"")).arg("sh");
    limited.arg(command.get_program()).args(command.get_args());
    limited.current_dir(command.get_current_dir().unwrap());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    limited
}

fn descriptors(daemon: &Daemon) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", daemon.pid())).unwrap().count()
}

#[tokio::test]
async fn idle_connections_take_no_descriptors_that_probes_need() {
    let bed = TestBed::new(&["a", "b"]).pools(&["a b"]);
    let mut command = limited(128, &bed.command());
    let mut daemon = bed.run(command.args(["--grpc-addr", "127.0.0.1:0"])).await;
    daemon.all(&["a", "b"], "up").await;
    let metrics = metrics_address(&mut daemon).await;
    let before = descriptors(&daemon);
    let mut half = Vec::new();
    for _ in 0..120 {
        half.push(sent(&metrics, b"GET /met").await);
        half.push(sent(&daemon.address(), &PREFACE[..9]).await);
    }
    // Whoever asks for something is answered at once, on both ports.
    assert_eq!(get(&metrics, "/healthz").await.0, "HTTP/1.1 200 OK");
    let mut client = daemon.client().await;
    let mut probed = 0;
    for _ in 0..10 {
        let request = GetBackendRequest { name: "a".into() };
        let info = client.get_backend(request).await.unwrap().into_inner();
        assert_eq!(info.state, "up", "{info:?}");
        probed = info.transitions.len();
    }
    assert_eq!(probed, 1, "it was never down");
    let more = descriptors(&daemon).saturating_sub(before);
    // A quarter of all, and some in between.
    assert!(more < 128 / 4 + 8, "{more}");
    assert!(daemon.records("probe-failed").is_empty());
    eventually("all but the last have made room", DEADLINE, async || {
        let mut open = 0;
        for stream in &mut half {
            open += usize::from(!is_closed(stream).await);
        }
        open <= 128 / 4
    })
    .await;
    // And those by their deadline.
    for stream in &mut half {
        eventually("a half request is given up", DEADLINE, async || is_closed(stream).await).await;
    }
    assert_eq!(daemon.records("grpc-handshake-failed").len(), 0, "silence is no warning");
    daemon.terminate().await;
}

#[tokio::test]
async fn cancelled_calls_end_neither_the_connection_nor_the_watch_on_it() {
    let bed = TestBed::new(&["a"]);
    let daemon = bed.start().await;
    let stream = TcpStream::connect(daemon.address()).await.unwrap();
    let mut raw = RawHttp2::open(stream).await;
    let watch = 1;
    raw.send(&call(watch, "WatchEvents", Some("x"))).await;
    let mut burst = Vec::new();
    for number in 0..120 {
        let stream = 3 + 2 * number;
        burst.extend(call(stream, "GetVPPInfo", Some("x")));
        burst.extend(frame(RawFrame::RESET, 0, stream, &8_u32.to_be_bytes()));
    }
    let last = 3 + 2 * 120;
    burst.extend(call(last, "ListBackends", Some("x")));
    raw.send(&burst).await;
    let frames = raw.until_end_of(last).await;
    let of_watch = |frame: &&RawFrame| frame.stream == watch && frame.kind == RawFrame::RESET;
    assert!(frames.iter().all(|frame| frame.kind != RawFrame::GOAWAY), "{frames:?}");
    assert!(!frames.iter().any(|frame| of_watch(&frame)), "{frames:?}");
    assert_eq!(frames.last().unwrap().stream, last);

    // A stranger who cancels without end is sent away.
    let stream = TcpStream::connect(daemon.address()).await.unwrap();
    let mut raw = RawHttp2::open(stream).await;
    let mut burst = Vec::new();
    for number in 0..5000 {
        let stream = 1 + 2 * number;
        burst.extend(head(stream, "GetVPPInfo", Some("x")));
        burst.extend(frame(RawFrame::RESET, 0, stream, &8_u32.to_be_bytes()));
    }
    raw.send(&burst).await;
    let frames = raw.until_end_of(99_999).await;
    assert!(frames.iter().any(|frame| frame.kind == RawFrame::GOAWAY), "it is let be");
    daemon.terminate().await;
}

/// Memory in use, in MiB.
fn memory(daemon: &Daemon) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<u64>().unwrap() / 1024
}

/// Many backends, which are not probed, in one frontend.
fn large(backends: usize) -> TestBed {
    let mut text = String::from(
        "maglev:\n  vpp:\n    lb:\n      ipv4-src-address: 192.0.2.1\n      ipv6-src-address: 2001:db8::1\n  backends:\n",
    );
    for number in 0..backends {
        let address = format!("10.{}.{}.1", number / 250, number % 250);
        writeln!(text, "    a-name-of-some-length-{number}: {{address: {address}}}").unwrap();
    }
    write!(text, "  frontends:\n    f:\n      address: {VIP4}\n      pools:\n        - name: main\n          backends:\n").unwrap();
    for number in 0..backends {
        writeln!(text, "            a-name-of-some-length-{number}: {{}}").unwrap();
    }
    TestBed::with_text(text)
}

#[tokio::test]
async fn answers_that_nobody_reads_take_a_bounded_memory() {
    let bed = large(3000);
    let mut daemon = bed.start().await;
    let metrics = metrics_address(&mut daemon).await;
    let (_, page) = get(&metrics, "/metrics").await;
    assert!(page.len() > 2 << 20, "{}", page.len());
    let before = memory(&daemon);
    let mut unread = Vec::new();
    let window =
        frame(RawFrame::SETTINGS, 0, 0, &[&[0, 4][..], &0x7fff_ffff_u32.to_be_bytes()].concat());
    let backends = |stream| call(stream, "GetBackends", Some("x"));
    for _ in 0..60 {
        unread.push(sent(&metrics, b"GET /metrics HTTP/1.1\r\nHost: m\r\n\r\n").await);
        let calls: Vec<_> = (0..100).flat_map(|number| backends(1 + 2 * number)).collect();
        unread.push(sent(&daemon.address(), &[PREFACE, &window, &calls].concat()).await);
    }
    // Messages that are announced and do not come.
    for _ in 0..20 {
        let mut bytes = [PREFACE, &frame(RawFrame::SETTINGS, 0, 0, b"")].concat();
        for number in 0..128 {
            bytes.extend(head(1 + 2 * number, "PauseBackend", Some("x")));
            bytes.extend(frame(RawFrame::DATA, 0, 1 + 2 * number, &[0, 0, 0x40, 0, 0, 1]));
        }
        unread.push(sent(&daemon.address(), &bytes).await);
    }
    // Those who read are answered, in full.
    for _ in 0..5 {
        let (status, again) = get(&metrics, "/metrics").await;
        assert_eq!(status, "HTTP/1.1 200 OK");
        assert!(again.len() > 2 << 20, "{}", again.len());
        let mut client = daemon.client().await;
        // It is asked again while more than may wait for this answer do.
        eventually("a reader is answered", DEADLINE, async || {
            let found = client.get_backends(GetBackendsRequest {}).await;
            let refused = found.as_ref().err().map(Status::code);
            assert!(matches!(refused, None | Some(Code::ResourceExhausted)), "{found:?}");
            found.is_ok_and(|found| found.into_inner().backends.len() == 3000)
        })
        .await;
    }
    let more = memory(&daemon).saturating_sub(before);
    assert!(more < 250, "{more} MiB");
    drop(unread);
    daemon.terminate().await;
}

#[tokio::test]
async fn configurations_are_checked_one_at_a_time_for_all_who_ask() {
    let bed = large(3000);
    let daemon = bed.start().await;
    let mut checks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let client = daemon.client().await;
        for _ in 0..50 {
            let mut client = client.clone();
            checks.spawn(async move { client.check_config(CheckConfigRequest {}).await });
        }
    }
    for checked in checks.join_all().await {
        assert!(checked.unwrap().into_inner().ok);
    }
    let begun = daemon.records("config-check-start").len();
    assert!((1..100).contains(&begun), "{begun} checks for 400 who asked");
    daemon.terminate().await;
}

#[tokio::test]
async fn a_request_without_an_end_is_answered_by_its_deadline() {
    let bed = TestBed::new(&[]);
    let daemon = bed.start().await;
    let mut raw = RawHttp2::open(TcpStream::connect(daemon.address()).await.unwrap()).await;
    // It has asked for something, so that it is no stranger.
    raw.send(&call(1, "ListBackends", Some("x"))).await;
    let frames = raw.until_end_of(1).await;
    let settings = frames.iter().find(|frame| frame.kind == RawFrame::SETTINGS).unwrap();
    // SETTINGS_MAX_CONCURRENT_STREAMS: how many may be unfinished on one connection.
    assert!(settings.payload.starts_with(&[0, 3, 0, 0, 0, 128]), "{settings:?}");
    raw.send(&head(3, "ListBackends", Some("x"))).await;
    raw.send(&frame(RawFrame::DATA, 0, 3, &[0, 0])).await;
    let frames = raw.until_end_of(3).await;
    assert!(frames.iter().all(|frame| frame.kind != RawFrame::GOAWAY), "{frames:?}");
    let refused = frames.iter().find(|frame| frame.stream == 3).unwrap();
    assert_eq!(refused.kind, RawFrame::HEADERS);
    // The connection goes on.
    raw.send(&[head(5, "ListBackends", Some("x")), empty(5)].concat()).await;
    let frames = raw.until_end_of(5).await;
    assert_eq!(frames.last().unwrap().stream, 5);
    daemon.terminate().await;
}
