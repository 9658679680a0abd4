//! Decides which removals are too many to be meant: those of a file that was cut off, or
//! of a generator that found nothing.

use std::fmt;

/// From this many on, most of them are hardly removed at once.
const FEW: usize = 4;
/// Names that are shown of a long list.
const SHOWN: usize = 10;

/// Whether `removed` of so many that serve are too many to be meant: more than half of at
/// least four.
#[must_use]
pub fn are_most(removed: usize, of: usize) -> bool {
    of >= FEW && removed > of / 2
}

/// Whether `removed` are all that there are, or too many of them to be meant.
#[must_use]
pub fn are_all_or_most(removed: usize, of: usize) -> bool {
    removed > 0 && removed >= of || are_most(removed, of)
}

/// Names for people: the first ten, and how many more there are.
#[derive(Clone, Copy, Debug)]
pub struct FirstNames<'a, T>(pub &'a [T]);

impl<T: fmt::Display> fmt::Display for FirstNames<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.0.iter().take(SHOWN).enumerate() {
            let separator = if index > 0 { ", " } else { "" };
            write!(f, "{separator}{name}")?;
        }
        match self.0.len().checked_sub(SHOWN) {
            Some(more @ 1..) => write!(f, " and {more} more"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_half_of_at_least_four_are_too_many() {
        for (removed, of, most, all_or_most) in [
            (0, 0, false, false),
            (0, 1, false, false),
            (1, 1, false, true),
            (1, 2, false, false),
            (2, 3, false, false),
            (3, 3, false, true),
            (2, 4, false, false),
            (3, 4, true, true),
            (2, 5, false, false),
            (3, 5, true, true),
            (0, 9, false, false),
            (9, 9, true, true),
        ] {
            let found = (are_most(removed, of), are_all_or_most(removed, of));
            assert_eq!(found, (most, all_or_most), "{removed} of {of}");
        }
    }

    #[test]
    fn ten_names_are_shown_and_the_others_are_counted() {
        let names: Vec<_> = ('a'..='l').collect();
        assert_eq!(FirstNames(&names[..2]).to_string(), "a, b");
        assert_eq!(FirstNames(&names[..10]).to_string(), "a, b, c, d, e, f, g, h, i, j");
        let all = FirstNames(&names).to_string();
        assert_eq!(all, "a, b, c, d, e, f, g, h, i, j and 2 more");
    }
}
