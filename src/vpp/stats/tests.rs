//! The reader on segments made by hand.

use std::os::unix::fs::FileExt;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use rustix::fs::{MemfdFlags, memfd_create};

use super::*;

const BASE: u64 = 0x7f12_0000_0000;

/// A segment by hand: two threads, three slots, a counter that another plugin
/// has, and entries in the order of a real VPP. Offsets are written out, so
/// that the test knows the layout without the code under test.
fn golden() -> Vec<u8> {
    let mut memory = vec![0; 0x0900];
    let header = [2, BASE, 519, 0, BASE + 0x48];
    for (word, value) in header.into_iter().enumerate() {
        put(&mut memory, 8 * word, &value.to_ne_bytes());
    }
    // Length, header size in words, alignment, growth, padding.
    put(&mut memory, 0x40, &[8, 0, 0, 0, 1, 6, 0, 0]);
    let entries: [(u32, u64, &str); 8] = [
        (1, 42, "/sys/heartbeat"),
        (1, 1_795_356_000, "/sys/boottime"),
        (5, 0, ""),
        (2, BASE + 0x0510, "packet from existing sessions"),
        (2, BASE + 0x0528, "first session packet"),
        (2, BASE + 0x0540, "untracked packet of another plugin"),
        (2, BASE + 0x0558, "untracked packet"),
        (9, 7, "no server configured?"),
    ];
    for (index, (kind, value, name)) in entries.into_iter().enumerate() {
        let at = 0x48 + 144 * index;
        put(&mut memory, at, &kind.to_ne_bytes());
        put(&mut memory, at + 8, &value.to_ne_bytes());
        put(&mut memory, at + 16, name.as_bytes());
    }
    // Four vectors of two threads, then two vectors of elements for each.
    for (kind, sums) in
        [[[0, 7, 1], [0, 3, 2]], [[0, 5, 0], [0, 6, 0]], [[9; 3]; 2], [[0, 0, 1]; 2]]
            .into_iter()
            .enumerate()
    {
        let outer = 0x0508 + 24 * kind;
        put(&mut memory, outer, &[2, 0, 0, 0, 1, 6, 0, 0]);
        for (thread, counts) in sums.into_iter().enumerate() {
            let at = 0x0600 + 0x80 * kind + 0x40 * thread;
            put(&mut memory, outer + 8 + 8 * thread, &(BASE + at as u64 + 8).to_ne_bytes());
            put(&mut memory, at, &[3, 0, 0, 0, 1, 6, 0, 0]);
            for (slot, count) in counts.into_iter().enumerate() {
                put(&mut memory, at + 8 + 8 * slot, &u64::to_ne_bytes(count));
            }
        }
    }
    memory
}

fn put(memory: &mut [u8], at: usize, bytes: &[u8]) {
    memory[at..at + bytes.len()].copy_from_slice(bytes);
}

fn file(bytes: &[u8]) -> File {
    let file = File::from(memfd_create("stat segment", MemfdFlags::CLOEXEC).unwrap());
    file.write_all_at(bytes, 0).unwrap();
    file
}

fn segment(bytes: &[u8]) -> StatsSegment {
    StatsSegment { tries: 2, ..StatsSegment::from_memory(file(bytes)).unwrap() }
}

/// The golden segment with other bytes at one place.
fn with(at: usize, bytes: &[u8]) -> StatsSegment {
    let mut memory = golden();
    put(&mut memory, at, bytes);
    segment(&memory)
}

fn counters(next: u64, first: u64, untracked: u64, no_server: u64) -> Option<VipCounters> {
    Some(VipCounters { next, first, untracked, no_server })
}

#[test]
fn a_segment_is_read_by_name_and_summed_over_threads() {
    let segment = segment(&golden());
    assert_eq!(segment.heartbeat(), Ok(Some(42)));
    let booted = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_356_000);
    assert_eq!(segment.boot_time(), Ok(Some(booted)));
    let slots = segment.slot_counters().unwrap();
    // There is no counter of the fourth kind: that is zero.
    assert_eq!(slots.get(1), counters(10, 11, 0, 0));
    assert_eq!(slots.get(2), counters(3, 0, 2, 0));
    assert_eq!(slots.get(3), None, "nothing is counted there");
}

#[test]
fn before_the_first_vip_every_slot_has_zero() {
    let mut memory = golden();
    put(&mut memory, 0x40, &[3]);
    let slots = segment(&memory).slot_counters().unwrap();
    assert_eq!((slots.get(1), slots.get(u32::MAX)), (counters(0, 0, 0, 0), counters(0, 0, 0, 0)));
    put(&mut memory, 0x48, &[5]);
    put(&mut memory, 0x40, &[0]);
    let empty = segment(&memory);
    assert_eq!((empty.heartbeat(), empty.boot_time()), (Ok(None), Ok(None)));
}

#[test]
fn vectors_that_vpp_has_not_made_yet_count_nothing() {
    let value_of_first_counter = 0x48 + 3 * 144 + 8;
    let slots = with(value_of_first_counter, &[0; 8]).slot_counters().unwrap();
    assert_eq!(slots.get(1), counters(0, 11, 0, 0));
    let second_thread = 0x0518;
    let slots = with(second_thread, &[0; 8]).slot_counters().unwrap();
    assert_eq!(slots.get(1), counters(7, 11, 0, 0));
    // Known and not noted yet are two things.
    assert_eq!(with(0x48 + 144 + 8, &[0; 8]).boot_time(), Ok(None));
    assert_eq!(with(0x48 + 144 + 8, &[255; 8]).boot_time(), Ok(None), "past the end of time");
}

#[test]
fn a_damaged_segment_is_a_typed_error() {
    let counters = |at, bytes: &[u8]| with(at, bytes).slot_counters().unwrap_err();
    let first_counter = 0x48 + 3 * 144;
    let name = LB_COUNTERS[0];
    assert_eq!(counters(first_counter, &[3]), StatsError::WrongType { name, found: 3 });
    for pointer in [1, BASE - 1, BASE, BASE + 7, BASE + 0x0905, u64::MAX] {
        let error = counters(first_counter + 8, &pointer.to_ne_bytes());
        assert!(matches!(error, StatsError::OutOfBounds { .. }), "{pointer:#x}: {error:?}");
    }
    assert_eq!(counters(0x40, &[255; 4]), StatsError::TooLarge);
    // All that a read may touch, and it has touched something already.
    let length = u32::try_from(view::BYTES / 8).unwrap();
    assert_eq!(counters(0x0600, &length.to_ne_bytes()), StatsError::TooLarge);
    let error = counters(0x0600, &1000_u32.to_ne_bytes());
    assert!(matches!(error, StatsError::OutOfBounds { at: 0x0608, length: 8000 }), "{error:?}");
    let wrong = with(0x48, &[2]).heartbeat();
    assert_eq!(wrong, Err(StatsError::WrongType { name: HEARTBEAT, found: 2 }));
}

#[test]
fn what_is_no_segment_is_refused_at_once() {
    let refused = |file| StatsSegment::from_memory(file).unwrap_err();
    let mut memory = golden();
    put(&mut memory, 0, &[3]);
    assert_eq!(refused(file(&memory)), StatsError::Version { found: 3 });
    let short = StatsError::OutOfBounds { at: 0, length: 40 };
    assert_eq!(refused(file(&golden()[..39])), short);
    assert_eq!(refused(file(&[])), short);
    let (pipe, _end) = std::io::pipe().unwrap();
    assert_eq!(refused(std::os::fd::OwnedFd::from(pipe).into()), StatsError::NotMemory);
    assert_eq!(refused(File::open("/dev/zero").unwrap()), StatsError::NotMemory);
}

#[test]
fn a_segment_that_shrinks_under_us_is_no_signal_but_an_error() {
    let segment = segment(&golden());
    segment.memory.set_len(0x0500).unwrap();
    assert!(segment.heartbeat().is_ok(), "the directory is still there");
    let error = segment.slot_counters().unwrap_err();
    assert!(matches!(error, StatsError::OutOfBounds { .. }), "{error:?}");
    segment.memory.set_len(0).unwrap();
    assert_eq!(segment.heartbeat(), Err(StatsError::OutOfBounds { at: 0, length: 40 }));
}

#[test]
fn a_read_that_vpp_disturbs_is_done_again() {
    let segment = segment(&golden());
    let mut reads = 0;
    let found = segment.read_consistent(|_, _| {
        reads += 1;
        if reads == 1 {
            segment.memory.write_all_at(&520_u64.to_ne_bytes(), 16).unwrap();
            return Err(StatsError::TooLarge);
        }
        Ok(reads)
    });
    assert_eq!(found, Ok(2), "an error that was found in a change does not count");

    let mut epoch = 520_u64;
    let never = segment.read_consistent(|_, _| {
        epoch += 1;
        segment.memory.write_all_at(&epoch.to_ne_bytes(), 16).unwrap();
        Ok(())
    });
    assert_eq!(never, Err(StatsError::Busy));

    segment.memory.write_all_at(&1_u64.to_ne_bytes(), 24).unwrap();
    let attempt = segment.read_consistent(|_, _| -> Result<(), _> { panic!("read in a change") });
    assert_eq!(attempt, Err(StatsError::Busy));
}

/// VPP moves its counters and scribbles over the old ones, for ever: whatever
/// is read is all old or all new.
#[test]
fn a_reader_beside_a_writer_never_sees_a_mixture() {
    let segment =
        StatsSegment { tries: 10_000, ..StatsSegment::from_memory(file(&golden())).unwrap() };
    let writer = segment.memory.try_clone().unwrap();
    let stop = AtomicBool::new(false);
    let write = |at: u64, value: u64| writer.write_all_at(&value.to_ne_bytes(), at).unwrap();
    let first_counter = 0x48 + 3 * 144 + 8;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut epoch = 519;
            while !stop.load(Ordering::Relaxed) {
                write(24, 1);
                let (old, new) = if epoch % 2 == 1 { (0x0510, 0x0558) } else { (0x0558, 0x0510) };
                write(old, u64::MAX);
                write(new, BASE + if new == 0x0510 { 0x0608 } else { 0x0788 });
                write(first_counter, BASE + new);
                epoch += 1;
                write(16, epoch);
                write(24, 0);
                std::thread::yield_now();
            }
        });
        // The scope waits for the writer even where a read panics.
        let _stop = StopOnDrop(&stop);
        let mut seen = [0; 2];
        let deadline = Instant::now() + Duration::from_secs(60);
        // On a busy machine the writer may not have begun after the first thousands.
        while seen[0] + seen[1] < 2000 || seen.contains(&0) {
            assert!(Instant::now() < deadline, "both are met: {seen:?}");
            let found = segment.read_consistent(|view, directory| {
                let [entry] = find(view, directory, [LB_COUNTERS[0]])?;
                simple_counters(view, LB_COUNTERS[0], entry.unwrap())
            });
            match found.unwrap().unwrap()[..] {
                [0, 10, 3] => seen[0] += 1,
                [0, 0, 2] => seen[1] += 1,
                ref other => panic!("{other:?}"),
            }
        }
    });
}

struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[derive(Clone, Debug)]
enum Damage {
    Byte(usize, u8),
    Word(usize, u64),
    Length(usize, u32),
    End(usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = || 0_usize..0x08f8;
    let near = prop_oneof![
        Just(0),
        Just(1),
        Just(BASE - 1),
        Just(u64::MAX),
        Just(i64::MAX as u64 + 1),
        (0_u64..0x1000).prop_map(|offset| BASE + offset),
        any::<u64>(),
    ];
    let length = prop_oneof![0_u32..64, Just(u32::MAX), Just(1 << 20), any::<u32>()];
    prop_oneof![
        4 => (at(), any::<u8>()).prop_map(|(at, byte)| Damage::Byte(at, byte)),
        4 => (at(), near).prop_map(|(at, word)| Damage::Word(at / 8 * 8, word)),
        2 => (at(), length).prop_map(|(at, length)| Damage::Length(at / 8 * 8, length)),
        1 => at().prop_map(Damage::End),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    /// Reading ends, in time and memory that the segment does not choose.
    #[test]
    fn no_damage_makes_a_reader_panic_or_loop(damages in prop::collection::vec(damage(), 1..6)) {
        let mut memory = golden();
        for damage in &damages {
            match *damage {
                Damage::Byte(at, byte) => put(&mut memory, at.min(0x08ff), &[byte]),
                Damage::Word(at, word) => put(&mut memory, at, &word.to_ne_bytes()),
                Damage::Length(at, length) => put(&mut memory, at, &length.to_ne_bytes()),
                Damage::End(_) => {}
            }
        }
        let ends = damages.iter().filter_map(|damage| match damage {
            Damage::End(at) => Some(*at),
            _ => None,
        });
        memory.truncate(ends.min().unwrap_or(memory.len()));
        let started = Instant::now();
        if let Ok(segment) = StatsSegment::from_memory(file(&memory)) {
            let segment = StatsSegment { tries: 2, ..segment };
            let _ = (segment.heartbeat(), segment.boot_time());
            if let Ok(slots) = segment.slot_counters() {
                for counts in slots.kinds.iter().flatten() {
                    // Every element was read, so the memory has room for it.
                    prop_assert!(8 * counts.len() <= memory.len());
                }
            }
        }
        prop_assert!(started.elapsed() < Duration::from_secs(5));
    }

    /// What no pointer leads to is never read.
    #[test]
    fn damage_elsewhere_changes_nothing(at in 0x0800_usize..0x0900, byte in any::<u8>()) {
        prop_assert_eq!(with(at, &[byte]).slot_counters(), segment(&golden()).slot_counters());
    }
}
