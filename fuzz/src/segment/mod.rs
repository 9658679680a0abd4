//! The stats segment: any memory gives a typed error, or the very values that
//! a reader finds which has all of it in one slice.

mod reference;

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::{Duration, SystemTime};

use vpp_maglev::vpp::stats::{StatsError, StatsSegment, VipCounters};

use super::allocation::peak;
use reference::{Fault, Reference};

/// Longer inputs are cut: the reader takes more than this at once, so what is
/// outside is found with the first read of a vector.
const LONGEST: usize = 32 << 10;
const COUNTERS: [&str; 4] = [
    "packet from existing sessions",
    "first session packet",
    "untracked packet",
    "no server configured",
];

/// The input: the memory. A segment that is being changed is tried many times,
/// so only a bare header may say that.
///
/// # Panics
/// If the reader and the reference disagree, or memory grows with lengths that
/// the segment has.
pub fn check(data: &[u8]) {
    let mut memory = data[..data.len().min(LONGEST)].to_vec();
    if memory.len() > 40 {
        memory[24..32].fill(0);
    }
    let ((), held) = peak(|| compare(&memory));
    // A chunk; pointers, sums and four results, each in a vector that doubles.
    let most = (64 << 10) + 12 * memory.len() + 4096;
    assert!(held <= most, "{held} bytes for a segment of {}", memory.len());
}

fn compare(memory: &[u8]) {
    let header = Reference::open(memory);
    let segment = match StatsSegment::from_memory(file(memory)) {
        Ok(segment) => segment,
        Err(error) => return assert_eq!(Some(fault(&error)), header.err()),
    };
    let Ok(reference) = header else { panic!("the header was taken: {:?}", header.err()) };

    agree(&segment.heartbeat(), &reference.scalar("/sys/heartbeat"));
    if memory.len() == 40 {
        return;
    }
    let since = |seconds| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
    let booted = reference.scalar("/sys/boottime");
    let booted = booted.map(|found| found.filter(|seconds| *seconds > 0).and_then(since));
    agree(&segment.boot_time(), &booted);

    match (segment.slot_counters(), reference.counters(COUNTERS)) {
        (Ok(slots), Ok(kinds)) => {
            let longest = kinds.iter().flatten().map(Vec::len).max().unwrap_or(0);
            for slot in (0..longest + 2).chain([u32::MAX as usize]) {
                let of = |kind: usize| match &kinds[kind] {
                    None => Some(0),
                    Some(counts) => counts.get(slot).copied(),
                };
                let expected = (|| {
                    Some(VipCounters {
                        next: of(0)?,
                        first: of(1)?,
                        untracked: of(2)?,
                        no_server: of(3)?,
                    })
                })();
                assert_eq!(slots.get(slot as u32), expected, "slot {slot}");
            }
        }
        (read, expected) => agree(&read.map(|_| ()), &expected.map(|_| ())),
    }
}

fn agree<T: PartialEq + std::fmt::Debug>(
    read: &Result<T, StatsError>,
    expected: &Result<T, Fault>,
) {
    match (read, expected) {
        (Err(error), Err(expected)) => assert_eq!(fault(error), *expected),
        (Ok(found), Ok(expected)) => assert_eq!(found, expected),
        _ => panic!("read {read:?}, and it is {expected:?}"),
    }
}

/// The error without its places.
fn fault(error: &StatsError) -> Fault {
    match error {
        StatsError::Version { found } => Fault::Version(*found),
        StatsError::OutOfBounds { .. } => Fault::Outside,
        StatsError::WrongType { name, found } => Fault::Type(name, *found),
        StatsError::TooLarge => Fault::TooLarge,
        StatsError::Busy => Fault::Busy,
        other => panic!("memory cannot cause this: {other}"),
    }
}

fn file(memory: &[u8]) -> File {
    let made = rustix::fs::memfd_create("fuzz", rustix::fs::MemfdFlags::CLOEXEC);
    let file = File::from(made.unwrap_or_else(|error| panic!("no memory file: {error}")));
    file.write_all_at(memory, 0).unwrap_or_else(|error| panic!("cannot write it: {error}"));
    file
}
