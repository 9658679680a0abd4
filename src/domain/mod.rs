//! Decides everything that the daemon decides: verdicts, weights, and what is
//! written to VPP. Its types cannot hold invalid values, and its functions do no
//! IO: time and randomness are arguments.

pub mod announce;
pub mod balancing;
pub mod check;
pub mod config;
pub mod controller;
pub mod dataplane;
pub mod dns;
pub mod doctor;
pub mod drain;
pub mod duration;
pub mod events;
pub mod evidence;
pub mod explain;
pub mod fingerprint;
pub mod health;
pub mod histogram;
pub mod http;
pub mod moment;
pub mod names;
pub mod overrides;
pub mod printable;
pub mod prober_id;
pub mod readiness;
pub mod reconcile;
pub mod removals;
pub mod resolution;
pub mod rights;
pub mod status_codes;
pub mod tester;
pub mod utc;
pub mod web;
