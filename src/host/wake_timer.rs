//! Wakes a thread at once or after a delay. To arm the timer takes a microsecond
//! or two, while to wake a sleeping thread takes tens of them.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering::AcqRel};
use std::time::Duration;

use rustix::io::{Errno, read};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};

pub(super) struct WakeTimer {
    timer: OwnedFd,
    is_armed: AtomicBool,
}

impl WakeTimer {
    /// # Errors
    /// The system refuses a timer.
    pub(super) fn new() -> io::Result<Self> {
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC)?;
        Ok(Self { timer, is_armed: AtomicBool::new(false) })
    }

    /// Arms the timer; keeps an earlier deadline.
    pub(super) fn wake_in(&self, delay: Duration) {
        if !self.is_armed.swap(true, AcqRel) {
            self.set(delay);
        }
    }

    /// Wakes the thread now, whether the timer is armed or not.
    pub(super) fn wake_now(&self) {
        self.is_armed.swap(true, AcqRel);
        self.set(Duration::ZERO);
    }

    fn set(&self, delay: Duration) {
        // Zero would disarm it.
        let delay = delay.max(Duration::from_nanos(1));
        let it_interval = Timespec { tv_sec: 0, tv_nsec: 0 };
        let it_value = Timespec {
            tv_sec: delay.as_secs().cast_signed(),
            tv_nsec: delay.subsec_nanos().into(),
        };
        // It fails for invalid times only.
        let _ = timerfd_settime(
            &self.timer,
            TimerfdTimerFlags::empty(),
            &Itimerspec { it_interval, it_value },
        );
    }

    /// Waits until the timer expires. Memory writes before a call that arms it,
    /// even one that found it armed, are visible afterwards.
    pub(super) fn wait(&self) {
        let mut count = [0; 8];
        while read(&self.timer, &mut count) == Err(Errno::INTR) {}
        self.is_armed.swap(false, AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn it_wakes_once_however_often_it_is_armed_and_at_once_on_demand() {
        let timer = WakeTimer::new().unwrap();
        let begun = Instant::now();
        let delay = Duration::from_millis(1);
        timer.wake_in(delay);
        timer.wake_in(Duration::from_secs(3600));
        timer.wait();
        assert!(begun.elapsed() >= delay);

        timer.wake_in(Duration::from_secs(3600));
        timer.wake_now();
        timer.wait();
        assert!(begun.elapsed() < Duration::from_secs(3600));

        // It can be armed again.
        timer.wake_in(delay);
        timer.wait();
    }
}
