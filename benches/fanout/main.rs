//! A thousand watchers of a thousand transitions a second: whether readers that
//! keep up lose anything, what it does to flips, and what one that stops
//! reading does to the others and to memory.
//!
//! The built daemon with a dataplane in this process. One backend answers 200
//! once and 503 twice in turn, and flips a weight two of three times; hundreds of others, in no
//! frontend, are paused and resumed. That is done once without watchers and
//! once with them. They speak just enough of gRPC to count events, so that most
//! of the time of both cores is the daemon's.
//! `cargo bench --bench fanout`; `MAGLEV_BENCH_SECONDS` (30) is how long each
//! of the two takes, `MAGLEV_BENCH_READERS` (1000) how many watch.

#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)]

#[path = "../daemon/backends.rs"]
mod backends;
mod daemon;
mod readers;
#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "other benchmarks use the rest")]
mod support;

use std::time::Duration;

use backends::Backends;
use daemon::{Daemon, Load, PAUSED};
use readers::Readers;
use vpp_maglev::vpp::embedded::{Embedded, EmbeddedOptions};

fn number(name: &str, default: usize) -> usize {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let seconds = Duration::from_secs(number("MAGLEV_BENCH_SECONDS", 30) as u64);
    runtime.block_on(measure(seconds, number("MAGLEV_BENCH_READERS", 1000)));
}

async fn measure(time: Duration, count: usize) {
    let servers = Backends::start(2);
    let embedded = Embedded::start_private(EmbeddedOptions::default()).unwrap();
    let daemon = Daemon::start(&servers, embedded.api_path()).await;
    println!("{PAUSED} backends paused and resumed, one flipping; {time:?} each");

    let alone = daemon.run(&servers, time).await;
    report("without watchers", &alone, &daemon);

    let readers = Readers::start(daemon.address(), count);
    readers.begun();
    let before = daemon.memory();
    let watched = daemon.run(&servers, time).await;
    report(&format!("with {count} watchers and one that does not read"), &watched, &daemon);
    println!("  memory before: {:.1} MiB", mib(before));

    let ratio = |at: usize| {
        at_hundredth(&watched.flips, at).as_secs_f64()
            / at_hundredth(&alone.flips, at).as_secs_f64()
    };
    println!("flips with watchers against without: p50 {:.2}, p99 {:.2}", ratio(50), ratio(99));
    let outcome = readers.end().await;
    let readers::Outcome { readers, events, lost, .. } = outcome;
    println!("watchers: {events} events for each of {readers}, {lost} of them lost");
    assert!(outcome.equal, "not all watchers received the same");
    assert_eq!(outcome.lost, 0, "a reader that kept up lost something");
    daemon.stop().await;
}

fn report(what: &str, load: &Load, daemon: &Daemon) {
    let rate = load.transitions as f64 / load.took.as_secs_f64();
    let cpu = load.cpu.as_secs_f64() / load.took.as_secs_f64();
    println!("{what}");
    println!("  {rate:.0} transitions/s, daemon {cpu:.2} cores, {:.1} MiB", mib(daemon.memory()));
    let at = |hundredth| at_hundredth(&load.flips, hundredth).as_secs_f64() * 1000.0;
    let (count, p50, p99, max) = (load.flips.len(), at(50), at(99), at(100));
    println!("  flips n {count}  p50 {p50:.3} ms  p99 {p99:.3} ms  max {max:.3} ms");
}

/// Of sorted times.
fn at_hundredth(times: &[Duration], hundredth: usize) -> Duration {
    times[(times.len() * hundredth / 100).min(times.len() - 1)]
}

fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}
