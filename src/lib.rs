//! The parts of vpp-maglev, a health-checking control plane for the Maglev
//! load balancer of FD.io VPP. ARCHITECTURE.md tells how they fit together.

pub mod actors;
pub mod announce;
pub mod api;
pub mod cli;
pub mod client;
pub mod config;
pub mod domain;
pub mod host;
pub mod pattern;
pub mod pb;
pub mod probe;
pub mod state;
pub mod tester;
pub mod vpp;
pub mod web;

/// Version, commit and its date, as all programs tell it.
pub const VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " (commit ",
    env!("MAGLEV_COMMIT"),
    ", ",
    env!("MAGLEV_BUILD_DATE"),
    ")"
);
