//! Parses words to a [`CliCommand`] along the grammar: exact matches first,
//! then unambiguous prefixes, then values. It also lists what can follow.

use crate::api::views::text::printable;
use crate::cli::command::grammar::{GrammarToken, Node, Path, ROOT, ValueSlot};
use crate::cli::command::request::CliCommand;

/// Why words are not a command. Each names the word and what was possible.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ParseError {
    /// Nothing was typed.
    #[error("no command given; possible: {}", list(.possible))]
    Empty {
        /// The first words of all commands.
        possible: Vec<&'static str>,
    },
    /// No token at this place matches the word.
    #[error(
        "`{}` is not possible {}; {}{}",
        printable(.word),
        position(.after),
        did_you_mean(.word, .possible),
        alternatives(.possible)
    )]
    Unknown {
        /// The word as it was typed.
        word: String,
        /// The words before it, in full.
        after: Vec<String>,
        /// What would have matched; empty: the command was complete.
        possible: Vec<&'static str>,
    },
    /// The word is a prefix of several.
    #[error("`{}` is ambiguous {}: it could be {}", printable(.word), position(.after), list(.possible))]
    Ambiguous {
        /// The word as it was typed.
        word: String,
        /// The words before it, in full.
        after: Vec<String>,
        /// The words that it is a prefix of.
        possible: Vec<&'static str>,
    },
    /// A value of the wrong kind or out of range.
    #[error("`{}` is not {} (after `{}`)", printable(.word), .slot.expected(), .after.join(" "))]
    BadValue {
        /// The word as it was typed.
        word: String,
        /// The words before it, in full.
        after: Vec<String>,
        /// The kind of value that was expected.
        slot: ValueSlot,
    },
    /// More must follow.
    #[error("`{}` is not complete; possible next: {}", .after.join(" "), list(.possible))]
    Incomplete {
        /// The words so far, in full.
        after: Vec<String>,
        /// What can follow.
        possible: Vec<&'static str>,
    },
}

fn list(possible: &[&str]) -> String {
    possible.join(", ")
}

fn position(after: &[String]) -> String {
    if after.is_empty() { "as a command".into() } else { format!("after `{}`", after.join(" ")) }
}

fn alternatives(possible: &[&str]) -> String {
    if possible.is_empty() {
        "nothing can follow there".into()
    } else {
        format!("possible: {}", list(possible))
    }
}

/// Edits of a word that may be suggested for a typing error: a letter missing,
/// added, wrong, or swapped with its neighbour.
const MAX_EDITS: usize = 2;

/// `did you mean …? ` where the word is close to one of those possible.
fn did_you_mean(word: &str, possible: &[&str]) -> String {
    let letters = word.chars().count();
    let distance = |known: &&&str| {
        let edits = strsim::osa_distance(word, known);
        // In a short word, two edits make another word.
        (edits <= MAX_EDITS && edits * 3 <= letters).then_some(edits)
    };
    // Placeholders of values are in angle brackets.
    let known = possible.iter().filter(|known| !known.starts_with('<'));
    let nearest = known.filter_map(|known| Some((distance(&known)?, known))).min();
    nearest.map_or_else(String::new, |(_, known)| format!("did you mean `{known}`? "))
}

/// A token that can follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// The word, or the kind of value.
    pub token: GrammarToken,
    /// Its purpose.
    pub help: &'static str,
}

/// The name in a slot of `words`, with which completion finds the pools of a
/// frontend. `None` where there is none, or the words do not fit.
#[must_use]
pub fn name_before<W: AsRef<str>>(words: &[W], slot: ValueSlot) -> Option<String> {
    GrammarPlace::after(words).ok()?.path.name(slot)
}

/// Whether `words` are a complete command.
#[must_use]
pub fn is_complete<W: AsRef<str>>(words: &[W]) -> bool {
    !words.is_empty() && parse(words).is_ok()
}

/// Parses the words of one command.
///
/// # Errors
/// The first word that does not fit.
pub fn parse<W: AsRef<str>>(words: &[W]) -> Result<CliCommand, ParseError> {
    let place = GrammarPlace::after(words)?;
    if words.is_empty() {
        return Err(ParseError::Empty { possible: place.visible() });
    }
    place.command().ok_or_else(|| ParseError::Incomplete {
        after: place.typed.clone(),
        possible: place.visible(),
    })
}

/// What can follow `words` and begins with `partial`.
///
/// # Errors
/// As [`parse`], for a word of `words` that does not fit.
pub fn suggestions<W: AsRef<str>>(
    words: &[W],
    partial: &str,
) -> Result<Vec<Suggestion>, ParseError> {
    let open = GrammarPlace::after(words)?.open();
    let starting = |hidden: bool| -> Vec<Suggestion> {
        let fits = |node: &&&Node| match node.token {
            GrammarToken::Word(word) | GrammarToken::Yielding(word) | GrammarToken::Whole(word) => {
                !hidden && word.starts_with(partial)
            }
            GrammarToken::Alias(word) => hidden && word.starts_with(partial),
            GrammarToken::Slot(slot) => {
                !hidden && (partial.is_empty() || slot.parse(partial).is_some())
            }
        };
        open.iter()
            .filter(fits)
            .map(|node| Suggestion { token: node.token, help: node.help })
            .collect()
    };
    let visible = starting(false);
    let word = |suggestion: &Suggestion| {
        !matches!(suggestion.token, GrammarToken::Alias(_) | GrammarToken::Slot(_))
    };
    // An alias is suggested only where it is being typed.
    let hidden = if visible.iter().any(word) { Vec::new() } else { starting(true) };
    Ok([visible, hidden].concat())
}

/// A place in the grammar, which some words lead to.
struct GrammarPlace {
    typed: Vec<String>,
    path: Path,
    /// What must follow, if anything.
    next: &'static [Node],
    /// What may follow once nothing must, innermost last.
    options: Vec<&'static Node>,
    command: Option<fn(&Path) -> Option<CliCommand>>,
}

impl GrammarPlace {
    fn after<W: AsRef<str>>(words: &[W]) -> Result<Self, ParseError> {
        let mut place = Self {
            typed: Vec::new(),
            path: Path::default(),
            next: ROOT,
            options: Vec::new(),
            command: None,
        };
        for word in words {
            let node = place.choose(word.as_ref())?;
            place.enter(node, word.as_ref());
        }
        Ok(place)
    }

    /// The nodes that can follow.
    fn open(&self) -> Vec<&'static Node> {
        if self.next.is_empty() {
            self.options.iter().rev().copied().collect()
        } else {
            self.next.iter().collect()
        }
    }

    fn visible(&self) -> Vec<&'static str> {
        self.open().into_iter().filter_map(|node| text(node.token)).collect()
    }

    fn command(&self) -> Option<CliCommand> {
        if !self.next.is_empty() {
            return None;
        }
        self.command.and_then(|make| make(&self.path))
    }

    fn choose(&self, word: &str) -> Result<&'static Node, ParseError> {
        let open = self.open();
        let exact = |node: &&&'static Node| match node.token {
            GrammarToken::Word(w)
            | GrammarToken::Alias(w)
            | GrammarToken::Yielding(w)
            | GrammarToken::Whole(w) => w == word,
            GrammarToken::Slot(_) => false,
        };
        if let Some(node) = open.iter().find(exact) {
            return Ok(node);
        }
        // An empty argument is an error of a script, not a prefix of everything.
        let starts = |w: &str| !word.is_empty() && w.starts_with(word);
        let words: Vec<_> =
            open.iter().filter(|n| matches!(n.token, GrammarToken::Word(w) if starts(w))).collect();
        let weaker = |token| matches!(token, GrammarToken::Alias(w) | GrammarToken::Yielding(w) if starts(w));
        let aliases: Vec<_> = open.iter().filter(|node| weaker(node.token)).collect();
        match (words.as_slice(), aliases.as_slice()) {
            ([node], _) | ([], [node]) => return Ok(node),
            ([], _) => {}
            (several, _) => {
                return Err(ParseError::Ambiguous {
                    word: word.to_owned(),
                    after: self.typed.clone(),
                    possible: several.iter().filter_map(|node| text(node.token)).collect(),
                });
            }
        }
        let accepts = |node: &&&'static Node| matches!(node.token, GrammarToken::Slot(s) if s.parse(word).is_some());
        if let Some(node) = open.iter().find(accepts) {
            return Ok(node);
        }
        let (word, after) = (word.to_owned(), self.typed.clone());
        Err(match open.as_slice() {
            [Node { token: GrammarToken::Slot(slot), .. }] => {
                ParseError::BadValue { word, after, slot: *slot }
            }
            _ => ParseError::Unknown { word, after, possible: self.visible() },
        })
    }

    fn enter(&mut self, node: &'static Node, typed: &str) {
        match node.token {
            GrammarToken::Word(word)
            | GrammarToken::Alias(word)
            | GrammarToken::Yielding(word)
            | GrammarToken::Whole(word) => {
                self.path.add_word(word);
                self.typed.push(word.to_owned());
            }
            GrammarToken::Slot(slot) => {
                if let Some(value) = slot.parse(typed) {
                    self.path.add_value(slot, value);
                }
                self.typed.push(printable(typed));
            }
        }
        self.options.retain(|option| !std::ptr::eq(*option, node));
        self.next = node.next;
        // Reversed, because `open` lists them from the end.
        self.options.extend(node.options.iter().rev());
        self.command = node.command.or(self.command);
    }
}

/// How a token is shown; `None`: it is hidden.
fn text(token: GrammarToken) -> Option<&'static str> {
    match token {
        GrammarToken::Word(word) | GrammarToken::Yielding(word) | GrammarToken::Whole(word) => {
            Some(word)
        }
        GrammarToken::Alias(_) => None,
        GrammarToken::Slot(slot) => Some(slot.placeholder()),
    }
}

#[cfg(test)]
mod tests;
