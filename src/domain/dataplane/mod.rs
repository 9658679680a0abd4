//! What VPP's load balancer can hold: VIPs and servers, what was observed of them,
//! the steps that can be written, and the plan from observed to desired.

pub mod connection;
pub mod dialect;
pub mod fib;
pub mod net;
pub mod observed;
pub mod plan;
pub mod step;
