//! Tests the reconciliation without actors: its laws, and single situations.

mod fixtures;
mod harness;
mod laws;
mod single;
