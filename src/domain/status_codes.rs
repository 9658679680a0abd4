//! The status codes of HTTP that pass a check.

use std::fmt;
use std::ops::RangeInclusive;

use super::http::is_interim;

/// Codes and ranges of codes, in the order in which they were given: at least one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StatusCodes(Vec<RangeInclusive<u16>>);

impl From<RangeInclusive<u16>> for StatusCodes {
    fn from(range: RangeInclusive<u16>) -> Self {
        Self(vec![range])
    }
}

impl StatusCodes {
    /// Reads `200`, `200-299` or `200-299,401`. Of each, one code at least must be the
    /// status of an answer.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.split(',').map(|part| range(part.trim_matches(' '))).collect::<Option<_>>().map(Self)
    }

    #[must_use]
    pub fn contains(&self, status: u16) -> bool {
        self.0.iter().any(|range| range.contains(&status))
    }

    /// Whether `is_so` of each of them.
    #[must_use]
    pub fn all(&self, is_so: impl Fn(u16) -> bool) -> bool {
        self.0.iter().cloned().flatten().all(is_so)
    }

    /// The least and the greatest.
    #[must_use]
    pub fn bounds(&self) -> (u16, u16) {
        let least = self.0.iter().map(RangeInclusive::start).min();
        let greatest = self.0.iter().map(RangeInclusive::end).max();
        (least.copied().unwrap_or_default(), greatest.copied().unwrap_or_default())
    }
}

/// `200-299,401`
impl fmt::Display for StatusCodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, range) in self.0.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            match (range.start(), range.end()) {
                (first, last) if first == last => write!(f, "{comma}{first}")?,
                (first, last) => write!(f, "{comma}{first}-{last}")?,
            }
        }
        Ok(())
    }
}

fn range(text: &str) -> Option<RangeInclusive<u16>> {
    let code = |text: &str| {
        let digits = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|code| digits && (100..=599).contains(code))
    };
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let range = code(first)?..=code(last)?;
    range.clone().any(|code| !is_interim(code)).then_some(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_those_that_an_answer_can_have() {
        for text in
            ["200", "101", "599", "200-299", "100-399", "100-101", "200-299,401", "200,204,301-302"]
        {
            assert_eq!(StatusCodes::parse(text).unwrap().to_string(), text);
        }
        for (text, read) in [("200, 401", "200,401"), ("200-200", "200")] {
            assert_eq!(StatusCodes::parse(text).unwrap().to_string(), read);
        }
        for text in [
            "100",
            "103",
            "102-199",
            "299-200",
            "99",
            "600",
            "0200",
            "+20",
            "2xx",
            "200-",
            "-200",
            "",
            "200,",
            ",200",
            "200,103",
            "200 401",
            "200;401",
            "200 - 299",
        ] {
            assert_eq!(StatusCodes::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn each_of_them_passes_and_no_other() {
        let codes = StatusCodes::parse("200-204,401,301-302").unwrap();
        let passing: Vec<_> = (0..=999).filter(|code| codes.contains(*code)).collect();
        assert_eq!(passing, [200, 201, 202, 203, 204, 301, 302, 401]);
        assert_eq!(codes.bounds(), (200, 401));
        assert!(codes.all(|code| code >= 200) && !codes.all(|code| code < 400));
    }
}
