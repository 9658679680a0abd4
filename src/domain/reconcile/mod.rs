//! What is written to VPP, in what order, and when.

pub mod refusals;
