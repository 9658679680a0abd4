//! Moments in UTC, from Unix time in nanoseconds. Nothing here reads a clock.

pub use crate::domain::duration::parse as parse_duration;

const SECOND_NS: i64 = 1_000_000_000;
const DAY_S: i64 = 86_400;

/// The RFC 3339 text of a moment; `None` for 0, which means that it is not
/// known.
#[must_use]
pub fn known_moment(at_ns: i64) -> Option<String> {
    (at_ns != 0).then(|| rfc3339(at_ns))
}

/// A moment in UTC by RFC 3339, to the nanosecond and always of one length, so
/// that the texts sort as their moments do.
#[must_use]
pub fn rfc3339(at_ns: i64) -> String {
    let fraction = at_ns.rem_euclid(SECOND_NS);
    format!("{}T{}.{fraction:09}Z", date(at_ns), time_of_day(at_ns))
}

/// The time of day in UTC, to the second: `12:00:00`.
#[must_use]
pub fn time_of_day(at_ns: i64) -> String {
    let second = at_ns.div_euclid(SECOND_NS).rem_euclid(DAY_S);
    format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
}

/// The date in UTC, in the Gregorian calendar: `2026-03-01`.
#[must_use]
pub fn date(at_ns: i64) -> String {
    // Days since 0000-03-01: with the leap day at the end of a year, the months
    // from March on follow the 153-days-in-5-months pattern.
    let days = at_ns.div_euclid(SECOND_NS).div_euclid(DAY_S) + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(known_moment(0), None);
    }
}
