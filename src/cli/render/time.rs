//! Moments and spans as people read them. Nothing here reads a clock.

use crate::api::views::time::{date, time_of_day};

const SECOND_NS: i64 = 1_000_000_000;
const DAY_S: i64 = 86_400;

/// How long ago `at_ns` was at `now_ns` (Unix nanoseconds). `-` where the moment is
/// not known (0). Clocks of two machines differ, so a moment of the future is `0s`.
#[must_use]
pub fn age(now_ns: i64, at_ns: i64) -> String {
    if at_ns == 0 { "-".into() } else { elapsed(now_ns.saturating_sub(at_ns)) }
}

/// A span in its two largest units: `10m30s`, `3d4h`.
#[must_use]
pub fn elapsed(ns: i64) -> String {
    let seconds = ns.max(0) / SECOND_NS;
    let (days, hours) = (seconds / DAY_S, seconds / 3600 % 24);
    let (minutes, rest) = (seconds / 60 % 60, seconds % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{rest}s"),
        (0, 0, _) => format!("{minutes}m{rest}s"),
        (0, _, _) => format!("{hours}h{minutes}m"),
        _ => format!("{days}d{hours}h"),
    }
}

/// A span as the configuration writes it, without loss: `1m30s`, `200ms`.
#[must_use]
pub fn span(ns: i64) -> String {
    const UNITS: [(i64, &str); 6] = [
        (3600 * SECOND_NS, "h"),
        (60 * SECOND_NS, "m"),
        (SECOND_NS, "s"),
        (1_000_000, "ms"),
        (1_000, "us"),
        (1, "ns"),
    ];
    if ns <= 0 {
        return "0s".into();
    }
    let mut rest = ns;
    let mut text = String::new();
    for (unit, name) in UNITS {
        if rest >= unit {
            text.push_str(&format!("{}{name}", rest / unit));
            rest %= unit;
        }
    }
    text
}

/// A moment in UTC to the second, for people: `2026-03-01 12:00:00`.
#[must_use]
pub fn moment(at_ns: i64) -> String {
    if at_ns == 0 {
        return "-".into();
    }
    format!("{} {}", date(at_ns), time_of_day(at_ns))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_have_two_units() {
        let cases = [
            (0, "0s"),
            (59, "59s"),
            (60, "1m0s"),
            (630, "10m30s"),
            (3599, "59m59s"),
            (7_500, "2h5m"),
            (86_400, "1d0h"),
            (100 * 86_400 + 7_200 + 59, "100d2h"),
        ];
        for (seconds, expected) in cases {
            let now = 1_000_000 * SECOND_NS * 1_000;
            assert_eq!(age(now, now - seconds * SECOND_NS), expected);
        }
        assert_eq!(age(5, 0), "-");
        assert_eq!(age(SECOND_NS, 9 * SECOND_NS), "0s");
    }

    #[test]
    fn spans_are_exact() {
        let cases = [
            (0, "0s"),
            (5 * SECOND_NS, "5s"),
            (200_000_000, "200ms"),
            (90 * SECOND_NS, "1m30s"),
            (3600 * SECOND_NS, "1h"),
            (1_500_000_001, "1s500ms1ns"),
        ];
        for (ns, expected) in cases {
            assert_eq!(span(ns), expected);
        }
    }

    #[test]
    fn moments_are_to_the_second() {
        assert_eq!(moment(951_782_400 * SECOND_NS + 7), "2000-02-29 00:00:00");
        assert_eq!(moment(0), "-");
    }
}
