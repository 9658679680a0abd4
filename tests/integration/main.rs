//! What the library and the programs do, seen from the outside: one test
//! program, because each one links the whole library.
//!
//! The modules are found by their folder: `cargo test --test integration
//! daemon::`. Tests run as threads of this one process, so none may change what
//! belongs to the process: environment, working directory, umask, limits,
//! signal dispositions. What must is a program of its own beside this one, and
//! says why in its header.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails fails its test")]

mod announce;
mod api;
mod cli;
mod config;
mod daemon;
mod docs;
mod lab;
mod packaging;
mod probe;
mod rights;
mod support;
mod tester;
mod vpp;
mod web;
mod wire;
