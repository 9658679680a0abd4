//! Keeps a backend that flaps out of service longer: each return within a window waits
//! twice as long as the one before, up to a bound.
//!
//! A *fall* is a verdict that took the backend from up to down. It counts for `window`
//! from its streak's first failure on. A backend that has passed `rise` times in a row
//! goes up at once after one fall; after `n` falls that count, with the first pass that
//! ends `delay` × 2^(n-2), at most `max-delay`, later. It has to pass all that time: a
//! failure begins the return anew. So damping takes nobody out of service and keeps
//! nobody in.

use std::collections::VecDeque;
use std::time::{Duration, Instant, SystemTime};

/// Falls that are remembered: doubled so often, every delay has met its bound.
const REMEMBERED: usize = 32;

/// `healthchecks.<name>.flap-damping`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlapDamping {
    /// How long a fall counts.
    pub window: Duration,
    /// The wait of the second return.
    pub delay: Duration,
    /// The longest wait.
    pub max_delay: Duration,
}

impl FlapDamping {
    /// The wait of a return after this many falls within the window.
    #[must_use]
    pub fn wait(&self, falls: usize) -> Duration {
        let Some(doublings) = falls.checked_sub(2) else { return Duration::ZERO };
        let factor = 1u32.checked_shl(doublings.try_into().unwrap_or(u32::MAX));
        let wait = factor.and_then(|factor| self.delay.checked_mul(factor));
        wait.unwrap_or(self.max_delay).min(self.max_delay)
    }
}

/// A backend that passes, and whose return waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DampedReturn {
    /// When it had passed often enough.
    pub since: Instant,
    /// How long it has to go on passing.
    pub wait: Duration,
    /// Within the window, at `since`.
    pub falls: usize,
}

impl DampedReturn {
    /// The time that is left.
    #[must_use]
    pub fn left(&self, now: Instant) -> Duration {
        self.wait.saturating_sub(now.saturating_duration_since(self.since))
    }

    /// As it is shown at this moment, by both clocks.
    #[must_use]
    pub fn view(&self, monotonic: Instant, wall: SystemTime) -> DampingView {
        let since = wall - monotonic.saturating_duration_since(self.since);
        DampingView { since, until: since + self.wait, falls: self.falls }
    }
}

/// The same as the API shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DampingView {
    /// When it had passed often enough.
    pub since: SystemTime,
    /// When it returns, if it goes on passing.
    pub until: SystemTime,
    /// Falls that count.
    pub falls: usize,
}

/// The falls of a backend, and its present return.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlapHistory {
    /// The oldest first.
    falls: VecDeque<Instant>,
    pub damped: Option<DampedReturn>,
}

impl FlapHistory {
    pub(super) fn fell(&mut self, damping: Option<&FlapDamping>, at: Instant) {
        let Some(damping) = damping else { return };
        self.forget(damping, at);
        if self.falls.len() == REMEMBERED {
            self.falls.pop_front();
        }
        self.falls.push_back(at);
    }

    /// Whether a backend that has passed often enough by `now` may return.
    pub(super) fn may_return(&mut self, damping: Option<&FlapDamping>, now: Instant) -> bool {
        let Some(damping) = damping else { return true };
        if let Some(damped) = self.damped {
            return damped.left(now).is_zero();
        }
        self.forget(damping, now);
        let falls = self.falls.len();
        let wait = damping.wait(falls);
        if wait.is_zero() {
            return true;
        }
        self.damped = Some(DampedReturn { since: now, wait, falls });
        false
    }

    fn forget(&mut self, damping: &FlapDamping, now: Instant) {
        let counts = |at: &Instant| now.saturating_duration_since(*at) <= damping.window;
        while self.falls.front().is_some_and(|at| !counts(at)) {
            self.falls.pop_front();
        }
    }
}
