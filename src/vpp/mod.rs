//! Talking to VPP: its binary API as bytes, a session over it, a client, what
//! only its CLI tells, and what only its stats segment does.

pub mod cli_text;
pub mod client;
pub mod embedded;
pub mod session;
pub mod stats;
pub mod wire;
