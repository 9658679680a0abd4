//! Wakes a thread now or in a moment. To set it wakes nobody and takes a
//! microsecond or two; to wake a thread that sleeps takes tens of them.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering::AcqRel};
use std::time::Duration;

use rustix::io::{Errno, read};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};

/// See the module's description.
pub struct WakeTimer {
    timer: OwnedFd,
    is_set: AtomicBool,
}

impl WakeTimer {
    /// One that is not set.
    ///
    /// # Errors
    /// The system has no timer to give.
    pub fn new() -> io::Result<Self> {
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC)?;
        Ok(Self { timer, is_set: AtomicBool::new(false) })
    }

    /// Has it ring in `delay`, or as it was set before.
    pub fn ring_in(&self, delay: Duration) {
        if !self.is_set.swap(true, AcqRel) {
            self.set(delay);
        }
    }

    /// Has it ring now, whether it was set or not.
    pub fn ring(&self) {
        self.is_set.swap(true, AcqRel);
        self.set(Duration::ZERO);
    }

    fn set(&self, delay: Duration) {
        // Zero would unset it.
        let delay = delay.max(Duration::from_nanos(1));
        let it_interval = Timespec { tv_sec: 0, tv_nsec: 0 };
        let it_value = Timespec {
            tv_sec: delay.as_secs().cast_signed(),
            tv_nsec: delay.subsec_nanos().into(),
        };
        // It fails for times that are none.
        let _ = timerfd_settime(
            &self.timer,
            TimerfdTimerFlags::empty(),
            &Itimerspec { it_interval, it_value },
        );
    }

    /// Waits until it rings. Whatever was done before it was set is seen after
    /// this, even if it had been set already.
    pub fn wait(&self) {
        let mut count = [0; 8];
        while read(&self.timer, &mut count) == Err(Errno::INTR) {}
        self.is_set.swap(false, AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn it_rings_once_for_all_who_set_it_and_at_once_when_told() {
        let bell = WakeTimer::new().unwrap();
        let begun = Instant::now();
        let delay = Duration::from_millis(1);
        bell.ring_in(delay);
        bell.ring_in(Duration::from_secs(3600));
        bell.wait();
        assert!(begun.elapsed() >= delay);

        bell.ring_in(Duration::from_secs(3600));
        bell.ring();
        bell.wait();
        assert!(begun.elapsed() < Duration::from_secs(3600));

        // It is set again by the first who wants it.
        bell.ring_in(delay);
        bell.wait();
    }
}
