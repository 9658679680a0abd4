//! The client of VPP's binary API and the reader of its stats segment.

mod client;
mod stats;
