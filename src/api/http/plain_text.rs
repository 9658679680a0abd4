//! Text that people read in a terminal.

use std::fmt::Write as _;

/// Whether a terminal only shows this character: no control character of either
/// set, no line separator, and nothing that turns the direction of what follows.
pub(super) fn is_harmless(char: char) -> bool {
    let is_bidi = matches!(
        char,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    !char.is_control() && !is_bidi && !matches!(char, '\u{2028}' | '\u{2029}')
}

/// The text with every other character but line ends as `\u001b`.
pub(super) fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for char in text.chars() {
        if char == '\n' || is_harmless(char) {
            shown.push(char);
        } else {
            // Writing to a String cannot fail.
            let _ = write!(shown, "\\u{:04x}", u32::from(char));
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown_by_its_number() {
        assert_eq!(
            shown("VPP \u{1b}[31m\u{9b}2J\u{202e}x\n"),
            "VPP \\u001b[31m\\u009b2J\\u202ex\n"
        );
        assert_eq!(shown("straße 漢 🦀"), "straße 漢 🦀");
    }
}
