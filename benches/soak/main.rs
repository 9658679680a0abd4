//! The built daemon over hours: thousands of backends that fail and heal at
//! random, a reload every half minute, a VPP that restarts, streams and scrapes
//! that come and go. What must not grow is written down as it goes: resident
//! memory, descriptors, threads, series.
//!
//! `MAGLEV_SOAK_SECONDS=3600 cargo bench --bench soak` for an hour; without it a
//! minute, which shows that it runs and judges nothing. `MAGLEV_SOAK_BACKENDS`
//! (5000) is how many backends there are, `MAGLEV_SOAK_SEED` (1) chooses what
//! happens. Ends with status 1 if anything grew.

#![allow(clippy::unwrap_used)]

mod daemon;
mod measurements;
mod scene;
mod servers;
#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "other benchmarks use the rest")]
mod support;

use std::time::Duration;

use fastrand::Rng;
use tokio::time::{Instant, MissedTickBehavior, interval};
use vpp_maglev::vpp::embedded::{Embedded, EmbeddedOptions};

use daemon::Daemon;
use measurements::{Measurement, judge};
use scene::Scene;
use servers::Servers;

/// Between two reloads.
const RELOAD: Duration = Duration::from_secs(30);
/// Between two restarts of VPP.
const VPP_RESTART: Duration = Duration::from_secs(600);
/// Between two scrapes of the metrics page, each of which is a line of numbers.
const SCRAPE: Duration = Duration::from_secs(15);
/// Between two turns of backends.
const TURN: Duration = Duration::from_secs(1);
/// Event streams that are open; one is replaced with every reload.
const STREAMS: usize = 10;

fn setting(name: &str, default: u64) -> u64 {
    let text = std::env::var(name).ok();
    text.map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text}")))
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let grew = runtime.block_on(soak());
    std::process::exit(i32::from(grew));
}

async fn soak() -> bool {
    let length = Duration::from_secs(setting("MAGLEV_SOAK_SECONDS", 60));
    let count = usize::try_from(setting("MAGLEV_SOAK_BACKENDS", 5000)).unwrap();
    let mut rng = Rng::with_seed(setting("MAGLEV_SOAK_SEED", 1));
    let servers = Servers::start();
    let mut scene = Scene::new(count, servers.port());
    let vpp = Embedded::start_private(EmbeddedOptions::default()).unwrap();
    let mut daemon = Daemon::start(&scene.config(), vpp.api_path(), vpp.stats_path());
    for _ in 0..STREAMS {
        daemon.open_stream().await;
    }
    println!("{count} backends, {} frontends, for {length:?}", scene.frontends());
    println!("{}", Measurement::HEAD);

    let begun = Instant::now();
    let every = |period| {
        let mut ticks = interval(period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.reset();
        ticks
    };
    let (mut reload, mut restart) = (every(RELOAD), every(VPP_RESTART));
    let (mut scrape, mut turn) = (every(SCRAPE), every(TURN));
    let mut log: Vec<Measurement> = Vec::new();
    while begun.elapsed() < length {
        tokio::select! {
            _ = turn.tick() => servers.turn(&scene, &mut rng),
            _ = reload.tick() => {
                scene.edit(&mut rng);
                daemon.reload(&scene.config());
                daemon.replace_stream().await;
            }
            _ = restart.tick() => vpp.control().restart().unwrap(),
            _ = scrape.tick() => {
                let measured = daemon.measure(begun.elapsed());
                println!("{measured}");
                log.push(measured);
            }
        }
    }
    daemon.stop();
    judge(&log)
}
