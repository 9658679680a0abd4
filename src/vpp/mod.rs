//! Talking to VPP: its binary API as bytes, a session over it, and a client.

pub mod embedded;
pub mod wire;
