//! Turns verdicts into weights, and predicts the new-flow table that VPP makes of
//! them.

pub mod fail_open;
pub mod maglev;
pub mod slow_start;
mod verdict;
pub mod weights;
