//! The rules of ARCHITECTURE.md, held by reading the source. A test program of
//! its own because it needs no library: it is built and run in a moment.

#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod circles;
mod claims;
mod files;
mod layer_table;
mod layers;
mod locks;
mod names;
mod page;
mod purity;
mod source;
mod tokens;
mod tree;
mod vpp_writes;
mod waits;
