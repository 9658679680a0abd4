//! Since when an override is in force, and until when, by both clocks.

use std::time::{Duration, Instant, SystemTime};

use crate::domain::moment::Moment;

/// The longest that an override may be asked to last. One that is to last longer has no
/// end.
pub const LONGEST_TERM: Duration = Duration::from_secs(366 * 24 * 3600);

/// The time of an override. What is counted from it follows the monotonic clock alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OverrideTerm {
    /// When it was set, by the wall clock of that time.
    pub since: SystemTime,
    /// When it ends, by the same clock; `None`: not by itself.
    pub until: Option<SystemTime>,
    /// How old it was when this daemon set or read it.
    age: Duration,
    /// How long it had to last then.
    left: Option<Duration>,
    /// The monotonic time of that.
    counted_from: Instant,
}

impl OverrideTerm {
    /// That of an override which is set now; `lasts` is at most [`LONGEST_TERM`].
    #[must_use]
    pub fn beginning(now: Moment, lasts: Option<Duration>) -> Self {
        let lasts = lasts.map(|lasts| lasts.min(LONGEST_TERM));
        Self {
            since: now.wall,
            until: lasts.and_then(|lasts| now.wall.checked_add(lasts)),
            age: Duration::ZERO,
            left: lasts,
            counted_from: now.monotonic,
        }
    }

    /// That of an override which an earlier daemon has set. If the wall clock was set
    /// back meanwhile, it is new, and lasts no longer than it was to last in all.
    #[must_use]
    pub fn restored(since: SystemTime, until: Option<SystemTime>, now: Moment) -> Self {
        let between =
            |from: SystemTime, to: SystemTime| to.duration_since(from).unwrap_or_default();
        let left = until.map(|until| between(now.wall, until).min(between(since, until)));
        Self { since, until, age: between(since, now.wall), left, counted_from: now.monotonic }
    }

    #[must_use]
    pub fn age(&self, now: Instant) -> Duration {
        self.age + now.saturating_duration_since(self.counted_from)
    }

    /// How long it still lasts; zero: it is over; `None`: until it is ended.
    #[must_use]
    pub fn left(&self, now: Instant) -> Option<Duration> {
        let passed = now.saturating_duration_since(self.counted_from);
        self.left.map(|left| left.saturating_sub(passed))
    }

    #[must_use]
    pub fn is_over(&self, now: Instant) -> bool {
        self.left(now).is_some_and(|left| left.is_zero())
    }

    /// When it is over; `None`: not by itself.
    #[must_use]
    pub fn ends(&self) -> Option<Instant> {
        self.left.and_then(|left| self.counted_from.checked_add(left))
    }
}
