//! The parts of vpp-maglev, a health-checking control plane for the Maglev
//! load balancer of FD.io VPP. ARCHITECTURE.md tells how they fit together.

pub mod actors;
pub mod api;
pub mod cli;
pub mod config;
pub mod domain;
pub mod pb;
pub mod probe;
pub mod vpp;
