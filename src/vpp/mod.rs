//! Talking to VPP: its binary API as bytes, a session over it, a client, and
//! what only its CLI tells.

pub mod cli_text;
pub mod client;
pub mod embedded;
pub mod session;
pub mod wire;
