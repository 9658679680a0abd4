//! maglevc: its grammar, its output, and the built program.

mod completions;
mod live;
mod mistyped;
mod output;
mod process;
mod shell;
mod tls;
