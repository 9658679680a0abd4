//! From verdicts to weights, and from weights to VPP's new-flow table.

pub mod maglev;
pub mod weights;
