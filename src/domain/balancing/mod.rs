//! Turns verdicts into weights, and predicts the new-flow table that VPP makes of
//! them.

pub mod maglev;
pub mod weights;
