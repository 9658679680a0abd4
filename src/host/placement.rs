//! Places backends on threads by the CPU time that their probes take.
//!
//! Threads are filled one after the other, and not in turn: a thread with more to
//! do works off more each time that it wakes. Ten thousand HTTP probes a second
//! take a fifth less CPU time on one thread than on two.

use std::time::Duration;

use crate::domain::config::{CheckKind, HealthCheck};

/// CPU time that a thread may spend on probes in a second before the next thread
/// is used, in nanoseconds: half a core, so that probes wait for each other only
/// briefly.
const FULL: u64 = 500_000_000;

/// CPU time that the probes of a backend take in a second, in nanoseconds; at most
/// four seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Load(u32);

impl Load {
    /// The load of a check at the shortest of its intervals, since all backends may
    /// change to that at once. `None`: nothing is probed.
    #[must_use]
    pub fn of(check: Option<&HealthCheck>) -> Self {
        let Some(HealthCheck { kind, timing, .. }) = check else { return Self(0) };
        let interval = timing.interval.min(timing.fast_interval).min(timing.down_interval);
        let second = Duration::from_secs(1).as_nanos();
        let load = cost(kind).as_nanos() * second / interval.as_nanos().max(1);
        Self(u32::try_from(load).unwrap_or(u32::MAX))
    }
}

/// The approximate CPU time of a probe (`cargo bench --bench probe-scale`). With
/// TLS, most of it is for the key exchange and the certificate.
fn cost(kind: &CheckKind) -> Duration {
    Duration::from_micros(match kind {
        CheckKind::Icmp | CheckKind::Tcp { tls: None, .. } => 30,
        CheckKind::Http { tls: None, .. } | CheckKind::Udp { .. } | CheckKind::Dns { .. } => 45,
        CheckKind::Grpc { tls: None, .. } => 150,
        CheckKind::Tcp { tls: Some(_), .. }
        | CheckKind::Http { tls: Some(_), .. }
        | CheckKind::Grpc { tls: Some(_), .. } => 1000,
    })
}

/// The sum of the loads on each thread, in nanoseconds of a second.
#[derive(Clone, Debug)]
pub struct Placement {
    loads: Vec<u64>,
}

impl Placement {
    /// At least one thread.
    #[must_use]
    pub fn over(threads: usize) -> Self {
        Self { loads: vec![0; threads.max(1)] }
    }

    /// Places a load on the first thread that is not full with it, or else on the
    /// least busy one. Returns the thread.
    pub fn place(&mut self, load: Load) -> u32 {
        let has_room = |busy: &u64| busy + u64::from(load.0) <= FULL;
        let thread = self.loads.iter().position(has_room).unwrap_or_else(|| self.idlest());
        let thread = u32::try_from(thread).unwrap_or_default();
        self.add(thread, load);
        thread
    }

    /// Changes a load on `thread`. Returns the thread that it has to be on: the
    /// same, unless that is too busy with it and another is less busy.
    pub fn change(&mut self, thread: u32, from: Load, to: Load) -> u32 {
        self.remove(thread, from);
        match self.loads.get(thread as usize) {
            Some(busy) if busy + u64::from(to.0) <= FULL => {
                self.add(thread, to);
                thread
            }
            _ => self.place(to),
        }
    }

    pub fn remove(&mut self, thread: u32, load: Load) {
        if let Some(busy) = self.loads.get_mut(thread as usize) {
            *busy = busy.saturating_sub(load.0.into());
        }
    }

    fn add(&mut self, thread: u32, load: Load) {
        if let Some(busy) = self.loads.get_mut(thread as usize) {
            *busy += u64::from(load.0);
        }
    }

    fn idlest(&self) -> usize {
        let threads = self.loads.iter().enumerate();
        threads.min_by_key(|(_, busy)| **busy).map_or(0, |(thread, _)| thread)
    }
}

#[cfg(test)]
mod tests {
    use std::num::{NonZeroU16, NonZeroU32};

    use proptest::prelude::*;

    use super::*;
    use crate::domain::config::{Timing, TlsSettings};

    fn check(kind: CheckKind, interval: Duration, fast: Duration) -> HealthCheck {
        let timing = Timing {
            interval,
            fast_interval: fast,
            down_interval: interval,
            timeout: interval,
            rise: NonZeroU32::MIN,
            fall: NonZeroU32::MIN,
            damping: None,
        };
        HealthCheck { kind, timing, source_v4: None, source_v6: None, proxy: None }
    }

    fn tcp(tls: bool) -> CheckKind {
        let tls = tls.then_some(TlsSettings::new(None, true));
        CheckKind::Tcp { port: NonZeroU16::MIN, tls, steps: Vec::new() }
    }

    #[test]
    fn a_load_counts_at_its_shortest_interval() {
        let (slow, quick) = (Duration::from_secs(10), Duration::from_secs(1));
        let load = |tls, fast| Load::of(Some(&check(tcp(tls), slow, fast)));
        assert_eq!(load(false, slow), Load(3_000));
        assert_eq!(load(false, quick), Load(30_000));
        assert_eq!(load(true, quick), Load(1_000_000));
        assert_eq!(Load::of(None), Load(0));
    }

    #[test]
    fn one_thread_is_filled_after_the_other_and_then_all_alike() {
        let mut placement = Placement::over(3);
        let fifth = Load(100_000_000);
        let threads: Vec<_> = (0..19).map(|_| placement.place(fifth)).collect();
        assert_eq!(threads[..15], [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2]);
        assert_eq!(threads[15..], [0, 1, 2, 0]);
        (0..2).for_each(|_| placement.remove(1, fifth));
        assert_eq!(placement.place(fifth), 1);
    }

    #[test]
    fn a_load_that_grows_moves_away_from_a_full_thread() {
        let mut placement = Placement::over(2);
        let (small, large) = (Load(50_000_000), Load(250_000_000));
        (0..10).for_each(|_| assert_eq!(placement.place(small), 0));
        let threads: Vec<_> = (0..10).map(|_| placement.change(0, small, large)).collect();
        // Loads that have not grown yet count as they are.
        let moved = threads.iter().filter(|thread| **thread == 1).count();
        assert!(threads[0] == 1 && (4..=6).contains(&moved), "{threads:?}");
        assert_eq!(placement.change(1, large, small), 1, "nothing moves to make a thread idle");
    }

    proptest! {
        /// No thread is more than one backend busier than it must be: either all
        /// are at most full, or none is by more than a load above another.
        #[test]
        fn no_thread_is_overloaded_while_another_has_room(
            threads in 1usize..5,
            loads in prop::collection::vec(1u32..500_000_000, 1..60),
        ) {
            let mut placement = Placement::over(threads);
            for load in &loads {
                placement.place(Load(*load));
            }
            let (least, most) = (placement.loads.iter().min(), placement.loads.iter().max());
            let (least, most) = (*least.unwrap(), *most.unwrap());
            let largest = u64::from(*loads.iter().max().unwrap());
            prop_assert!(most <= FULL || most - least <= largest, "{placement:?}");
            let all: u64 = loads.iter().map(|load| u64::from(*load)).sum();
            prop_assert_eq!(placement.loads.iter().sum::<u64>(), all);
        }
    }
}
