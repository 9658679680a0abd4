//! Texts of a daemon as they may be shown and serialised.

pub use crate::domain::printable::{printable, printable_json, printable_lines};

/// An empty text is what proto3 has for an absent one.
pub(super) fn present(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}
