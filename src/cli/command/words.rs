//! Splits a line of the shell into words as a POSIX shell does: blanks
//! separate, quotes and backslashes protect them, `#` begins a comment.

/// The line ends within quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the quote {quote} is not closed")]
pub struct UnclosedQuote {
    /// The opening quote: `'` or `"`.
    pub quote: char,
}

/// The words of a line up to the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypedLine {
    /// The words before the one at the cursor.
    pub before: Vec<String>,
    /// The word at the cursor up to it, without quotes; empty between words.
    pub partial: String,
    /// The byte of the line at which that word begins.
    pub start: usize,
    /// The quote that is open at the cursor.
    pub open_quote: Option<char>,
    /// Whether the cursor is in a comment.
    pub comment: bool,
}

/// The words of a whole line.
///
/// # Errors
/// [`UnclosedQuote`] for a quote that is not closed.
pub fn split(line: &str) -> Result<Vec<String>, UnclosedQuote> {
    let Scan { mut words, word, open, .. } = scan(line);
    match open {
        Some(quote) => Err(UnclosedQuote { quote }),
        None => {
            words.extend(word);
            Ok(words)
        }
    }
}

/// The words of a line that ends at the cursor.
#[must_use]
pub fn split_at_cursor(line: &str) -> TypedLine {
    let Scan { words, word, start, open, comment } = scan(line);
    TypedLine { before: words, partial: word.unwrap_or_default(), start, open_quote: open, comment }
}

/// `word` as it must be typed to be one word, with quotes only where they are
/// needed.
#[must_use]
pub fn quoted(word: &str) -> String {
    let bare = |c: char| !c.is_whitespace() && !"'\"\\?".contains(c);
    if !word.is_empty() && !word.starts_with('#') && word.chars().all(bare) {
        word.to_owned()
    } else if word.contains('\'') {
        format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        format!("'{word}'")
    }
}

struct Scan {
    /// Complete words.
    words: Vec<String>,
    /// The word that reaches the end of the line.
    word: Option<String>,
    /// The byte at which it begins, or would.
    start: usize,
    open: Option<char>,
    comment: bool,
}

fn scan(line: &str) -> Scan {
    let mut found =
        Scan { words: Vec::new(), word: None, start: line.len(), open: None, comment: false };
    let mut letters = line.char_indices();
    while let Some((at, c)) = letters.next() {
        if found.word.is_none() {
            found.start = at;
        }
        match (found.open, c) {
            (Some(quote), _) if c == quote => found.open = None,
            // Within double quotes a backslash protects only these two.
            (Some('"'), '\\') if line[at + 1..].starts_with(['"', '\\']) => {
                found.word.get_or_insert_default().extend(letters.next().map(|(_, c)| c));
            }
            (Some(_), _) => found.word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                found.open = Some(c);
                // '' is an empty word.
                found.word.get_or_insert_default();
            }
            (None, '\\') => {
                found.word.get_or_insert_default().extend(letters.next().map(|(_, c)| c));
            }
            (None, '#') if found.word.is_none() => {
                found.comment = true;
                break;
            }
            (None, c) if c.is_whitespace() => found.words.extend(found.word.take()),
            (None, c) => found.word.get_or_insert_default().push(c),
        }
    }
    if found.word.is_none() {
        found.start = line.len();
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_split_as_in_a_posix_shell() {
        let cases: [(&str, &[&str]); 9] = [
            ("", &[]),
            ("  show   backends ", &["show", "backends"]),
            ("show backend 'a b'", &["show", "backend", "a b"]),
            (r#"a"b c"d"#, &["ab cd"]),
            (r"a\ b \\", &["a b", r"\"]),
            (r#""a\"b\\c\d""#, &[r#"a"b\c\d"#]),
            ("''", &[""]),
            ("show version # and no more", &["show", "version"]),
            ("größe a#b", &["größe", "a#b"]),
        ];
        for (line, expected) in cases {
            assert_eq!(split(line).unwrap(), expected, "{line}");
        }
        assert_eq!(split("show 'a b"), Err(UnclosedQuote { quote: '\'' }));
    }

    #[test]
    fn the_word_at_the_cursor_has_its_position() {
        let cases = [
            ("", vec![], "", 0, None),
            ("sh", vec![], "sh", 0, None),
            ("show ", vec!["show"], "", 5, None),
            ("show 'a b", vec!["show"], "a b", 5, Some('\'')),
            ("ü \"x", vec!["ü"], "x", 3, Some('"')),
        ];
        for (line, before, partial, start, open) in cases {
            let before = before.into_iter().map(str::to_owned).collect();
            let partial = partial.to_owned();
            assert_eq!(
                split_at_cursor(line),
                TypedLine { before, partial, start, open_quote: open, comment: false }
            );
        }
        assert!(split_at_cursor("show # ver").comment);
    }

    proptest! {
        #[test]
        fn quoting_is_undone_by_splitting(word in "\\PC{0,12}") {
            prop_assert_eq!(split(&quoted(&word)).unwrap(), vec![word]);
        }
    }
}
