//! How VIPs are tested: the options as the engine needs them.

use std::time::Duration;

/// How VIPs are tested.
#[derive(Clone, Debug)]
pub struct LoadSettings {
    /// Between the starts of two new flows of a VIP; `None`: there are none.
    pub interval: Option<Duration>,
    /// For each step of a flow.
    pub timeout: Duration,
    /// Connections to hold to each VIP.
    pub hold: usize,
    pub hold_interval: Duration,
    /// A held connection without an answer for so long is broken.
    pub hold_timeout: Duration,
    /// What each new flow asks, and how long after the answer before it.
    pub lines: u32,
    pub line_interval: Duration,
    /// The header that names the server.
    pub header: Option<String>,
    /// What is said over TCP, TLS and UDP; `None`: new TCP connections say nothing.
    pub send: Option<String>,
    /// Whether every certificate is believed.
    pub insecure: bool,
    /// Whether full packets are tried.
    pub full_size: bool,
}
