//! Durations as Go writes them: `200ms`, `1m30s`, `1.5s`; and spans as operators type them,
//! with days: `2h`, `1d12h`.

use std::time::Duration;

use thiserror::Error;

#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DurationError {
    /// A number alone. A guessed unit could be wrong by a factor of a thousand.
    #[error("it has no unit; write for example 5s, 200ms or 1m30s")]
    NoUnit,
    /// Letters that are not a unit.
    #[error("{unit:?} is not a unit; use ns, us, ms, s, m or h")]
    UnknownUnit { unit: String },
    /// A unit without a number, or nothing at all.
    #[error("a number must stand before each unit, as in 1m30s")]
    NoNumber,
    #[error("it cannot be negative")]
    Negative,
    /// More than 2^63 - 1 nanoseconds, which is Go's limit.
    #[error("it is longer than 292 years")]
    TooLong,
}

/// Parses one or more numbers, each with a unit, behind a `+` or not. `0` needs no
/// unit, as in Go.
/// Fractions of a nanosecond are dropped.
///
/// # Errors
/// The text is not a duration, or is longer than Go's.
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    if text.starts_with('-') {
        return Err(DurationError::Negative);
    }
    let rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    sum(rest, UNITS)
}

/// Parses what an operator types for how long something is to last: a duration above 0,
/// in days too. `None`: it is none.
#[must_use]
pub fn parse_span(text: &str) -> Option<Duration> {
    let begins = text.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    let span = begins.then(|| sum(text, SPAN_UNITS).ok())?;
    span.filter(|span| !span.is_zero())
}

/// Nanoseconds of each unit. The second of microseconds is the micro sign, the third the
/// Greek letter.
const SPAN_UNITS: &[(&str, u64)] = &[
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ns", 1),
];

/// Those of Go, which has no days.
const UNITS: &[(&str, u64)] = SPAN_UNITS.split_at(1).1;

fn sum(mut rest: &str, units: &[(&str, u64)]) -> Result<Duration, DurationError> {
    let mut total: u64 = 0;
    loop {
        let (nanos, after) = term(rest, units)?;
        total = total
            .checked_add(nanos)
            .filter(|sum| i64::try_from(*sum).is_ok())
            .ok_or(DurationError::TooLong)?;
        if after.is_empty() {
            return Ok(Duration::from_nanos(total));
        }
        rest = after;
    }
}

/// Parses one number and its unit; returns the nanoseconds and the rest.
fn term<'a>(text: &'a str, units: &[(&str, u64)]) -> Result<(u64, &'a str), DurationError> {
    let (whole, rest) = digits(text);
    let (fraction, rest) = rest.strip_prefix('.').map_or(("", rest), digits);
    if whole.is_empty() && fraction.is_empty() {
        return Err(DurationError::NoNumber);
    }
    let end = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
    let (unit, rest) = rest.split_at(end);
    if unit.is_empty() {
        return Err(DurationError::NoUnit);
    }
    let known = units.iter().find(|(name, _)| *name == unit);
    let (_, scale) = *known.ok_or_else(|| DurationError::UnknownUnit { unit: unit.to_owned() })?;
    let nanos = |whole: &str, fraction: &str| -> Option<u64> {
        let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        whole.checked_mul(scale)?.checked_add(part_of(fraction, scale)?)
    };
    nanos(whole, fraction).map(|nanos| (nanos, rest)).ok_or(DurationError::TooLong)
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

/// The fraction 0.`digits` of `scale`, rounded down. Digits after the 18th are less
/// than a nanosecond even of an hour.
fn part_of(digits: &str, scale: u64) -> Option<u64> {
    let (mut numerator, mut denominator) = (0, 1);
    for digit in digits.bytes().take(18) {
        numerator = numerator * 10 + u128::from(digit - b'0');
        denominator *= 10;
    }
    u64::try_from(numerator * u128::from(scale) / denominator).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_reads_them() {
        for (text, nanos) in [
            ("0", 0),
            ("0s", 0),
            ("+0", 0),
            ("+5s", 5_000_000_000),
            ("1ns", 1),
            ("7us", 7_000),
            ("7µs", 7_000),
            ("7μs", 7_000),
            ("200ms", 200_000_000),
            ("40s", 40_000_000_000),
            ("1m30s", 90_000_000_000),
            ("1h2m3s4ms", 3_723_004_000_000),
            ("1.5s", 1_500_000_000),
            (".5s", 500_000_000),
            ("1.s", 1_000_000_000),
            ("0.1h", 360_000_000_000),
            ("0.000000001h", 3_600),
            ("0.0000000000009h", 3),
            ("0.9999999999999999999999s", 999_999_999),
            ("1.9ns", 1),
            ("30s1m", 90_000_000_000),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_nanos(nanos)), "{text}");
        }
    }

    #[test]
    fn spans_have_days_and_are_above_zero() {
        for (text, seconds) in [
            ("2h", 7200),
            ("1d12h", 129_600),
            ("90s", 90),
            ("1h30m", 5400),
            ("30s1m", 90),
            ("1.5h", 5400),
            ("0.5d", 43_200),
            ("2000ms", 2),
        ] {
            assert_eq!(parse_span(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        for text in [
            "",
            "0",
            "2",
            "h",
            "0s",
            "2 h",
            "-2h",
            "+2h",
            "2w",
            "2hh",
            "2é",
            "99999999999999999999s",
            "999999999999999999d",
        ] {
            assert_eq!(parse_span(text), None, "{text}");
        }
        assert_eq!(parse("1d").unwrap_err(), DurationError::UnknownUnit { unit: "d".into() });
    }

    #[test]
    fn each_error_has_its_own_variant() {
        let unknown = |unit: &str| DurationError::UnknownUnit { unit: unit.to_owned() };
        for (text, error) in [
            ("5", DurationError::NoUnit),
            ("1.5", DurationError::NoUnit),
            ("1m30", DurationError::NoUnit),
            ("", DurationError::NoNumber),
            (".s", DurationError::NoNumber),
            ("s", DurationError::NoNumber),
            ("1s.", DurationError::NoNumber),
            ("-5s", DurationError::Negative),
            ("+", DurationError::NoNumber),
            ("++5s", DurationError::NoNumber),
            ("5s+3s", unknown("s+")),
            ("5 s", unknown(" s")),
            ("5s ", unknown("s ")),
            ("5d", unknown("d")),
            ("5S", unknown("S")),
            ("5s-3s", unknown("s-")),
            ("5é3s", unknown("é")),
            ("300000000h", DurationError::TooLong),
            ("2562047h48m", DurationError::TooLong),
            ("99999999999999999999s", DurationError::TooLong),
        ] {
            assert_eq!(parse(text), Err(error), "{text:?}");
        }
    }
}
