//! Spans as operators type them: `2h`, `1d12h`, `90s`.

use std::time::Duration;

/// Seconds of each unit.
const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3600), ('m', 60), ('s', 1)];

/// One or more whole numbers, each with its unit; `None` for anything else, and for nothing.
#[must_use]
pub fn parse(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut seconds: u64 = 0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        let (digits, after) = rest.split_at(end);
        let unit = after.chars().next()?;
        let (_, scale) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
        seconds = seconds.checked_add(digits.parse::<u64>().ok()?.checked_mul(scale)?)?;
        rest = &after[unit.len_utf8()..];
    }
    (seconds > 0).then(|| Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_whole_numbers_with_units() {
        for (text, seconds) in
            [("2h", 7200), ("1d12h", 129_600), ("90s", 90), ("1h30m", 5400), ("30s1m", 90)]
        {
            assert_eq!(parse(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        for text in [
            "",
            "2",
            "h",
            "0s",
            "2 h",
            "-2h",
            "1.5h",
            "2w",
            "2hh",
            "2é",
            "99999999999999999999s",
            "999999999999999999d",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
