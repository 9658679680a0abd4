//! A server that comes back by a slow start: which weights VPP had, and how many entries
//! of its table went from one other server to another meanwhile.

use std::thread;
use std::time::{Duration, Instant};

use vpp_maglev::domain::balancing::maglev::{Table, diff, table};

use super::bed::{Bed, PRIMARY};
use super::configuration::address;
use super::support::DEADLINE;

/// Between two looks at VPP; a step lasts longer.
const LOOK: Duration = Duration::from_millis(200);
/// As many as the table of the configuration has.
const ENTRIES: u32 = 1024;
const WHOLE: u8 = 100;

/// Has server 1 come back, and waits until it has its whole weight.
pub(crate) fn return_slowly(bed: &mut Bed<'_>, seconds: u8) {
    bed.get_well(&[0]);
    let begun = Instant::now();
    let mut weights = vec![0];
    while weights.last() != Some(&WHOLE) {
        assert!(begun.elapsed() < DEADLINE, "the weights were {weights:?}");
        thread::sleep(LOOK);
        let now = weight(&bed.vpp.cli("show lb vips verbose"));
        if weights.last() != Some(&now) {
            weights.push(now);
        }
    }
    let took = begun.elapsed().as_secs_f64();
    let naive: Vec<_> = (0..=seconds)
        .map(|second| u8::try_from(u32::from(WHOLE) * u32::from(second) / u32::from(seconds)))
        .map(Result::unwrap)
        .collect();
    let (moved, naive) = (collateral(&weights), collateral(&naive));
    let steps = weights.len() - 1;
    let last = f64::from(seconds);
    bed.find(format!("{steps} steps in {took:.0} s"), steps > 2 && took >= last);
    bed.find(format!("the weights {weights:?}"), weights.is_sorted());
    let ratio = f64::from(moved) / f64::from(naive);
    let what =
        format!("moved {moved} entries of others, a step a second {naive}: {ratio:.2} (0.75)");
    bed.find(what, ratio <= 0.75);
}

/// The weight of server 1 in VPP's listing; 0 where it is not there.
fn weight(listing: &str) -> u8 {
    let lines = listing.lines().map(str::trim);
    let line = lines.filter(|line| line.ends_with("used")).find_map(|line| {
        line.strip_prefix(&address(0))?.strip_prefix(" weight:")?.split(' ').next()
    });
    line.and_then(|weight| weight.parse().ok()).unwrap_or(0)
}

/// Entries that go from one other server to another.
fn collateral(weights: &[u8]) -> u32 {
    let table = |weight: u8| -> Table {
        let weights = PRIMARY.map(|index| if index == 0 { weight } else { WHOLE });
        let servers = PRIMARY.map(|index| (address(index).parse().unwrap(), weights[index]));
        table(&servers, ENTRIES)
    };
    weights.windows(2).map(|two| diff(&table(two[0]), &table(two[1])).collateral).sum()
}
