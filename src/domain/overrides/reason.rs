//! Why an operator set an override, in their words.

use std::fmt;
use std::sync::Arc;

use thiserror::Error;

use crate::domain::printable::is_control;

/// The most characters of a reason.
const LONGEST: usize = 200;

/// One line of text: 1 to 200 characters, none of which acts on a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason(Arc<str>);

impl Reason {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ReasonError {
    #[error("the reason is blank: leave it out, or say why")]
    Blank,
    #[error("the reason has {0} characters: give at most {LONGEST}")]
    TooLong(usize),
    #[error("the reason has a character that acts on terminals: give one line of plain text")]
    Control,
}

impl TryFrom<&str> for Reason {
    type Error = ReasonError;

    fn try_from(text: &str) -> Result<Self, ReasonError> {
        let length = text.chars().count();
        if text.trim().is_empty() {
            Err(ReasonError::Blank)
        } else if length > LONGEST {
            Err(ReasonError::TooLong(length))
        } else if text.chars().any(is_control) {
            Err(ReasonError::Control)
        } else {
            Ok(Self(text.into()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_line_of_bounded_plain_text() {
        for text in ["kernel upgrade", "größer: \"ja\"", &"x".repeat(200)] {
            assert_eq!(Reason::try_from(text).unwrap().as_str(), text);
        }
        for (text, error) in [
            ("", ReasonError::Blank),
            (" \u{a0} ", ReasonError::Blank),
            (&"é".repeat(201), ReasonError::TooLong(201)),
            ("two\nlines", ReasonError::Control),
            ("\x1b[2J", ReasonError::Control),
            ("a\u{202e}b", ReasonError::Control),
        ] {
            assert_eq!(Reason::try_from(text), Err(error), "{text:?}");
        }
    }
}
