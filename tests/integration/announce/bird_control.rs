//! The BIRD driver's conversation, with a control socket that the test plays.

use std::fs;
use std::path::Path;

use tokio::io::AsyncWriteExt;
use tokio::net::UnixListener;
use vpp_maglev::announce::{BirdDriver, BirdOptions, DriverError, RouteDriver};
use vpp_maglev::domain::announce::placement::{
    Exported, PrefixStatus, RoutePlacement, WantedRoutes,
};

use super::fake_bird::FakeBird;
use super::support::{assert_placed, prefix, wanted};
use crate::support::soon;

const PROTOCOLS: [(&str, &str); 2] = [("maglev4", "v4-maglev.conf"), ("maglev6", "v6-maglev.conf")];

fn driver(directory: &Path) -> RouteDriver {
    RouteDriver::Bird(BirdDriver::new(BirdOptions {
        socket: directory.join("bird.ctl"),
        directory: directory.into(),
        ..BirdOptions::default()
    }))
}

fn both() -> WantedRoutes {
    wanted(&[("192.0.2.1/32", false), ("2001:db8::1/128", true)])
}

#[tokio::test]
async fn files_are_written_applied_once_and_read_back() {
    let directory = tempfile::tempdir().unwrap();
    let bird = FakeBird::start(directory.path(), &PROTOCOLS);
    let driver = driver(directory.path());
    let report = driver.apply(&both()).await.unwrap();
    let placed =
        |placement| PrefixStatus::Placed { placement, exported: Exported::Yes, foreign: false };
    let expected = [
        (prefix("192.0.2.1/32"), placed(RoutePlacement::Announced)),
        (prefix("2001:db8::1/128"), placed(RoutePlacement::Drained)),
    ];
    assert_eq!(report.statuses, expected.into());
    assert_eq!(bird.commands(), ["configure"]);
    assert_eq!(driver.apply(&both()).await.unwrap().writes, 0);
    assert_eq!(bird.commands(), [""; 0]);
    let report = driver.apply(&wanted(&[("192.0.2.1/32", true)])).await.unwrap();
    assert_placed(&report);
    assert_eq!(report.statuses[&prefix("2001:db8::1/128")], PrefixStatus::Withdrawn);
    assert_eq!(bird.commands(), ["configure"]);
}

#[tokio::test]
async fn a_configure_that_takes_time_is_waited_for() {
    let directory = tempfile::tempdir().unwrap();
    let bird = FakeBird::start(directory.path(), &PROTOCOLS);
    bird.answer(&[
        "0002-Reading configuration from bird.conf\n0004 Reconfiguration in progress\n",
        "0005-Reconfiguration already in progress, queueing new config\n0000 \n",
        "0003-Reconfigured\n0022-undo timer\n0000 \n",
    ]);
    assert_placed(&driver(directory.path()).apply(&both()).await.unwrap());
    assert!(bird.commands().starts_with(&["configure".into(), "configure status".into()]));
}

#[tokio::test]
async fn a_refusal_is_told_and_mended_by_the_next_pass() {
    let directory = tempfile::tempdir().unwrap();
    let bird = FakeBird::start(directory.path(), &PROTOCOLS);
    let driver = driver(directory.path());
    assert_placed(&driver.apply(&both()).await.unwrap());
    let v4 = prefix("192.0.2.1/32");
    for (reply, expected) in [
        (
            "0002-Reading configuration from bird.conf\n8002 bird.conf:7:1 syntax error\n",
            "having BIRD read its configuration: bird.conf:7:1 syntax error; BIRD goes on with \
             its old configuration: nothing is announced or withdrawn before this is mended",
        ),
        (
            "8007 Access denied\n",
            "having BIRD read its configuration: Access denied; give maglevd BIRD's unrestricted \
             control socket",
        ),
    ] {
        bird.answer(&[reply]);
        let report = driver.apply(&WantedRoutes::new()).await.unwrap();
        let failed = PrefixStatus::Failed { reason: expected.into() };
        assert_eq!(report.statuses[&v4], failed);
    }
    // The files are as they should be; what BIRD has is not.
    let report = driver.apply(&WantedRoutes::new()).await.unwrap();
    assert_eq!(report.statuses[&v4], PrefixStatus::Withdrawn);
}

#[tokio::test]
async fn a_missing_protocol_is_named_where_it_is_wanted() {
    let directory = tempfile::tempdir().unwrap();
    let bird = FakeBird::start(directory.path(), &PROTOCOLS[..1]);
    let driver = driver(directory.path());
    assert_placed(&driver.apply(&wanted(&[("192.0.2.1/32", false)])).await.unwrap());
    let report = driver.apply(&both()).await.unwrap();
    let PrefixStatus::Failed { reason } = &report.statuses[&prefix("2001:db8::1/128")] else {
        panic!("{report:?}");
    };
    assert!(
        reason.starts_with("BIRD has no protocol maglev6: its configuration lacks"),
        "{reason}"
    );
    let placed = &report.statuses[&prefix("192.0.2.1/32")];
    assert!(matches!(placed, PrefixStatus::Placed { .. }), "{placed:?}");
    // No `configure` would mend it.
    bird.commands();
    assert_eq!(driver.apply(&both()).await.unwrap().writes, 0);
    assert_eq!(bird.commands(), [""; 0]);
}

#[tokio::test]
async fn each_way_to_be_away_is_told_apart_and_files_are_written_all_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let (driver, socket) = (driver(directory.path()), directory.path().join("bird.ctl"));
    let failure = async || driver.apply(&both()).await.unwrap_err().to_string();
    let start = format!("connecting to BIRD at {}: ", socket.display());
    let missing = failure().await;
    assert!(missing.starts_with(&start), "{missing}");
    assert!(missing.ends_with("BIRD is not running, or its socket is elsewhere"), "{missing}");
    let file = fs::read_to_string(directory.path().join("v4-maglev.conf")).unwrap();
    assert!(file.contains("route 192.0.2.1/32 blackhole;\n"), "{file}");

    drop(UnixListener::bind(&socket).unwrap());
    let stale = failure().await;
    assert!(stale.ends_with("BIRD was killed and has left its socket: start it"), "{stale}");

    fs::remove_file(&socket).unwrap();
    let _hung = UnixListener::bind(&socket).unwrap();
    let error = driver.read().await.unwrap_err();
    assert!(matches!(error, DriverError::TimedOut { .. }), "{error}");
    let hung = " no answer within 2 s; the daemon hangs or is overloaded";
    assert!(error.to_string().ends_with(hung), "{error}");
}

#[tokio::test]
async fn another_daemon_s_socket_is_not_talked_to() {
    let directory = tempfile::tempdir().unwrap();
    let listener = UnixListener::bind(directory.path().join("bird.ctl")).unwrap();
    let greets = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"Hello, this is zebra\n").await.unwrap();
        stream
    });
    let error = driver(directory.path()).read().await.unwrap_err().to_string();
    assert!(error.ends_with("not understood: Hello, this is zebra"), "{error}");
    drop(soon(greets).await);
}

#[tokio::test]
async fn the_watch_tells_when_bird_comes_and_goes() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("bird.ctl");
    let mut watch = driver(directory.path()).changes();
    for _ in 0..2 {
        let listener = UnixListener::bind(&socket).unwrap();
        let accepted = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(b"0001 BIRD 2.0.12 ready.\n").await.unwrap();
            stream
        });
        soon(watch.changed()).await.expect("it does not tell that BIRD came");
        drop(soon(accepted).await);
        soon(watch.changed()).await.expect("it does not tell that BIRD went");
        fs::remove_file(&socket).unwrap();
    }
}
