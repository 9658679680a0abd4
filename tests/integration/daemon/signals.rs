//! Signals while the daemon starts, those that end it, and the end of a terminal.

use std::fmt::Write;
use std::path::Path;

use crate::support::hangup::ClosableTerminal;
use crate::support::wait::{DEADLINE, eventually};
use crate::support::{Backend, Daemon, TestBed};
use rustix::process::{Signal, kill_process};
use vpp_maglev::pb::GetVppInfoRequest;

/// A file that takes a while to read.
fn large_config(bed: &TestBed) -> String {
    let mut text = bed.config().text() + "  backends:\n";
    for number in 0..20_000 {
        let (high, low) = (number / 250, number % 250 + 1);
        writeln!(text, "    b{number}: {{address: 127.1.{high}.{low}, enabled: false}}").unwrap();
    }
    text
}

#[tokio::test]
async fn a_signal_while_the_daemon_starts_is_served_once_it_has_started() {
    let bed = TestBed::new(&[]);
    let mut command = bed.command();
    bed.write_config(&large_config(&bed));
    let mut daemon = Daemon::spawn(command.args(["--grpc-addr", "127.0.0.1:0"]));
    // It is logged before the file is read.
    daemon.logged("starting").await;
    for signal in [Signal::HUP, Signal::USR1, Signal::USR2] {
        daemon.signal(signal);
    }
    daemon.logged("log-level-set").await;
    daemon.logged("config-reload-start").await;
    daemon.terminate().await;
}

#[tokio::test]
async fn every_signal_that_asks_for_the_end_says_goodbye_to_vpp() {
    let mut bed = TestBed::new(&[]);
    let dataplane = bed.dataplane();
    let times = [Signal::XCPU, Signal::ALARM, Signal::VTALARM, Signal::PROF];
    let others = [Signal::IO, Signal::STKFLT, Signal::POWER];
    for signal in [Signal::QUIT, Signal::TERM, Signal::INT].into_iter().chain(times).chain(others) {
        let mut daemon = bed.start().await;
        daemon.logged("vpp-connect").await;
        daemon.client().await.get_vpp_info(GetVppInfoRequest {}).await.unwrap();
        // A log in a file that may not grow is no reason to end.
        daemon.signal(Signal::XFSZ);
        daemon.signal(signal);
        let status = daemon.ended().await;
        assert!(status.success(), "{signal:?}: {status}");
        let left = dataplane.control.snapshot().unwrap();
        assert_eq!((left.clients.len(), left.dead_clients.len()), (0, 0), "{signal:?}");
        assert_eq!(daemon.records("vpp-disconnect: left as it is").len(), 1, "{signal:?}");
    }
}

/// maglevd in a terminal, with what it puts among temporary files in `dir`.
fn in_terminal(dir: &Path, flags: &[&str]) -> ClosableTerminal {
    let command = pty_process::blocking::Command::new(env!("CARGO_BIN_EXE_maglevd"))
        .env("MAGLEV_METRICS_ADDR", "")
        .env("TMPDIR", dir)
        .current_dir(dir)
        .args(flags);
    ClosableTerminal::start(command)
}

#[tokio::test]
async fn a_demo_ends_with_its_terminal_and_reloads_at_a_signal_before() {
    let bed = TestBed::of(vec![Backend::stopped("a")]).pools(&["a"]);
    let config = bed.write_config(&bed.config().both(&["a"]).text());
    let flags = ["--demo", "--grpc-addr", "127.0.0.1:0", "--config", config.to_str().unwrap()];
    let mut demo = in_terminal(bed.dir(), &flags);
    demo.sees("Ctrl-C ends it.");
    kill_process(demo.pid(), Signal::HUP).unwrap();
    demo.sees("config-reload-start");
    let status = tokio::task::spawn_blocking(move || demo.closed()).await.unwrap();
    assert!(status.success(), "{status}");
    assert!(!bed.dir().join("maglev-demo").exists());
}

#[tokio::test]
async fn the_dataplane_alone_ends_with_its_terminal() {
    let dir = tempfile::tempdir().unwrap();
    let mut alone = in_terminal(dir.path(), &["--dataplane-only", dir.path().to_str().unwrap()]);
    alone.sees("dataplane-ready");
    let status = tokio::task::spawn_blocking(move || alone.closed()).await.unwrap();
    assert!(status.success(), "{status}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn what_a_killed_daemon_left_is_taken_over() {
    let bed = TestBed::new(&[]).vpp("embedded");
    let dataplanes = || {
        let entries = std::fs::read_dir(bed.dir()).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.is_dir()).collect::<Vec<_>>()
    };
    let mut killed = bed.start().await;
    let left = dataplanes();
    assert_eq!(left.len(), 1);
    killed.signal(Signal::KILL);
    killed.ended().await;
    assert_eq!(dataplanes(), left);
    let daemon = bed.start().await;
    let present = dataplanes();
    assert!(present.len() == 1 && present != left, "{present:?} after {left:?}");
    daemon.terminate().await;
    eventually("nothing is left", DEADLINE, async || dataplanes().is_empty()).await;
}
