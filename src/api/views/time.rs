//! Moments in UTC, from Unix time in nanoseconds, as the read model has them.

pub use crate::domain::utc::{date, rfc3339, time_of_day};

/// The RFC 3339 text of a moment; `None` for 0, which means that it is not
/// known.
#[must_use]
pub fn known_moment(at_ns: i64) -> Option<String> {
    (at_ns != 0).then(|| rfc3339(at_ns))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_of_0_is_not_known() {
        assert_eq!(known_moment(0), None);
        assert_eq!(known_moment(1).unwrap(), "1970-01-01T00:00:00.000000001Z");
    }
}
