//! Words to a [`CliCommand`], along the grammar: exact matches first, then
//! unambiguous prefixes, then values; and what could follow at any point.

use crate::cli::command::grammar::{GrammarToken, Node, Path, ROOT, ValueSlot};
use crate::cli::command::request::CliCommand;

/// Why words are no command. Each names the word and what was possible there.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ParseError {
    /// Nothing was typed.
    #[error("no command given; possible: {}", list(.possible))]
    Empty {
        /// The first words of all commands.
        possible: Vec<&'static str>,
    },
    /// A word fits nothing that may stand there.
    #[error(
        "`{}` is not possible {}; {}{}",
        shown(.word),
        place(.after),
        meant(.word, .possible),
        could(.possible)
    )]
    Unknown {
        /// The word as it was typed.
        word: String,
        /// The words before it, in full.
        after: Vec<String>,
        /// What could have stood there; empty: the command was complete.
        possible: Vec<&'static str>,
    },
    /// A word shortens several.
    #[error("`{}` is ambiguous {}: it could be {}", shown(.word), place(.after), list(.possible))]
    Ambiguous {
        /// The word as it was typed.
        word: String,
        /// The words before it, in full.
        after: Vec<String>,
        /// The words that it shortens.
        possible: Vec<&'static str>,
    },
    /// A value of the wrong kind or out of range.
    #[error("`{}` is not {} (after `{}`)", shown(.word), .slot.wanted(), .after.join(" "))]
    BadValue {
        /// The word as it was typed.
        word: String,
        /// The words before it, in full.
        after: Vec<String>,
        /// What was wanted in its place.
        slot: ValueSlot,
    },
    /// More must follow.
    #[error("`{}` is not complete; possible next: {}", .after.join(" "), list(.possible))]
    Incomplete {
        /// The words so far, in full.
        after: Vec<String>,
        /// What could follow.
        possible: Vec<&'static str>,
    },
}

fn list(possible: &[&str]) -> String {
    possible.join(", ")
}

fn place(after: &[String]) -> String {
    if after.is_empty() { "as a command".into() } else { format!("after `{}`", after.join(" ")) }
}

fn could(possible: &[&str]) -> String {
    if possible.is_empty() {
        "nothing can follow there".into()
    } else {
        format!("possible: {}", list(possible))
    }
}

/// Slips of the fingers that still let a word be recognised: a letter lost,
/// doubled, wrong, or changed with its neighbour.
const SLIPS: usize = 2;

/// `did you mean …? ` where the word is nearly one of those possible.
fn meant(word: &str, possible: &[&str]) -> String {
    let letters = word.chars().count();
    let near = |known: &&&str| {
        let slips = strsim::osa_distance(word, known);
        // In a short word, two wrong letters are another word.
        (slips <= SLIPS && slips * 3 <= letters).then_some(slips)
    };
    // A value in angle brackets is no word.
    let known = possible.iter().filter(|known| !known.starts_with('<'));
    let nearest = known.filter_map(|known| Some((near(&known)?, known))).min();
    nearest.map_or_else(String::new, |(_, known)| format!("did you mean `{known}`? "))
}

/// A word as it can be shown on one line of a terminal.
fn shown(word: &str) -> String {
    word.chars()
        .flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] })
        .collect()
}

/// One thing that could stand at the next place of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// The word, or the kind of value.
    pub token: GrammarToken,
    /// What it is for.
    pub help: &'static str,
}

/// What the words of a command name so far: completion offers the pools of
/// the frontend that stands before them. Words that do not fit name nothing.
#[must_use]
pub fn named<W: AsRef<str>>(words: &[W], slot: ValueSlot) -> Option<String> {
    GrammarPlace::after(words).ok()?.path.name(slot)
}

/// Whether `words` are a command as they stand.
#[must_use]
pub fn complete<W: AsRef<str>>(words: &[W]) -> bool {
    !words.is_empty() && parse(words).is_ok()
}

/// Parses the words of one command.
///
/// # Errors
/// The first word that does not fit, with what would have.
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

/// What could follow `words`, where `partial` is the beginning of the next
/// word (empty: nothing of it is typed yet).
///
/// # Errors
/// As [`parse`], for a word of `words` that does not fit.
pub fn offers<W: AsRef<str>>(words: &[W], partial: &str) -> Result<Vec<Suggestion>, ParseError> {
    let open = GrammarPlace::after(words)?.open();
    let starting = |hidden: bool| -> Vec<Suggestion> {
        let fits = |node: &&&Node| match node.token {
            GrammarToken::Word(word) | GrammarToken::Yielding(word) => {
                !hidden && word.starts_with(partial)
            }
            GrammarToken::Alias(word) => hidden && word.starts_with(partial),
            GrammarToken::Slot(slot) => {
                !hidden && (partial.is_empty() || slot.read(partial).is_some())
            }
        };
        open.iter()
            .filter(fits)
            .map(|node| Suggestion { token: node.token, help: node.help })
            .collect()
    };
    let visible = starting(false);
    let word = |offer: &Suggestion| {
        matches!(offer.token, GrammarToken::Word(_) | GrammarToken::Yielding(_))
    };
    // An alias is worth offering only to someone who is typing it.
    let hidden = if visible.iter().any(word) { Vec::new() } else { starting(true) };
    Ok([visible, hidden].concat())
}

/// A place in the grammar: where some words have led.
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

    /// What may stand at this place.
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
            GrammarToken::Word(w) | GrammarToken::Alias(w) | GrammarToken::Yielding(w) => w == word,
            GrammarToken::Slot(_) => false,
        };
        if let Some(node) = open.iter().find(exact) {
            return Ok(node);
        }
        // An empty argument is a slip of a script, not a prefix of everything.
        let starts = |w: &str| !word.is_empty() && w.starts_with(word);
        let words: Vec<_> =
            open.iter().filter(|n| matches!(n.token, GrammarToken::Word(w) if starts(w))).collect();
        let second = |token| matches!(token, GrammarToken::Alias(w) | GrammarToken::Yielding(w) if starts(w));
        let aliases: Vec<_> = open.iter().filter(|node| second(node.token)).collect();
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
        let takes = |node: &&&'static Node| matches!(node.token, GrammarToken::Slot(s) if s.read(word).is_some());
        if let Some(node) = open.iter().find(takes) {
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
            GrammarToken::Word(word) | GrammarToken::Alias(word) | GrammarToken::Yielding(word) => {
                self.path.add_word(word);
                self.typed.push(word.to_owned());
            }
            GrammarToken::Slot(slot) => {
                if let Some(value) = slot.read(typed) {
                    self.path.add_value(slot, value);
                }
                self.typed.push(shown(typed));
            }
        }
        self.options.retain(|option| !std::ptr::eq(*option, node));
        self.next = node.next;
        // Reversed, because `open` shows the innermost first and each group in its own order.
        self.options.extend(node.options.iter().rev());
        self.command = node.command.or(self.command);
    }
}

/// How a token is written where it is offered; `None`: it is not.
fn text(token: GrammarToken) -> Option<&'static str> {
    match token {
        GrammarToken::Word(word) | GrammarToken::Yielding(word) => Some(word),
        GrammarToken::Alias(_) => None,
        GrammarToken::Slot(slot) => Some(slot.placeholder()),
    }
}

#[cfg(test)]
mod tests;
