//! Announcing VIPs through a routing daemon on this machine: which routes there are
//! to be, which were read, and the steps between.

pub mod driver_loop;
pub mod placement;
