//! Texts of a daemon as they may be shown and serialised.

/// `text` with control characters escaped, so that nothing a backend answered
/// can control a terminal.
#[must_use]
pub fn printable(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() { safe.extend(c.escape_default()) } else { safe.push(c) }
    }
    safe
}

/// An empty text is what proto3 has for an absent one.
pub(super) fn present(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(printable("ok \x1b[2J\nname ü"), "ok \\u{1b}[2J\\nname ü");
    }
}
