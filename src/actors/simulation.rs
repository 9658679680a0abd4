//! Simulates the daemon on paused time: all actors, a model of the plugin in place of
//! VPP, and faults, operators' commands, writes of others and reloads in an order that
//! a seed determines.
//!
//! `MAGLEV_TEST_SEEDS` sets the number of seeds (default: 50); `MAGLEV_TEST_SEED` runs
//! one seed alone.

mod announced;
mod announcements;
mod counts;
mod driver;
mod eyes;
mod routes;
mod scenario;
mod soak;
mod vpp_fake;
mod vpp_model;
mod vpp_serving;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a whole number")))
}

#[test]
fn vpp_converges_and_keeps_serving_whatever_happens() {
    let seeds = match number("MAGLEV_TEST_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("MAGLEV_TEST_SEEDS").unwrap_or(50),
    };
    let mut counts = counts::SimulationCounts::default();
    let count = seeds.end - seeds.start;
    for seed in seeds {
        let result = catch_unwind(AssertUnwindSafe(|| driver::run(seed, &mut counts)));
        if let Err(panic) = result {
            eprintln!("seed {seed} fails: MAGLEV_TEST_SEED={seed} runs it alone");
            resume_unwind(panic);
        }
    }
    if count >= 50 {
        // What never happened was not tested.
        assert!(counts.is_complete(), "{counts:?}");
    }
    eprintln!("{count} seeds: {counts:?}");
}
