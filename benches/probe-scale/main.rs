//! What health checks cost at scale, beside HAProxy with the same checks: CPU
//! time of a probe, memory, and how late probes are.
//!
//! Backends are addresses of 127.0.0.0/8, and one nginx answers for all of
//! them. It is nginx that counts HTTP probes, and the kernel that counts the
//! others, CPU time and memory, for the daemon and HAProxy alike; how late a probe began
//! only the daemon reports. The two run one after the other. HAProxy has no ICMP
//! check.
//!
//! `cargo bench --bench probe-scale [-- http tcp icmp]`; nginx and haproxy must
//! be installed. `MAGLEV_BENCH_SECONDS` (60) is how long each is watched.

#![allow(clippy::unwrap_used, clippy::cast_precision_loss)]

mod haproxy;
mod maglevd;
mod nginx;
#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "other benchmarks use the rest")]
mod support;

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use haproxy::Haproxy;
use maglevd::Prober;
use nginx::Nginx;
use support::eventually;
use support::process::{self, Process};

/// What is checked how often.
struct Scene {
    kind: &'static str,
    backends: u32,
    interval: Duration,
}

const SCENES: [Scene; 3] = [
    Scene { kind: "http", backends: 10_000, interval: Duration::from_secs(1) },
    Scene { kind: "tcp", backends: 50_000, interval: Duration::from_secs(10) },
    Scene { kind: "icmp", backends: 50_000, interval: Duration::from_secs(10) },
];

impl Scene {
    /// The address of each backend, of which each has one of its own.
    fn addresses(&self) -> impl Iterator<Item = Ipv4Addr> {
        let first = u32::from(Ipv4Addr::new(127, 1, 0, 0));
        (first..first + self.backends).map(Ipv4Addr::from)
    }
}

fn main() {
    let seconds = std::env::var("MAGLEV_BENCH_SECONDS").ok();
    let watch = Duration::from_secs(seconds.map_or(60, |seconds| seconds.parse().unwrap()));
    let asked: Vec<_> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    for program in ["nginx", "haproxy"] {
        if !process::is_installed(program) {
            println!("skipped: {program} is not installed");
            return;
        }
    }
    let nginx = Nginx::start();
    for scene in SCENES {
        if !asked.is_empty() && !asked.iter().any(|word| word == scene.kind) {
            continue;
        }
        let Scene { kind, backends, interval } = scene;
        println!("\n{backends} {kind} backends every {interval:?}, watched for {watch:?}");
        if kind != "icmp" {
            let haproxy = Haproxy::start(&scene, nginx.port());
            let seen = observe(&scene, &nginx, haproxy.process(), watch);
            haproxy.assert_all_up(&scene);
            seen.print("haproxy");
        }
        let maglevd = Prober::start(&scene, nginx.port());
        let seen = observe(&scene, &nginx, maglevd.process(), watch);
        let lateness = maglevd.lateness(&scene);
        seen.print("maglevd");
        let milliseconds = |share| lateness.at_most(share).as_secs_f64() * 1000.0;
        println!(
            "  {:<8} late: p50 <= {} ms, p99 <= {} ms, p99.9 <= {} ms, of {} probes",
            "maglevd",
            milliseconds(0.5),
            milliseconds(0.99),
            milliseconds(0.999),
            lateness.count()
        );
    }
}

/// What was seen of a prober in a while.
struct Seen {
    probes: u64,
    cpu: Duration,
    resident: u64,
    peak: u64,
}

/// Watches a prober, once every backend was probed at least once.
fn observe(scene: &Scene, nginx: &Nginx, prober: &Process, watch: Duration) -> Seen {
    let count = || match scene.kind {
        "icmp" => process::echo_requests(),
        // HAProxy resets a connection before nginx sees it.
        "tcp" => process::connects(),
        _ => nginx.connections(),
    };
    // Half as many again, since some were probed twice by then.
    let (before, enough) = (count(), u64::from(scene.backends) * 3 / 2);
    eventually("every backend was probed", || count() - before >= enough);
    let (probes, cpu, begun) = (count(), prober.cpu(), Instant::now());
    std::thread::sleep(watch);
    let (probes, cpu) = (count() - probes, prober.cpu() - cpu);
    let due =
        f64::from(scene.backends) * begun.elapsed().as_secs_f64() / scene.interval.as_secs_f64();
    let made = probes as f64 / due;
    assert!((0.85..1.15).contains(&made), "{probes} probes were made and {due:.0} due");
    Seen { probes, cpu, resident: prober.memory("VmRSS"), peak: prober.memory("VmHWM") }
}

impl Seen {
    fn print(&self, who: &str) {
        let Self { probes, cpu, .. } = self;
        let million = cpu.as_secs_f64() / *probes as f64 * 1e6;
        let [resident, peak] = [self.resident, self.peak].map(|kib| kib as f64 / 1024.0);
        println!(
            "  {who:<8} {probes:>7} probes  {million:>6.1} CPU s per million  resident \
             {resident:>6.1} MiB  peak {peak:>6.1} MiB"
        );
    }
}
