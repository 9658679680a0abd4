//! What VPP's load balancer can hold: addresses and VIPs, what was observed, the
//! steps that can be written, and the plan from one to the other.

pub mod connection;
pub mod net;
pub mod observed;
pub mod plan;
pub mod step;
