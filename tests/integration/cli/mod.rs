//! maglevc: its grammar, its output, and the built program.

mod completions;
mod hangup;
mod live;
mod mistyped;
mod output;
mod process;
mod several;
mod shell;
mod tls;
