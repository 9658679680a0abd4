//! Tests the reconciliation without actors: its laws, and single situations.

mod actions;
mod answers;
mod calls;
mod fixtures;
mod harness;
mod held;
mod laws;
mod single;
mod trace;
mod withdrawals;
