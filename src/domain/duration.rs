//! Durations as Go writes them: `200ms`, `1m30s`, `1.5s`.

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
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    let mut total: u64 = 0;
    loop {
        let (nanos, after) = term(rest)?;
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

/// A duration as it is parsed, exactly and in few units: `1h30m`, `90.5s`.
#[must_use]
pub fn exact(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if duration.subsec_nanos() > 0 || seconds == 0 {
        return format!("{duration:?}");
    }
    let units = [(seconds / 3600, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
    let units = units.iter().filter(|(count, _)| *count > 0);
    units.map(|(count, unit)| format!("{count}{unit}")).collect()
}

/// Parses one number and its unit; returns the nanoseconds and the rest.
fn term(text: &str) -> Result<(u64, &str), DurationError> {
    let (whole, rest) = digits(text);
    let (fraction, rest) = rest.strip_prefix('.').map_or(("", rest), digits);
    if whole.is_empty() && fraction.is_empty() {
        return Err(DurationError::NoNumber);
    }
    let end = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
    let (unit, rest) = rest.split_at(end);
    let scale = match unit {
        "" => return Err(DurationError::NoUnit),
        "ns" => 1,
        // The second is the micro sign, the third the Greek letter.
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return Err(DurationError::UnknownUnit { unit: unit.to_owned() }),
    };
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
    fn an_exact_duration_is_parsed_as_what_it_was() {
        for text in ["1h30m", "2h", "90.5s", "1h1s", "1ms", "48h"] {
            assert_eq!(exact(parse(text).unwrap()), text);
        }
        assert_eq!(exact(Duration::ZERO), "0ns");
    }

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
