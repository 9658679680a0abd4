//! A line of the shell, taken apart into words as a POSIX shell would: blanks
//! separate, quotes and backslashes keep them, `#` begins a comment.

/// A line ends inside a quoted word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the quote {quote} is not closed")]
pub struct Unclosed {
    /// The quote that was opened.
    pub quote: char,
}

/// The words of a line up to the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Typed {
    /// The words before the one at the cursor.
    pub before: Vec<String>,
    /// The beginning of the word at the cursor, quotes removed; empty where
    /// none is begun.
    pub partial: String,
    /// The byte of the line where that word begins.
    pub start: usize,
    /// The quote that is open at the cursor.
    pub open: Option<char>,
    /// Whether the cursor is in a comment.
    pub comment: bool,
}

/// The words of a whole line.
///
/// # Errors
/// [`Unclosed`] where a quote is.
pub fn split(line: &str) -> Result<Vec<String>, Unclosed> {
    let Scan { mut words, word, open, .. } = scan(line);
    match open {
        Some(quote) => Err(Unclosed { quote }),
        None => {
            words.extend(word);
            Ok(words)
        }
    }
}

/// The words of a line that ends at the cursor.
#[must_use]
pub fn typed(line: &str) -> Typed {
    let Scan { words, word, start, open, comment } = scan(line);
    Typed { before: words, partial: word.unwrap_or_default(), start, open, comment }
}

/// `word` as it must be typed to be one word: as it is where nothing in it
/// needs a quote.
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
    /// Where it begins, or would.
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
            // Within double quotes a backslash keeps these two alone.
            (Some('"'), '\\') if line[at + 1..].starts_with(['"', '\\']) => {
                found.word.get_or_insert_default().extend(letters.next().map(|(_, c)| c));
            }
            (Some(_), _) => found.word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                found.open = Some(c);
                // '' is a word, although an empty one.
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
    fn words_are_those_of_a_shell() {
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
        assert_eq!(split("show 'a b"), Err(Unclosed { quote: '\'' }));
    }

    #[test]
    fn the_word_at_the_cursor_is_known_with_its_place() {
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
            assert_eq!(typed(line), Typed { before, partial, start, open, comment: false });
        }
        assert!(typed("show # ver").comment);
    }

    proptest! {
        #[test]
        fn a_quoted_word_is_that_word(word in "\\PC{0,12}") {
            prop_assert_eq!(split(&quoted(&word)).unwrap(), vec![word]);
        }
    }
}
