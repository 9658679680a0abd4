//! Rust as tokens: comments and the contents of strings are left out, so that
//! only what the compiler acts upon is read.

/// A word, `::`, or one other character.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) line: usize,
}

impl Token {
    pub(crate) fn is(&self, text: &str) -> bool {
        self.text == text
    }

    pub(crate) fn is_word(&self) -> bool {
        self.text.starts_with(|c: char| c.is_alphabetic() || c == '_')
    }
}

pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let mut reader = Reader { rest: text, line: 1, tokens: Vec::new() };
    while let Some(first) = reader.rest.chars().next() {
        reader.next(first);
    }
    reader.tokens
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
    tokens: Vec<Token>,
}

impl Reader<'_> {
    fn next(&mut self, first: char) {
        if self.rest.starts_with("//") {
            self.skip(self.rest.find('\n').unwrap_or(self.rest.len()));
        } else if self.rest.starts_with("/*") {
            self.skip(self.rest.find("*/").map_or(self.rest.len(), |end| end + 2));
        } else if let Some(length) = raw_string(self.rest) {
            self.skip(length);
        } else if first == '"' {
            self.skip(quoted(self.rest, '"'));
        } else if first == '\'' {
            // A character, or a lifetime, which ends where its name does.
            let mut after = self.rest.chars().skip(1);
            let is_char = after.next() == Some('\\') || after.next() == Some('\'');
            self.skip(if is_char { quoted(self.rest, '\'') } else { 1 });
        } else if first.is_alphabetic() || first == '_' {
            let is_name = |c: char| c.is_alphanumeric() || c == '_';
            self.push(self.rest.find(|c| !is_name(c)).unwrap_or(self.rest.len()));
        } else if self.rest.starts_with("::") {
            self.push(2);
        } else if first.is_whitespace() {
            self.skip(first.len_utf8());
        } else {
            self.push(first.len_utf8());
        }
    }

    fn push(&mut self, length: usize) {
        let text = self.rest[..length].to_owned();
        self.tokens.push(Token { text, line: self.line });
        self.skip(length);
    }

    fn skip(&mut self, length: usize) {
        let (skipped, rest) = self.rest.split_at(length);
        self.line += skipped.matches('\n').count();
        self.rest = rest;
    }
}

/// The length of the raw string that stands here: `r"…"`, `br#"…"#`.
fn raw_string(text: &str) -> Option<usize> {
    let prefix = ["br", "r"].into_iter().find(|prefix| text.starts_with(prefix))?;
    let hashes = text[prefix.len()..].chars().take_while(|c| *c == '#').count();
    let start = prefix.len() + hashes + 1;
    if text[prefix.len() + hashes..].starts_with('"') {
        let end = format!("\"{}", "#".repeat(hashes));
        Some(text[start..].find(&end).map_or(text.len(), |at| start + at + end.len()))
    } else {
        None
    }
}

fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if c == quote && !escaped {
            return at + c.len_utf8();
        }
        escaped = c == '\\' && !escaped;
    }
    text.len()
}

#[test]
fn comments_and_strings_are_no_tokens() {
    let source = "a::b /* c */ \"d \\\" e\" // f\nr#\"g \" h\"# 'i' '\\'' &'j k";
    let read: Vec<_> = tokens(source).into_iter().map(|token| (token.text, token.line)).collect();
    let expected = [("a", 1), ("::", 1), ("b", 1), ("&", 2), ("j", 2), ("k", 2)];
    assert_eq!(read, expected.map(|(text, line)| (text.to_owned(), line)));
}
