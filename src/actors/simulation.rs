//! A day in the life of the daemon in a moment of paused time: every actor, the
//! plugin's model in the place of VPP, and faults, operators, strangers and
//! reloads in an order that a seed chooses.
//!
//! `MAGLEV_TEST_SEEDS` is how many seeds are tried (50 without it),
//! `MAGLEV_TEST_SEED` tries that one alone.

mod driver;
mod scenario;
mod soak;
mod vpp_fake;
mod vpp_model;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// A whole number from the environment.
fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a whole number")))
}

#[test]
fn vpp_ends_as_it_should_whatever_happens_and_serves_all_the_while() {
    let seeds = match number("MAGLEV_TEST_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("MAGLEV_TEST_SEEDS").unwrap_or(50),
    };
    let mut seen = driver::SimulationCounts::default();
    let count = seeds.end - seeds.start;
    for seed in seeds {
        let told = catch_unwind(AssertUnwindSafe(|| driver::live(seed, &mut seen)));
        if let Err(panic) = told {
            eprintln!("seed {seed} fails: MAGLEV_TEST_SEED={seed} tries it alone");
            resume_unwind(panic);
        }
    }
    if count >= 50 {
        // What never happens proves nothing.
        assert!(seen.is_complete(), "{seen:?}");
    }
    eprintln!("{count} seeds: {seen:?}");
}
