//! The client of VPP's binary API and the reader of its stats segment.

// A blocking client that runs any line of VPP's CLI, which ours cannot.
#[allow(dead_code, reason = "it has more than is needed here")]
#[path = "../../embedded/client.rs"]
mod bare;
mod client;
mod membership;
mod stats;
