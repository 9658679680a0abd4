//! The interfaces of VPP: its binary API as bytes, a session over it and a
//! client; the parts of its CLI's output that no message has; its stats segment;
//! and a VPP inside the process for tests and trials.

pub mod cli_text;
pub mod client;
pub mod embedded;
pub mod session;
pub mod stats;
pub mod wire;
