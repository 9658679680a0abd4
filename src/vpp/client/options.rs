//! How a client connects and behaves.

use std::time::Duration;

#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// The name in `show api clients`, at most 63 bytes.
    pub name: String,
    pub handshake: Duration,
    /// How long VPP may take to answer a call that was sent.
    pub patience: Duration,
    /// How long VPP may take to answer the goodbye.
    pub goodbye: Duration,
    /// Most calls in flight; urgent ones may double it.
    pub window: usize,
    /// Bytes of VPP's send buffer that replies may take; `None`: three
    /// quarters of `net.core.wmem_default`.
    pub send_budget: Option<usize>,
    /// Run the CLI line that makes VPP notice dead clients, after everything
    /// that may have filled its send buffer.
    pub stale_client_workaround: bool,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            name: "maglevd".into(),
            handshake: Duration::from_secs(5),
            patience: Duration::from_secs(5),
            goodbye: Duration::from_secs(1),
            window: 16,
            send_budget: None,
            stale_client_workaround: true,
        }
    }
}
