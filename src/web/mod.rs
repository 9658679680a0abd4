//! maglev-web: a page that shows several daemons and operates them. ARCHITECTURE.md has
//! the whole.
//!
//! ```text
//! client::mirror::feed ─▶ DaemonMirror, one a daemon ─▶ frames ─▶ TabBroker ─▶ every tab
//!                               └─▶ its part of the state ─▶ GET api/state
//! Comparer ─▶ how the daemons differ ─▶ TabBroker
//! ReadCache: what a view asks for, once for all who look at it
//! SessionKeeper: who is logged in, and who may try a password
//! ```
//!
//! Each is an actor; what they decide stands in `domain::web`. All run on one thread,
//! but for passwords and compression, which are slow on purpose.

mod actions;
mod caller;
mod comparer;
mod connection;
mod daemon;
mod demo;
mod json;
mod listen;
mod login_config;
mod options;
mod page;
mod passwd;
mod password;
mod read_cache;
mod reply;
mod routes;
mod run;
mod server;
mod session_keeper;
mod state;
mod stats;
mod tabs;
mod users;

use std::ffi::OsString;
use std::process::ExitCode;

pub use options::WebOptions;

/// Runs maglev-web with the arguments of the process, the program's name first.
#[must_use]
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    run::run(arguments)
}
