//! VPP's stats segment: its boot time, its heartbeat, and the packets of each
//! VIP, which no API message has.
//!
//! VPP hands out a descriptor of the memory that it counts in ([`StatsSegment::connect`]).
//! We read it with `pread`, not through a map: no `unsafe`, no SIGBUS when the
//! file is shorter than it says, and every bound is checked by the kernel once
//! more. Measured on a real VPP with 3079 directory entries: all four counters
//! take 0.07 ms, and would take 0.04 through a map, nearly all of it the search
//! of the directory by name. That is less than to ask VPP for the slots of
//! its VIPs, so the map is not worth its dangers.
//!
//! The memory is VPP's and changes while it is read, so nothing of it is trusted:
//! - the header's epoch and `in_progress` are the same before and after a read,
//!   or the read is done again, a limited number of times;
//! - nothing is kept from one read for the next, pointers least of all;
//! - every pointer, which is an address in VPP, is translated by the header's
//!   base; one that leads nowhere is an error;
//! - all that one read may touch is [bounded](view::BYTES), whatever lengths it meets.

mod directory;
mod error;
mod slots;
mod socket;
#[cfg(test)]
mod tests;
mod view;

use std::fs::File;
use std::path::Path;
use std::sync::atomic::{Ordering, fence};
use std::time::{Duration, SystemTime};

pub use error::StatsError;
pub use slots::slots;

use directory::{find, scalar, simple_counters};
use view::View;

/// The version of the layout that is read here.
const VERSION: u64 = 2;
/// Attempts at a read that VPP's own changes disturb.
const TRIES: u32 = 50;
/// Between two tries: VPP's changes take some microseconds.
const PAUSE: Duration = Duration::from_millis(1);

const BOOT_TIME: &str = "/sys/boottime";
const HEARTBEAT: &str = "/sys/heartbeat";
/// In the order of [`VipCounters`].
const LB_COUNTERS: [&str; 4] = [
    "packet from existing sessions",
    "first session packet",
    "untracked packet",
    "no server configured",
];

/// The stats segment of one VPP process. Once that process is gone the segment
/// stays as it was, so it is to be opened again with each connection.
///
/// Reads block, a fraction of a millisecond as a rule and [`TRIES`] times
/// [`PAUSE`] at worst.
#[derive(Debug)]
pub struct StatsSegment {
    memory: File,
    tries: u32,
}

/// Packets of one VIP since its slot was taken, over all threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VipCounters {
    /// Of established flows: `packet from existing sessions`.
    pub next: u64,
    /// `first session packet`
    pub first: u64,
    /// Forwarded without a sticky entry: `untracked packet`.
    pub untracked: u64,
    /// Dropped, for no server takes new flows: `no server configured`.
    pub no_server: u64,
}

/// The counters of every slot of VPP's VIP pool, read at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SlotCounters {
    /// By kind, then by slot; `None`: VPP has no such counter yet.
    kinds: [Option<Vec<u64>>; 4],
}

impl SlotCounters {
    /// The counters of a slot; `None` if VPP counts nothing there. Before the
    /// first VIP there are no counters at all, and every slot has zero.
    #[must_use]
    pub fn get(&self, slot: u32) -> Option<VipCounters> {
        let slot = usize::try_from(slot).ok()?;
        let of = |kind: &Option<Vec<u64>>| match kind {
            Some(counts) => counts.get(slot).copied(),
            None => Some(0),
        };
        let [next, first, untracked, no_server] = &self.kinds;
        Some(VipCounters {
            next: of(next)?,
            first: of(first)?,
            untracked: of(untracked)?,
            no_server: of(no_server)?,
        })
    }
}

/// The segment's first 40 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    version: u64,
    base: u64,
    epoch: u64,
    in_progress: u64,
    directory: u64,
}

impl StatsSegment {
    /// Receives the segment from VPP's stats socket. Must be called within a
    /// tokio runtime. `process` is the process that owns the API socket, if
    /// that is known: another VPP's counters are of no use.
    ///
    /// # Errors
    /// See [`StatsError`]; every one may pass with time.
    pub async fn connect(path: &Path, process: Option<i32>) -> Result<Self, StatsError> {
        let memory = socket::receive(path, process).await?;
        Self::from_memory(memory)
    }

    /// The segment that is in `memory`.
    ///
    /// # Errors
    /// [`StatsError::NotMemory`], [`StatsError::Version`], or it cannot be read.
    pub fn from_memory(memory: File) -> Result<Self, StatsError> {
        // A pipe or a device could keep a reader waiting for ever.
        if !memory.metadata().is_ok_and(|metadata| metadata.is_file()) {
            return Err(StatsError::NotMemory);
        }
        let segment = Self { memory, tries: TRIES };
        segment.header()?;
        Ok(segment)
    }

    /// When VPP started; `None` while VPP has not noted it, which it does soon
    /// after its sockets appear.
    ///
    /// # Errors
    /// See [`StatsError`].
    pub fn boot_time(&self) -> Result<Option<SystemTime>, StatsError> {
        let seconds = self.scalar(BOOT_TIME)?.filter(|seconds| *seconds > 0);
        let since = seconds.map(Duration::from_secs);
        Ok(since.and_then(|since| SystemTime::UNIX_EPOCH.checked_add(since)))
    }

    /// VPP's heartbeats since its start: one in ten seconds, unless VPP is
    /// configured otherwise. `None`: VPP does not count them.
    ///
    /// # Errors
    /// See [`StatsError`].
    pub fn heartbeat(&self) -> Result<Option<u64>, StatsError> {
        self.scalar(HEARTBEAT)
    }

    /// The packets of every VIP slot; [`slots()`] gives the slot of each VIP.
    ///
    /// # Errors
    /// See [`StatsError`].
    pub fn slot_counters(&self) -> Result<SlotCounters, StatsError> {
        self.read_consistent(|view, directory| {
            let found = find(view, directory, LB_COUNTERS)?;
            let mut counters = SlotCounters::default();
            for (kind, (entry, name)) in
                counters.kinds.iter_mut().zip(found.into_iter().zip(LB_COUNTERS))
            {
                if let Some(entry) = entry {
                    *kind = simple_counters(view, name, entry)?;
                }
            }
            Ok(counters)
        })
    }

    fn scalar(&self, name: &'static str) -> Result<Option<u64>, StatsError> {
        self.read_consistent(|view, directory| {
            let [entry] = find(view, directory, [name])?;
            entry.map(|entry| scalar(name, entry)).transpose()
        })
    }

    /// Gives what `read` finds while VPP changes no pointer. What it finds in a
    /// change, errors too, does not count.
    fn read_consistent<T>(
        &self,
        mut read: impl FnMut(&mut View<'_>, u64) -> Result<T, StatsError>,
    ) -> Result<T, StatsError> {
        for attempt in 0..self.tries {
            if attempt > 0 {
                std::thread::sleep(PAUSE);
            }
            let before = self.header()?;
            if before.in_progress != 0 {
                continue;
            }
            // VPP orders its writes; these keep our reads in order.
            fence(Ordering::Acquire);
            let found = read(&mut View::new(&self.memory, before.base), before.directory);
            fence(Ordering::Acquire);
            if self.header()? == before {
                return found;
            }
        }
        Err(StatsError::Busy)
    }

    fn header(&self) -> Result<Header, StatsError> {
        let mut bytes = [0; 40];
        View::new(&self.memory, 0).bytes(0, &mut bytes)?;
        let (words, _) = bytes.as_chunks();
        let [version, base, epoch, in_progress, directory] =
            std::array::from_fn(|word| u64::from_ne_bytes(words[word]));
        if version != VERSION {
            return Err(StatsError::Version { found: version });
        }
        Ok(Header { version, base, epoch, in_progress, directory })
    }
}
