//! The grammar of all commands as one tree of words and slots.
//!
//! Parsing, prefixes, error messages, `help` and completion all read this
//! tree; none of them knows a command by name. A command is added here, in
//! [`CliCommand`] and where it is carried out, and nowhere else.

mod tree;

use crate::cli::command::request::CliCommand;

pub use tree::ROOT;

/// What stands at one place of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrammarToken {
    /// A word, which may be shortened to any unambiguous prefix.
    Word(&'static str),
    /// A word that is accepted and never offered beside others.
    Alias(&'static str),
    /// A word that gives way: a beginning that it shares with another word is
    /// the other's. So a new word takes no habit from anybody.
    Yielding(&'static str),
    /// A value of the operator's.
    Slot(ValueSlot),
}

/// What kind of value a slot takes; completion looks live names up by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueSlot {
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
pub enum SlotValue {
    /// A name.
    Name(String),
    /// A weight, 0..=100.
    Weight(u8),
    /// A number, at least 1.
    Count(u64),
}

impl ValueSlot {
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
    pub fn read(self, word: &str) -> Option<SlotValue> {
        match self {
            Self::Frontend | Self::Pool | Self::Backend | Self::HealthCheck => {
                let name = !word.is_empty() && !word.chars().any(char::is_control);
                name.then(|| SlotValue::Name(word.to_owned()))
            }
            Self::Weight => word.parse().ok().filter(|w| *w <= 100).map(SlotValue::Weight),
            Self::Count => word.parse().ok().filter(|n| *n > 0).map(SlotValue::Count),
        }
    }
}

/// One place of the grammar: a token and what may follow it.
#[derive(Debug)]
pub struct Node {
    /// The word or slot.
    pub token: GrammarToken,
    /// What it is for, in a few words.
    pub help: &'static str,
    /// One of these must follow.
    pub next: &'static [Node],
    /// Each of these may follow, once, in any order.
    pub options: &'static [Node],
    /// Makes the command of a path through this node; of several the last
    /// counts. `None` from it would mean that the path lacks a value the
    /// command needs, which a test of every path rules out.
    pub command: Option<fn(&Path) -> Option<CliCommand>>,
}

/// The words and values of a command line, in full and in order.
#[derive(Clone, Debug, Default)]
pub struct Path {
    words: Vec<&'static str>,
    values: Vec<(ValueSlot, SlotValue)>,
}

impl Path {
    /// Notes a word.
    pub fn add_word(&mut self, word: &'static str) {
        self.words.push(word);
    }

    /// Notes what a slot took.
    pub fn add_value(&mut self, slot: ValueSlot, value: SlotValue) {
        self.values.push((slot, value));
    }

    fn has(&self, word: &str) -> bool {
        self.words.contains(&word)
    }

    fn value(&self, slot: ValueSlot) -> Option<&SlotValue> {
        self.values.iter().find_map(|(s, value)| (*s == slot).then_some(value))
    }

    /// The name that a slot took, if it took one.
    #[must_use]
    pub fn name(&self, slot: ValueSlot) -> Option<String> {
        match self.value(slot)? {
            SlotValue::Name(name) => Some(name.clone()),
            SlotValue::Weight(_) | SlotValue::Count(_) => None,
        }
    }

    fn weight(&self) -> Option<u8> {
        match self.value(ValueSlot::Weight)? {
            SlotValue::Weight(weight) => Some(*weight),
            SlotValue::Name(_) | SlotValue::Count(_) => None,
        }
    }

    fn count(&self) -> Option<u64> {
        match self.value(ValueSlot::Count)? {
            SlotValue::Count(count) => Some(*count),
            SlotValue::Name(_) | SlotValue::Weight(_) => None,
        }
    }
}

const fn node(token: GrammarToken, help: &'static str) -> Node {
    Node { token, help, next: &[], options: &[], command: None }
}

const fn word(text: &'static str, help: &'static str) -> Node {
    node(GrammarToken::Word(text), help)
}

const fn alias(text: &'static str, help: &'static str) -> Node {
    node(GrammarToken::Alias(text), help)
}

const fn yielding(text: &'static str, help: &'static str) -> Node {
    node(GrammarToken::Yielding(text), help)
}

const fn slot(slot: ValueSlot, help: &'static str) -> Node {
    node(GrammarToken::Slot(slot), help)
}

impl Node {
    const fn then(self, next: &'static [Node]) -> Self {
        Self { next, ..self }
    }

    const fn with(self, options: &'static [Node]) -> Self {
        Self { options, ..self }
    }

    const fn does(self, command: fn(&Path) -> Option<CliCommand>) -> Self {
        Self { command: Some(command), ..self }
    }
}
