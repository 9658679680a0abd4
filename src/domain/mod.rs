//! Decides everything that the daemon decides: verdicts, weights, and what is
//! written to VPP. Its types cannot hold invalid values, and its functions do no
//! IO: time and randomness are arguments.

pub mod balancing;
pub mod config;
pub mod controller;
pub mod dataplane;
pub mod events;
pub mod health;
pub mod histogram;
pub mod names;
pub mod printable;
pub mod readiness;
pub mod reconcile;
pub mod resolution;
pub mod tester;
