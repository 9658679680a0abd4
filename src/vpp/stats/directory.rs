//! The segment's directory: entries by name, and what they stand for.

use super::error::StatsError;
use super::view::{ReadOn, View};

/// Type, padding, value or pointer, and a name of at most 128 bytes.
const ENTRY: usize = 144;
const VALUE: usize = 8;
const NAME: usize = 16;

// Types of entries, as VPP's vlib/stats/shared.h numbers them.
const SCALAR: u32 = 1;
const SIMPLE_COUNTERS: u32 = 2;
const GAUGE: u32 = 9;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DirectoryEntry {
    kind: u32,
    /// A number, or a pointer.
    value: u64,
}

/// Finds entries by name; of two of a name, the first.
pub(super) fn find<const N: usize>(
    view: &mut View<'_>,
    directory: u64,
    names: [&str; N],
) -> Result<[Option<DirectoryEntry>; N], StatsError> {
    let mut found = [None; N];
    let mut missing = N;
    view.vector(directory, |entry: &[u8; ENTRY]| {
        let name = &entry[NAME..];
        for (found, wanted) in found.iter_mut().zip(names) {
            if found.is_none() && is_named(name, wanted) {
                *found = Some(DirectoryEntry { kind: word(entry), value: long(entry) });
                missing -= 1;
            }
        }
        if missing == 0 { ReadOn::No } else { ReadOn::Yes }
    })?;
    Ok(found)
}

/// Whether a padded name is this one.
fn is_named(name: &[u8], wanted: &str) -> bool {
    let rest = name.strip_prefix(wanted.as_bytes());
    rest.is_some_and(|rest| rest.first().is_none_or(|byte| *byte == 0))
}

fn word(entry: &[u8; ENTRY]) -> u32 {
    u32::from_ne_bytes(std::array::from_fn(|byte| entry[byte]))
}

fn long(entry: &[u8; ENTRY]) -> u64 {
    u64::from_ne_bytes(std::array::from_fn(|byte| entry[VALUE + byte]))
}

/// The number that an entry holds itself.
pub(super) fn scalar(name: &'static str, entry: DirectoryEntry) -> Result<u64, StatsError> {
    match entry.kind {
        SCALAR | GAUGE => Ok(entry.value),
        found => Err(StatsError::WrongType { name, found }),
    }
}

/// The elements of a simple counter, each summed over all threads; `None`
/// while VPP has made the entry and not yet its vectors.
pub(super) fn simple_counters(
    view: &mut View<'_>,
    name: &'static str,
    entry: DirectoryEntry,
) -> Result<Option<Vec<u64>>, StatsError> {
    if entry.kind != SIMPLE_COUNTERS {
        return Err(StatsError::WrongType { name, found: entry.kind });
    }
    let mut threads = Vec::new();
    view.vector(entry.value, |pointer| {
        threads.push(u64::from_ne_bytes(*pointer));
        ReadOn::Yes
    })?;
    if threads.is_empty() {
        return Ok(None);
    }
    let mut sums: Vec<u64> = Vec::new();
    for pointer in threads {
        let mut element = 0;
        view.vector(pointer, |count| {
            let count = u64::from_ne_bytes(*count);
            match sums.get_mut(element) {
                Some(sum) => *sum = sum.wrapping_add(count),
                None => sums.push(count),
            }
            element += 1;
            ReadOn::Yes
        })?;
    }
    Ok(Some(sums))
}
