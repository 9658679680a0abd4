//! Simulates what becomes of announcements when VPP is away for longer than its hold, and
//! when a pool dies of which another server can be seen.
//!
//! `MAGLEV_TEST_SEEDS` sets the number of seeds (default: 50).

use std::path::Path;
use std::time::Duration;

use actix::prelude::*;
use tokio::time::sleep;

use crate::actors::simulation::eyes::{EyesTestBed, Sight};
use crate::actors::simulation::number;
use crate::domain::announce::placement::VipPrefix;

/// `hold-vpp`, in milliseconds.
const HOLD: u64 = 30_000;
/// What VPP holds was read by then, by a drift pass if not before.
const SETTLED: Duration = Duration::from_secs(30);
/// The prefixes of both frontends.
const BOTH: [&str; 2] = ["192.0.2.1/32", "192.0.2.2/32"];

fn prefix(text: &str) -> VipPrefix {
    text.parse().expect("a prefix")
}

async fn vpp_is_away(path: &Path, seed: u64) {
    tokio::time::pause();
    let mut bed = EyesTestBed::start(path, seed);
    sleep(SETTLED).await;
    bed.route_changes();
    // Its tables are written and read back within a second.
    let away = bed.millis(50..HOLD - 1000);
    bed.vpp.restart(away).await;
    sleep(Duration::from_secs(60)).await;
    assert_eq!(bed.route_changes(), [], "away for {away:?}");

    let away = bed.millis(HOLD + 100..3 * HOLD);
    bed.vpp.restart(away).await;
    assert_eq!(bed.route_changes(), BOTH.map(|text| (prefix(text), false)), "{away:?}");
    sleep(Duration::from_secs(10)).await;
    assert_eq!(bed.route_changes(), BOTH.map(|text| (prefix(text), true)));
}

#[test]
fn a_restart_of_vpp_within_its_hold_moves_no_route_and_a_longer_one_withdraws_until_it_serves() {
    run_seeds(&async |path, seed| vpp_is_away(path, seed).await);
}

async fn most_of_a_pool_die(path: &Path, seed: u64) {
    tokio::time::pause();
    let bed = EyesTestBed::start(path, seed);
    sleep(SETTLED).await;
    bed.route_changes();
    bed.see(Sight::MostOfOneDead);
    sleep(Duration::from_secs(10)).await;
    assert_eq!(bed.route_changes(), [(prefix(BOTH[0]), false)]);
    bed.see(Sight::Clear);
    sleep(Duration::from_secs(10)).await;
    assert_eq!(bed.route_changes(), [(prefix(BOTH[0]), true)]);
}

#[test]
fn a_pool_of_which_another_server_is_seen_is_withdrawn_and_announced_when_it_is_back() {
    run_seeds(&async |path, seed| most_of_a_pool_die(path, seed).await);
}

fn run_seeds(test: &impl AsyncFn(&Path, u64)) {
    for seed in 0..number("MAGLEV_TEST_SEEDS").unwrap_or(50) {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("maglev.yaml");
        fastrand::seed(seed);
        System::new().block_on(test(&path, seed));
    }
}
