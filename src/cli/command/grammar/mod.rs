//! The grammar of all commands as one tree of words and slots.
//!
//! Parsing, prefixes, error messages, `help` and completion all read this tree,
//! and none of them knows a command by name. A new command is added to the
//! tree, to `CliCommand` and where it is executed, and nowhere else.

mod announcing;
mod node;
mod terms;
mod tree;
mod watch;

pub use node::{GrammarToken, Node, Path, SlotValue, ValueSlot};
pub use tree::ROOT;
