//! What a one-shot `maglevc show backends` costs against a local daemon with
//! many backends, and how much of it is the daemon's.
//!
//! `cargo bench --bench cli`; `MAGLEV_BENCH_BACKENDS` for another number.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on may stop")]

#[path = "support/mod.rs"]
#[allow(dead_code, reason = "other benchmarks use the rest")]
mod support;

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use support::DEADLINE;
use support::maglevd::Maglevd;

use vpp_maglev::cli::answer::CliAnswer;
use vpp_maglev::cli::command::request::DaemonRequest;
use vpp_maglev::cli::execute::execute;
use vpp_maglev::cli::render::context::RenderContext;
use vpp_maglev::cli::render::text;
use vpp_maglev::client::address::DaemonAddress;
use vpp_maglev::client::connection::DaemonClient;

/// Measured runs; the median is printed.
const RUNS: usize = 21;

/// Servers of a frontend.
const SERVERS: usize = 100;

fn main() {
    let backends = std::env::var("MAGLEV_BENCH_BACKENDS").ok();
    let backends = backends.map_or(10_000, |number| number.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let address = format!("unix:{}", folder.path().join("grpc.sock").display());
    let daemon = daemon(backends, &address);

    println!("{backends} backends, medians of {RUNS}, milliseconds");
    measure("maglevc show backends, the whole process", || {
        let lines = maglevc(&address, "backends");
        assert_eq!(lines, backends + 1);
    });
    measure("maglevc show version, the same without a daemon", || {
        assert_eq!(maglevc(&address, "version"), 1);
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let server: DaemonAddress = address.parse().unwrap();
    let mut answer = CliAnswer::Backends(Vec::new());
    measure("connecting and the daemon's answer, decoded", || {
        answer = runtime.block_on(async {
            let client = DaemonClient::connect(&server.clone().into()).await.unwrap();
            execute(&client, DaemonRequest::ShowBackends, Duration::ZERO).await.unwrap()
        });
    });
    let page = RenderContext { now_ns: 0, width: None, colour: false };
    measure("the text of the answer", || {
        assert_eq!(text::text(&answer, &page).lines().count(), backends + 1);
    });
    daemon.stop();
}

/// Prints the median of some runs.
fn measure(what: &str, mut run: impl FnMut()) {
    run();
    let mut taken: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed()
        })
        .collect();
    taken.sort_unstable();
    println!("{what:<50} {:7.1}", taken[RUNS / 2].as_secs_f64() * 1000.0);
}

/// Lines that maglevc writes.
fn maglevc(server: &str, what: &str) -> usize {
    let mut command = Command::new(env!("CARGO_BIN_EXE_maglevc"));
    let output = command.args(["--server", server, "show", what]).stdin(Stdio::null()).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout.iter().filter(|byte| **byte == b'\n').count()
}

/// A daemon on the embedded dataplane that listens at `address`, once it has
/// written everything.
fn daemon(backends: usize, address: &str) -> Maglevd {
    let (sender, synced) = mpsc::channel();
    let flags = ["--metrics-addr", "", "--grpc-addr", address];
    let config = configuration(backends);
    let daemon = Maglevd::start(&config, Path::new("embedded"), &flags, move |line| {
        if line.contains("vpp-lbsync-done") && line.contains("\"all\"") {
            // Nobody waits for more than the first.
            let _ = sender.send(());
        }
    });
    synced.recv_timeout(DEADLINE).unwrap();
    daemon
}

/// Backends without a check in frontends of [`SERVERS`] each.
fn configuration(backends: usize) -> String {
    let mut text = String::from(
        "maglev:\n  vpp:\n    lb:\n      ipv4-src-address: 192.0.2.1\n      \
         ipv6-src-address: 2001:db8::1\n  backends:\n",
    );
    for number in 0..backends {
        let address = format!("10.{}.{}.1", number / 256, number % 256);
        writeln!(text, "    b{number:05}: {{ address: {address} }}").unwrap();
    }
    text.push_str("  frontends:\n");
    for first in (0..backends).step_by(SERVERS) {
        let number = first / SERVERS;
        let vip = format!("192.0.{}.{}", 2 + number / 250, number % 250 + 1);
        let members: Vec<String> = (first..backends.min(first + SERVERS))
            .map(|number| format!("b{number:05}: {{}}"))
            .collect();
        let members = members.join(", ");
        writeln!(
            text,
            "    f{number:03}: {{ address: {vip}, protocol: tcp, port: 80, \
             pools: [{{ name: p, backends: {{ {members} }} }}] }}"
        )
        .unwrap();
    }
    text
}
