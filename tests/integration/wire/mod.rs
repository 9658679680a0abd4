//! The messages of VPP's binary API.

mod golden;
mod laws;
