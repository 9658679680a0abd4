//! The stats segment: a file in memory with VPP's layout (version 2), written
//! with plain writes and read by others through a map.
//!
//! Pointers are addresses in a server that does not exist; a reader takes
//! [`BASE`] off them. While the directory is being changed, `in_progress` is 1,
//! and the epoch is another one afterwards.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileExt;

use super::plugin::COUNTER_NAMES;

/// Where the segment would lie in the server's memory.
const BASE: u64 = 0x1_3000_0000;
/// Size of the file; what is never written takes no memory.
const SIZE: u64 = 64 << 20;
const HEADER: u64 = 40;
/// Vectors start at multiples of this, with their header before them.
const ALIGN: u64 = 64;
const ENTRY: usize = 144;

const SCALAR: u32 = 1;
const SIMPLE_COUNTERS: u32 = 2;
const EMPTY: u32 = 5;
const SYMLINK: u32 = 6;
const GAUGE: u32 = 9;

const HEARTBEAT: &str = "/sys/heartbeat";
const NODE_ERRORS: &str = "/node/errors";

/// A directory entry: type, value or pointer, name.
#[derive(Clone, Copy)]
struct SegmentEntry {
    kind: u32,
    value: u64,
    name: &'static str,
}

/// The segment of one VPP process.
pub(super) struct EmbeddedSegment {
    memory: File,
    entries: Vec<SegmentEntry>,
    epoch: u64,
    /// Where nothing has been written yet.
    end: u64,
    threads: u64,
    /// The counters of the last thread, by kind; empty before the first VIP.
    counters: Vec<u64>,
    /// Elements of each counter vector.
    slots: u64,
}

impl EmbeddedSegment {
    /// A segment without VIPs. There is a thread for the main loop and one for
    /// each worker; packets are counted by the last.
    pub(super) fn new(boot_time: u64, workers: u32) -> io::Result<Self> {
        let flags = rustix::fs::MemfdFlags::CLOEXEC;
        let memory = File::from(rustix::fs::memfd_create("stat segment", flags)?);
        memory.set_len(SIZE)?;
        let threads = u64::from(workers) + 1;
        let mut segment = Self {
            memory,
            entries: Vec::new(),
            epoch: 0,
            end: HEADER,
            threads,
            counters: Vec::new(),
            slots: 0,
        };
        let (errors, _) = segment.simple_counters(1)?;
        let entry = |kind, value, name| SegmentEntry { kind, value, name };
        segment.entries = vec![
            entry(SCALAR, 0, HEARTBEAT),
            entry(SCALAR, boot_time, "/sys/boottime"),
            entry(SCALAR, 0, "/sys/last_update"),
            entry(EMPTY, 0, ""),
            entry(GAUGE, u64::from(workers), "/sys/num_worker_threads"),
            entry(SIMPLE_COUNTERS, errors, NODE_ERRORS),
            // Entry 5, element 0.
            entry(SYMLINK, 5, "/err/lb4-gre4/no error"),
        ];
        segment.publish()?;
        Ok(segment)
    }

    /// The descriptor that clients map.
    pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
        self.memory.as_fd()
    }

    /// Sets `/sys/heartbeat`, which grows by one in ten seconds, in place.
    pub(super) fn set_heartbeat(&mut self, heartbeat: u64) -> io::Result<()> {
        self.entries[0].value = heartbeat;
        let directory = self.read_u64(32)? - BASE;
        self.put(directory + 8, &heartbeat.to_le_bytes())
    }

    /// Sets the counters of the `changed` ones of so many VIP slots, slot 0
    /// included. The vectors appear with the first VIP, and move, with the counters
    /// of all slots, when there are more slots than ever before.
    pub(super) fn count(
        &mut self,
        slots: u32,
        changed: &BTreeSet<u32>,
        counters_of: impl Fn(u32) -> [u64; 4],
    ) -> io::Result<()> {
        if u64::from(slots) <= self.slots {
            for &slot in changed {
                for (count, data) in counters_of(slot).iter().zip(&self.counters) {
                    self.put(data + 8 * u64::from(slot), &count.to_le_bytes())?;
                }
            }
            return Ok(());
        }
        let room = u64::from(slots).next_power_of_two();
        let counters: Vec<_> = (0..slots).map(counters_of).collect();
        let mut entries = Vec::new();
        let mut places = Vec::new();
        for (kind, name) in COUNTER_NAMES.into_iter().enumerate() {
            let (value, data) = self.simple_counters(room)?;
            let bytes: Vec<u8> =
                counters.iter().flat_map(|slot| slot[kind].to_le_bytes()).collect();
            self.put(data, &bytes)?;
            entries.push(SegmentEntry { kind: SIMPLE_COUNTERS, value, name });
            places.push(data);
        }
        self.entries.retain(|entry| !COUNTER_NAMES.contains(&entry.name));
        self.entries.extend(entries);
        (self.slots, self.counters) = (room, places);
        self.publish()
    }

    /// Lays out counters for every thread. Gives the pointer to the vector of
    /// vectors, and where the last thread's elements lie.
    fn simple_counters(&mut self, elements: u64) -> io::Result<(u64, u64)> {
        let zeroes: Vec<u8> = (0..elements).flat_map(|_| [0; 8]).collect();
        let mut pointers = Vec::new();
        let mut last = 0;
        for _ in 0..self.threads {
            last = self.vector(elements, &zeroes)?;
            pointers.extend_from_slice(&(BASE + last).to_le_bytes());
        }
        let outer = self.vector(self.threads, &pointers)?;
        Ok((BASE + outer, last))
    }

    /// Writes the directory to a new place and announces it.
    fn publish(&mut self) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(self.entries.len() * ENTRY);
        for entry in &self.entries {
            bytes.extend_from_slice(&entry.kind.to_le_bytes());
            bytes.extend_from_slice(&[0; 4]);
            bytes.extend_from_slice(&entry.value.to_le_bytes());
            let mut name = [0; 128];
            name[..entry.name.len()].copy_from_slice(entry.name.as_bytes());
            bytes.extend_from_slice(&name);
        }
        self.put(24, &1_u64.to_le_bytes())?;
        let directory = self.vector(self.entries.len() as u64, &bytes)?;
        self.put(0, &2_u64.to_le_bytes())?;
        self.put(8, &BASE.to_le_bytes())?;
        self.put(32, &(BASE + directory).to_le_bytes())?;
        self.epoch += 1;
        self.put(16, &self.epoch.to_le_bytes())?;
        self.put(24, &0_u64.to_le_bytes())
    }

    /// Writes a new vector: eight bytes of header, then its elements.
    fn vector(&mut self, length: u64, bytes: &[u8]) -> io::Result<u64> {
        let data = (self.end + 8).next_multiple_of(ALIGN);
        let after = data + bytes.len() as u64;
        if after > SIZE {
            return Err(io::Error::new(io::ErrorKind::StorageFull, "the stats segment is full"));
        }
        let length = u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
        // Header size in words, alignment bits, growth, padding.
        self.put(data - 8, &[length[0], length[1], length[2], length[3], 1, 6, 0, 0])?;
        self.put(data, bytes)?;
        self.end = after;
        Ok(data)
    }

    fn put(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.memory.write_all_at(bytes, at)
    }

    fn read_u64(&self, at: u64) -> io::Result<u64> {
        let mut field = [0; 8];
        self.memory.read_exact_at(&mut field, at)?;
        Ok(u64::from_le_bytes(field))
    }
}
