//! Moments and spans as people and scripts read them. Nothing here reads a
//! clock.

const SECOND_NS: i64 = 1_000_000_000;
const DAY_S: i64 = 86_400;

/// How long ago `at_ns` was at `now_ns` (Unix nanoseconds), in its two largest
/// units: `10m30s`, `3d4h`. `-` where the moment is not known (0). Clocks of
/// two machines differ, so a moment of the future is `0s`.
#[must_use]
pub fn age(now_ns: i64, at_ns: i64) -> String {
    if at_ns == 0 {
        return "-".into();
    }
    let seconds = now_ns.saturating_sub(at_ns).max(0) / SECOND_NS;
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

/// A moment in UTC by RFC 3339, to the nanosecond and always of one length, so
/// that such texts sort as their moments do.
#[must_use]
pub fn rfc3339(at_ns: i64) -> String {
    let (date, second_of_day) = date(at_ns);
    let fraction = at_ns.rem_euclid(SECOND_NS);
    format!("{date}T{}.{fraction:09}Z", clock(second_of_day))
}

/// A moment in UTC to the second, for people: `2026-03-01 12:00:00`.
#[must_use]
pub fn moment(at_ns: i64) -> String {
    if at_ns == 0 {
        return "-".into();
    }
    let (date, second_of_day) = date(at_ns);
    format!("{date} {}", clock(second_of_day))
}

fn clock(second_of_day: i64) -> String {
    let (hours, minutes) = (second_of_day / 3600, second_of_day / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02}", second_of_day % 60)
}

/// The date in the Gregorian calendar and the second of that day.
fn date(at_ns: i64) -> (String, i64) {
    let seconds = at_ns.div_euclid(SECOND_NS);
    // Days since 0000-03-01: with the leap day at the end of a year, the months
    // from March on follow the 153-days-in-5-months pattern.
    let days = seconds.div_euclid(DAY_S) + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (format!("{year:04}-{month:02}-{day:02}"), seconds.rem_euclid(DAY_S))
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
    fn dates_are_those_of_the_calendar() {
        // From `date -u -d @N`.
        let cases = [
            (1, "1970-01-01T00:00:00.000000001Z"),
            (951_782_400 * SECOND_NS, "2000-02-29T00:00:00.000000000Z"),
            (1_709_251_199 * SECOND_NS, "2024-02-29T23:59:59.000000000Z"),
            (1_772_323_200 * SECOND_NS, "2026-03-01T00:00:00.000000000Z"),
            (4_107_542_399 * SECOND_NS + 5, "2100-02-28T23:59:59.000000005Z"),
        ];
        for (ns, expected) in cases {
            assert_eq!(rfc3339(ns), expected);
        }
        assert_eq!(moment(951_782_400 * SECOND_NS), "2000-02-29 00:00:00");
    }
}
