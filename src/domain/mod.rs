//! Every rule of the system, as types that cannot hold nonsense and functions
//! without IO: time and chance are arguments.

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
