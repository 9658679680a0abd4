//! The built daemon as it serves: how long a flip takes from the deciding
//! probe result to VPP's reply, what a full sync costs beside the same messages
//! sent bare, and what a quiet drift pass costs.
//!
//! Each backend is probed over HTTP on loopback. One of them answers 200 once and 503
//! twice in turn, so that two of three probes are transitions; the others pass, so that
//! it always has a witness. The daemon's log has how long each flip took. Then others are
//! probed so seldom that they are asked whether they pass: a round trip more. Runs on the
//! embedded dataplane, in this process, as VPPs with and without weights, and on a real VPP
//! of either kind as well when `MAGLEV_TEST_VPP_API` names its socket; that VPP's `lb`
//! configuration is replaced, and is empty in the end.
//! `cargo bench --bench daemon`; `MAGLEV_BENCH_SECONDS` (6) is how long flips
//! are watched, `MAGLEV_BENCH_BACKENDS` (1000) how many are probed. A VPP that
//! has just been through one run lists what was removed for minutes, and reads
//! slowly meanwhile: give each run a fresh one.

#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)]

mod backends;
mod bare;
mod daemon;
mod scene;
#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "other benchmarks use the rest")]
mod support;

use std::path::Path;
use std::time::{Duration, Instant};

use bare::Bare;
use daemon::Daemon;
use scene::Scene;
use vpp_maglev::domain::dataplane::step::Step;
use vpp_maglev::vpp::client::{ClientOptions, VppClient};
use vpp_maglev::vpp::embedded::plugin::PluginApi;
use vpp_maglev::vpp::embedded::{Embedded, EmbeddedOptions};

/// Times that a full sync, and its bare counterpart, are timed; even, so that
/// each comes first as often as the other.
const ROUNDS: usize = 6;
/// Quiet passes that are timed.
const PASSES: usize = 11;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let seconds = std::env::var("MAGLEV_BENCH_SECONDS").ok();
    let watch = Duration::from_secs(seconds.map_or(6, |seconds| seconds.parse().unwrap()));
    println!("{} VIPs with {} servers each, tables of 1024", scene::VIPS, scene::SERVERS);
    let real = std::env::var_os("MAGLEV_TEST_VPP_API");
    let count = std::env::var("MAGLEV_BENCH_BACKENDS").ok();
    let scene = Scene::witnessed(count.map_or(1000, |count| count.parse().unwrap()));
    let asking = Scene::asking();
    let both = async |name, socket: &Path| {
        measure(name, &scene, socket, watch).await;
        measure_asking(&asking, socket, watch).await;
    };
    for (name, api) in [("embedded", PluginApi::V1_2), ("embedded, 1.1.0", PluginApi::V1_1)] {
        let options = EmbeddedOptions { api, ..EmbeddedOptions::default() };
        let embedded = Embedded::start_private(options).unwrap();
        runtime.block_on(both(name, embedded.api_path()));
    }
    match real {
        Some(socket) => runtime.block_on(both("real VPP", Path::new(&socket))),
        None => println!("real VPP: skipped, MAGLEV_TEST_VPP_API is not set"),
    }
}

async fn measure(name: &str, scene: &Scene, socket: &Path, watch: Duration) {
    let client = VppClient::connect(socket, ClientOptions::default()).await.unwrap();
    let dialect = client.lb_dialect().unwrap();
    println!("\n{name} ({dialect}), {} backends probed every {:?}", scene.backends, scene.interval);
    clear(&client).await;
    let mut daemon = Daemon::start(scene, socket).await;
    daemon.all_up(scene.backends).await;
    daemon.sync().await;

    let bare = Bare::start(socket);
    scene.server.flip(true);
    daemon.take();
    bare.take();
    tokio::time::sleep(watch).await;
    let quiet = bare.take();
    row("bare flip", quiet);
    let taken = daemon.take();
    row("flip", taken.flips);
    row("failing answer to VPP's reply", taken.downs);

    // Flips are overtaking only while there is a full sync to overtake.
    let mut flips = Vec::new();
    let mut beside = Vec::new();
    let begun = Instant::now();
    while begun.elapsed() < watch || flips.len() < 200 {
        apply(&client, scene.spoil(dialect)).await;
        daemon.take();
        bare.take();
        let steps = daemon.sync().await;
        assert!(steps >= scene::SERVER_COUNT, "a full sync of {steps} steps");
        beside.extend(bare.take());
        flips.extend(daemon.take().flips_in_pass);
    }
    row("bare flip during full syncs", beside);
    row("flip during full syncs", flips);
    bare.stop();
    daemon.settle(scene).await;

    let mut passes = Vec::new();
    for _ in 0..PASSES {
        daemon.take();
        assert_eq!(daemon.sync().await, 0);
        passes.extend(daemon.take().passes);
    }
    row("quiet drift pass", passes);

    if scene.backends == 1000 {
        full_syncs(scene, &client, &mut daemon).await;
    }
    daemon.stop().await;
    clear(&client).await;
    client.close().await;
}

/// The flips of a backend without a witness.
async fn measure_asking(scene: &Scene, socket: &Path, watch: Duration) {
    println!("  {} backends probed every {:?}", scene.backends, scene.interval);
    let client = VppClient::connect(socket, ClientOptions::default()).await.unwrap();
    let mut daemon = Daemon::start(scene, socket).await;
    daemon.all_up(scene.backends).await;
    daemon.sync().await;
    scene.server.flip(true);
    daemon.take();
    tokio::time::sleep(watch).await;
    row("failing answer to reply, asked", daemon.take().downs);
    daemon.stop().await;
    clear(&client).await;
    client.close().await;
}

/// The same messages, sent by the daemon's full sync and bare. What was removed
/// slows every later round down, so neither always comes after the other.
async fn full_syncs(scene: &Scene, client: &VppClient, daemon: &mut Daemon) {
    let (mut bare, mut synced) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        for is_bare in [round % 2 == 0, round % 2 != 0] {
            clear(client).await;
            let steps = scene.steps();
            let count = steps.len();
            if is_bare {
                let begun = Instant::now();
                apply(client, steps).await;
                bare.push(begun.elapsed());
            } else {
                daemon.take();
                assert_eq!(daemon.sync().await, count);
                synced.extend(daemon.take().passes);
            }
        }
    }
    let ratio = median(&mut synced).as_secs_f64() / median(&mut bare).as_secs_f64();
    row("full sync, bare and pipelined", bare);
    row("full sync", synced);
    println!("  full sync against bare, medians: {ratio:.3}");
}

/// Removes every VIP.
async fn clear(client: &VppClient) {
    let seen = client.read_state().await.unwrap();
    let mut steps = Vec::new();
    for (&vip, held) in &seen.vips {
        let servers = held.servers.keys();
        steps.extend(servers.map(|&server| Step::RemoveServer { vip, server, flush: true }));
        steps.push(Step::RemoveVip(vip));
    }
    apply(client, steps).await;
}

async fn apply(client: &VppClient, steps: Vec<Step>) {
    for result in client.apply(steps, false).await {
        result.unwrap();
    }
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    (times[(times.len() - 1) / 2] + times[times.len() / 2]) / 2
}

fn row(what: &str, mut times: Vec<Duration>) {
    let p50 = median(&mut times);
    let count = times.len();
    let (p99, max) = (times[count * 99 / 100], times[count - 1]);
    let [p50, p99, max] = [p50, p99, max].map(|time| format!("{:.3}", time.as_secs_f64() * 1000.0));
    println!("  {what:<34} n {count:>5}  p50 {p50:>9} ms  p99 {p99:>9} ms  max {max:>9} ms");
}
