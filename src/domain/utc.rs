//! Moments in UTC, from Unix time in nanoseconds, and back. Nothing here reads a clock.

use std::time::SystemTime;

const SECOND_NS: i64 = 1_000_000_000;
const DAY_S: i64 = 86_400;

/// A moment in UTC by RFC 3339, to the nanosecond and always of one length, so
/// that the texts sort as their moments do.
#[must_use]
pub fn rfc3339(at_ns: i64) -> String {
    let fraction = at_ns.rem_euclid(SECOND_NS);
    format!("{}T{}.{fraction:09}Z", date(at_ns), time_of_day(at_ns))
}

/// The same of a time of the system; one before 1970 or after 2262 becomes the nearest
/// between.
#[must_use]
pub fn unix_rfc3339(at: SystemTime) -> String {
    let since_epoch = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    rfc3339(i64::try_from(since_epoch.as_nanos()).unwrap_or(i64::MAX))
}

/// A moment in UTC for people, to the second: `2026-03-01 12:00:00 UTC`.
#[must_use]
pub fn for_people(at: SystemTime) -> String {
    let text = unix_rfc3339(at);
    let seconds = text.get(..19).unwrap_or(&text);
    format!("{} UTC", seconds.replace('T', " "))
}

/// The moment of such a text; `None` for any other text.
#[must_use]
pub fn parse_rfc3339(text: &str) -> Option<i64> {
    let number = |from: usize, to: usize| -> Option<i64> {
        let digits = text.get(from..to)?;
        digits.bytes().all(|c| c.is_ascii_digit()).then(|| digits.parse().ok())?
    };
    let [year, month, day] = [number(0, 4)?, number(5, 7)?, number(8, 10)?];
    let [hour, minute, second] = [number(11, 13)?, number(14, 16)?, number(17, 19)?];
    let days = days_from_civil(year, month, day);
    let seconds = days * DAY_S + hour * 3600 + minute * 60 + second;
    let at_ns = seconds.checked_mul(SECOND_NS)?.checked_add(number(20, 29)?)?;
    // What is out of a field's range, or written in another way, is not written so.
    (rfc3339(at_ns) == text).then_some(at_ns)
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

/// Days since 1970-01-01, by the same pattern.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let from_march = (month + 9).rem_euclid(12);
    let of_year = (153 * from_march + 2) / 5 + day - 1;
    let of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
    era * 146_097 + of_era - 719_468
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
            assert_eq!(parse_rfc3339(expected), Some(ns));
        }
    }

    #[test]
    fn other_texts_are_no_moments() {
        for text in [
            "",
            "2026-03-01",
            "2026-03-01T00:00:00Z",
            "2026-02-29T00:00:00.000000000Z",
            "2026-13-01T00:00:00.000000000Z",
            "2026-03-01T24:00:00.000000000Z",
            "2026-03-01T00:60:00.000000000Z",
            "2026-03-01 00:00:00.000000000Z",
            "2026-03-01T00:00:00.000000000+",
            "+026-03-01T00:00:00.000000000Z",
            "9999-03-01T00:00:00.000000000Z",
            "2026-03-01T00:00:00.00000000éZ",
        ] {
            assert_eq!(parse_rfc3339(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_moment_is_read_back(at_ns in 0..i64::MAX) {
            prop_assert_eq!(parse_rfc3339(&rfc3339(at_ns)), Some(at_ns));
        }
    }
}
