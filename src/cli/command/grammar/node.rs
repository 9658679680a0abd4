//! What the grammar's tree is made of: words, slots for values, and what they
//! mean together.

use std::time::Duration;

use crate::cli::command::duration;
use crate::cli::command::request::CliCommand;

/// One word of a command, or a value in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrammarToken {
    /// A word, which may be shortened to any unambiguous prefix.
    Word(&'static str),
    /// A word that is accepted, and offered only where no other word matches.
    Alias(&'static str),
    /// A word whose prefixes mean another word where they fit both: a new
    /// command does not change what operators are used to type.
    Yielding(&'static str),
    /// A word that has to be typed in full: no slip of the finger is taken for it.
    Whole(&'static str),
    Slot(ValueSlot),
}

/// The kind of value of a slot; completion looks the daemon's names up by it.
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
    /// How long something lasts.
    Duration,
    /// Why, in the operator's words.
    Reason,
    /// An address that is announced, or a frontend's name.
    Announcement,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SlotValue {
    Name(String),
    /// A weight, 0..=100.
    Weight(u8),
    /// A number, at least 1.
    Count(u64),
    /// More than none.
    Duration(Duration),
    /// One line.
    Text(String),
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
            Self::Duration => "<duration>",
            Self::Reason => "<text>",
            Self::Announcement => "<address|frontend>",
        }
    }

    /// The expected value, for error messages.
    #[must_use]
    pub fn expected(self) -> &'static str {
        match self {
            Self::Frontend => "the name of a frontend",
            Self::Pool => "the name of a pool",
            Self::Backend => "the name of a backend",
            Self::HealthCheck => "the name of a health check",
            Self::Weight => "a weight from 0 to 100",
            Self::Count => "a number from 1 on",
            Self::Duration => "how long, such as 2h, 1d12h or 90s",
            Self::Reason => "a line of text in quotes",
            Self::Announcement => "an address, or the name of a frontend",
        }
    }

    /// The value of `word`; `None` where it is invalid. Whether a name exists
    /// is for the daemon to check.
    #[must_use]
    pub fn parse(self, word: &str) -> Option<SlotValue> {
        match self {
            Self::Frontend
            | Self::Pool
            | Self::Backend
            | Self::HealthCheck
            | Self::Announcement => {
                let name = !word.is_empty() && !word.chars().any(char::is_control);
                name.then(|| SlotValue::Name(word.to_owned()))
            }
            Self::Weight => word.parse().ok().filter(|w| *w <= 100).map(SlotValue::Weight),
            Self::Count => word.parse().ok().filter(|n| *n > 0).map(SlotValue::Count),
            Self::Duration => duration::parse(word).map(SlotValue::Duration),
            Self::Reason => {
                let is_line = !word.trim().is_empty() && !word.chars().any(char::is_control);
                is_line.then(|| SlotValue::Text(word.to_owned()))
            }
        }
    }
}

/// One place of the grammar: a token and what may follow it.
#[derive(Debug)]
pub struct Node {
    /// The word or slot.
    pub token: GrammarToken,
    /// Its purpose, in a few words.
    pub help: &'static str,
    /// One of these must follow.
    pub next: &'static [Node],
    /// Each of these may follow, once, in any order.
    pub options: &'static [Node],
    /// Makes the command of a path that ends here; of several nodes on a path
    /// the last one counts. It returns `None` only for a path that lacks a
    /// value of the command, which a test of every path rules out.
    pub command: Option<fn(&Path) -> Option<CliCommand>>,
}

/// The words and values of a command line, in full and in order.
#[derive(Clone, Debug, Default)]
pub struct Path {
    words: Vec<&'static str>,
    values: Vec<(ValueSlot, SlotValue)>,
}

impl Path {
    pub fn add_word(&mut self, word: &'static str) {
        self.words.push(word);
    }

    pub fn add_value(&mut self, slot: ValueSlot, value: SlotValue) {
        self.values.push((slot, value));
    }

    pub(super) fn has(&self, word: &str) -> bool {
        self.words.contains(&word)
    }

    fn value(&self, slot: ValueSlot) -> Option<&SlotValue> {
        self.values.iter().find_map(|(s, value)| (*s == slot).then_some(value))
    }

    #[must_use]
    pub fn name(&self, slot: ValueSlot) -> Option<String> {
        match self.value(slot)? {
            SlotValue::Name(name) => Some(name.clone()),
            _ => None,
        }
    }

    pub(super) fn weight(&self) -> Option<u8> {
        match self.value(ValueSlot::Weight)? {
            SlotValue::Weight(weight) => Some(*weight),
            _ => None,
        }
    }

    pub(super) fn count(&self) -> Option<u64> {
        match self.value(ValueSlot::Count)? {
            SlotValue::Count(count) => Some(*count),
            _ => None,
        }
    }

    pub(super) fn duration(&self) -> Option<Duration> {
        match self.value(ValueSlot::Duration)? {
            SlotValue::Duration(duration) => Some(*duration),
            _ => None,
        }
    }

    pub(super) fn reason(&self) -> Option<String> {
        match self.value(ValueSlot::Reason)? {
            SlotValue::Text(text) => Some(text.clone()),
            _ => None,
        }
    }
}

const fn node(token: GrammarToken, help: &'static str) -> Node {
    Node { token, help, next: &[], options: &[], command: None }
}

pub(super) const fn word(text: &'static str, help: &'static str) -> Node {
    node(GrammarToken::Word(text), help)
}

pub(super) const fn alias(text: &'static str, help: &'static str) -> Node {
    node(GrammarToken::Alias(text), help)
}

pub(super) const fn yielding(text: &'static str, help: &'static str) -> Node {
    node(GrammarToken::Yielding(text), help)
}

pub(super) const fn whole(text: &'static str, help: &'static str) -> Node {
    node(GrammarToken::Whole(text), help)
}

pub(super) const fn slot(slot: ValueSlot, help: &'static str) -> Node {
    node(GrammarToken::Slot(slot), help)
}

impl Node {
    pub(super) const fn then(self, next: &'static [Node]) -> Self {
        Self { next, ..self }
    }

    pub(super) const fn with(self, options: &'static [Node]) -> Self {
        Self { options, ..self }
    }

    pub(super) const fn makes(self, command: fn(&Path) -> Option<CliCommand>) -> Self {
        Self { command: Some(command), ..self }
    }
}
