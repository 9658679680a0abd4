//! The grammar of all commands as one tree of words and slots.
//!
//! Parsing, prefixes, error messages, `help` and completion all read this
//! tree; none of them knows a command by name. A command is added here, in
//! [`Command`] and where it is carried out, and nowhere else.

mod tree;

use super::command::Command;

pub use tree::ROOT;

/// What stands at one place of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    /// A word, which may be shortened to any unambiguous prefix.
    Word(&'static str),
    /// A word that is accepted and never offered beside others.
    Alias(&'static str),
    /// A word that gives way: a beginning that it shares with another word is
    /// the other's. So a new word takes no habit from anybody.
    Yielding(&'static str),
    /// A value of the operator's.
    Slot(Slot),
}

/// What kind of value a slot takes; completion looks live names up by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// A frontend's name.
    Frontend,
    /// A pool's name.
    Pool,
    /// A backend's name.
    Backend,
    /// A health check's name.
    HealthCheck,
    /// 0..=100
    Weight,
    /// At least 1.
    Count,
}

/// A value that a slot took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A name.
    Name(String),
    /// A weight, 0..=100.
    Weight(u8),
    /// A number, at least 1.
    Count(u64),
}

impl Slot {
    /// How the slot is written in usage lines and messages.
    #[must_use]
    pub fn placeholder(self) -> &'static str {
        match self {
            Self::Frontend => "<frontend>",
            Self::Pool => "<pool>",
            Self::Backend => "<backend>",
            Self::HealthCheck => "<healthcheck>",
            Self::Weight => "<0-100>",
            Self::Count => "<n>",
        }
    }

    /// What the slot wants, for the message that refuses a word.
    #[must_use]
    pub fn wanted(self) -> &'static str {
        match self {
            Self::Frontend => "the name of a frontend",
            Self::Pool => "the name of a pool",
            Self::Backend => "the name of a backend",
            Self::HealthCheck => "the name of a health check",
            Self::Weight => "a weight from 0 to 100",
            Self::Count => "a number from 1 on",
        }
    }

    /// The value of `word`, or `None` where the slot does not take it. Whether
    /// a name exists is the daemon's to say.
    #[must_use]
    pub fn read(self, word: &str) -> Option<Value> {
        match self {
            Self::Frontend | Self::Pool | Self::Backend | Self::HealthCheck => {
                let name = !word.is_empty() && !word.chars().any(char::is_control);
                name.then(|| Value::Name(word.to_owned()))
            }
            Self::Weight => word.parse().ok().filter(|w| *w <= 100).map(Value::Weight),
            Self::Count => word.parse().ok().filter(|n| *n > 0).map(Value::Count),
        }
    }
}

/// One place of the grammar: a token and what may follow it.
#[derive(Debug)]
pub struct Node {
    /// The word or slot.
    pub token: Token,
    /// What it is for, in a few words.
    pub help: &'static str,
    /// One of these must follow.
    pub next: &'static [Node],
    /// Each of these may follow, once, in any order.
    pub options: &'static [Node],
    /// Makes the command of a path through this node; of several the last
    /// counts. `None` from it would mean that the path lacks a value the
    /// command needs, which a test of every path rules out.
    pub command: Option<fn(&Path) -> Option<Command>>,
}

/// The words and values of a command line, in full and in order.
#[derive(Clone, Debug, Default)]
pub struct Path {
    words: Vec<&'static str>,
    values: Vec<(Slot, Value)>,
}

impl Path {
    /// Notes a word.
    pub fn add_word(&mut self, word: &'static str) {
        self.words.push(word);
    }

    /// Notes what a slot took.
    pub fn add_value(&mut self, slot: Slot, value: Value) {
        self.values.push((slot, value));
    }

    fn has(&self, word: &str) -> bool {
        self.words.contains(&word)
    }

    fn value(&self, slot: Slot) -> Option<&Value> {
        self.values.iter().find_map(|(s, value)| (*s == slot).then_some(value))
    }

    /// The name that a slot took, if it took one.
    #[must_use]
    pub fn name(&self, slot: Slot) -> Option<String> {
        match self.value(slot)? {
            Value::Name(name) => Some(name.clone()),
            Value::Weight(_) | Value::Count(_) => None,
        }
    }

    fn weight(&self) -> Option<u8> {
        match self.value(Slot::Weight)? {
            Value::Weight(weight) => Some(*weight),
            Value::Name(_) | Value::Count(_) => None,
        }
    }

    fn count(&self) -> Option<u64> {
        match self.value(Slot::Count)? {
            Value::Count(count) => Some(*count),
            Value::Name(_) | Value::Weight(_) => None,
        }
    }
}

const fn node(token: Token, help: &'static str) -> Node {
    Node { token, help, next: &[], options: &[], command: None }
}

const fn word(text: &'static str, help: &'static str) -> Node {
    node(Token::Word(text), help)
}

const fn alias(text: &'static str, help: &'static str) -> Node {
    node(Token::Alias(text), help)
}

const fn yielding(text: &'static str, help: &'static str) -> Node {
    node(Token::Yielding(text), help)
}

const fn slot(slot: Slot, help: &'static str) -> Node {
    node(Token::Slot(slot), help)
}

impl Node {
    const fn then(self, next: &'static [Node]) -> Self {
        Self { next, ..self }
    }

    const fn with(self, options: &'static [Node]) -> Self {
        Self { options, ..self }
    }

    const fn does(self, command: fn(&Path) -> Option<Command>) -> Self {
        Self { command: Some(command), ..self }
    }
}
