//! The laws of the reconciliation, on the value alone.

mod harness;
mod laws;
mod single;
