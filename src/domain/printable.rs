//! Text of others, such as what a backend answered, as people and terminals may
//! read it. There is one rule for all places: logs, standard error, JSON lines,
//! tables and metrics.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a character acts on what shows it, rather than being shown: control
/// characters of ASCII and of Latin-1 (U+0080 to U+009F), the separators of lines and
/// paragraphs, and the marks that reorder text (Unicode Bidirectional Algorithm,
/// UAX #9).
#[must_use]
pub fn is_control(c: char) -> bool {
    let reorders = matches!(
        c,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    c.is_control() || reorders || matches!(c, '\u{2028}' | '\u{2029}')
}

/// `text` with such characters escaped as Rust does: `\n`, `\u{1b}`.
#[must_use]
pub fn printable(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if is_control(c) { safe.extend(c.escape_default()) } else { safe.push(c) }
    }
    safe
}

/// The same of several lines, which stay lines.
#[must_use]
pub fn printable_lines(text: &str) -> String {
    text.split('\n').map(printable).collect::<Vec<_>>().join("\n")
}

/// Serialised JSON with such characters escaped as JSON does: `\u009b`. Line breaks
/// stay, which are not in strings; the others are nowhere else.
#[must_use]
pub fn printable_json(json: &str) -> Cow<'_, str> {
    let acts = |c: char| c != '\n' && is_control(c);
    if !json.contains(acts) {
        return Cow::Borrowed(json);
    }
    let mut safe = String::with_capacity(json.len());
    for c in json.chars() {
        if acts(c) {
            // Writing to a String cannot fail.
            let _ = write!(safe, "\\u{:04x}", u32::from(c));
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_on_a_terminal_is_escaped() {
        assert_eq!(printable("ok \x1b[2J\nname ü"), "ok \\u{1b}[2J\\nname ü");
        for c in ["\u{7f}", "\u{80}", "\u{9b}", "\u{9f}", "\u{61c}", "\u{200e}", "\u{200f}"] {
            assert!(printable(c).starts_with("\\u{"), "{c:?}");
        }
        for c in ["\u{202a}", "\u{202e}", "\u{2066}", "\u{2069}", "\u{2028}", "\u{2029}"] {
            assert!(printable(c).starts_with("\\u{"), "{c:?}");
        }
        // Letters of any script, marks on them and joined symbols are text.
        for text in ["größter", "שלום", "e\u{301}", "👩\u{200d}🚀", "\u{a0}"] {
            assert_eq!(printable(text), text);
        }
        assert_eq!(printable_lines("a\n\x1bb\n"), "a\n\\u{1b}b\n");
    }

    #[test]
    fn escaped_json_says_the_same() {
        let json = "{\n  \"why\": \"\u{9b}2J \u{202e}x\u{7f}\"\n}";
        let escaped = printable_json(json);
        assert_eq!(escaped, "{\n  \"why\": \"\\u009b2J \\u202ex\\u007f\"\n}");
        assert!(matches!(printable_json(&escaped), Cow::Borrowed(_)));
    }
}
