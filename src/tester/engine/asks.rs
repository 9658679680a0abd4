//! What is asked of one VIP, prepared once for all of its connections.

use std::fmt::Write as _;
use std::net::SocketAddr;

use tokio_native_tls::TlsConnector;

use crate::tester::settings::LoadSettings;
use crate::tester::targets::target::{TargetKind, VipTarget};

/// What is said where nothing else is given.
const DEFAULT_LINE: &str = "maglevt";

/// What is asked of one VIP.
pub(super) struct Asks {
    pub(super) address: SocketAddr,
    pub(super) kind: TargetKind,
    pub(super) connector: TlsConnector,
    /// The name that TLS asks for and verifies.
    pub(super) tls_name: String,
    /// The header that names the server.
    pub(super) header: Option<String>,
    /// Whether a new flow asks anything: TCP may just connect.
    pub(super) new_flows_ask: bool,
    /// Path and query, over HTTP.
    uri: String,
    /// The `Host` header.
    host: String,
    line: String,
    /// Prepared requests.
    keep_alive: Vec<u8>,
    closing: Vec<u8>,
}

impl Asks {
    pub(super) fn new(
        target: &VipTarget,
        settings: &LoadSettings,
        connector: TlsConnector,
    ) -> Self {
        let ip = target.address.ip().to_string();
        let host = target.host.clone().unwrap_or_else(|| authority(target));
        let line_oriented = matches!(target.kind, TargetKind::Tcp | TargetKind::Tls);
        let says_something = settings.send.is_some() || settings.lines > 1 || settings.hold > 0;
        let mut asks = Self {
            address: target.address,
            kind: target.kind,
            connector,
            tls_name: target.host.as_deref().map_or(ip, |host| without_port(host).to_owned()),
            header: settings.header.clone(),
            new_flows_ask: !line_oriented || says_something,
            uri: target.uri.clone(),
            host,
            line: settings.send.clone().unwrap_or_else(|| DEFAULT_LINE.to_owned()),
            keep_alive: Vec::new(),
            closing: Vec::new(),
        };
        asks.keep_alive = asks.request(true, 0);
        asks.closing = asks.request(false, 0);
        asks
    }

    /// A request after which the connection stays open, or not.
    pub(super) fn prepared(&self, keeps: bool) -> &[u8] {
        if keeps { &self.keep_alive } else { &self.closing }
    }

    /// A request of so many more bytes.
    pub(super) fn padded(&self, padding: usize) -> Vec<u8> {
        self.request(true, padding)
    }

    fn request(&self, keeps: bool, padding: usize) -> Vec<u8> {
        let padding = "x".repeat(padding);
        if !self.kind.is_http() {
            let space = if padding.is_empty() { "" } else { " " };
            return format!("{}{space}{padding}\n", self.line).into_bytes();
        }
        let connection = if keeps { "keep-alive" } else { "close" };
        let mut text = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: maglevt\r\nAccept: */*\r\nConnection: \
             {connection}\r\n",
            self.uri, self.host
        );
        if !padding.is_empty() {
            // Writing to a String cannot fail.
            let _ = write!(text, "X-Padding: {padding}\r\n");
        }
        text.push_str("\r\n");
        text.into_bytes()
    }
}

/// The `Host` header of a VIP without a name: its port is left out where it is the
/// scheme's own.
fn authority(target: &VipTarget) -> String {
    let default_port = if target.kind == TargetKind::Https { 443 } else { 80 };
    let address = target.address;
    match address {
        SocketAddr::V6(v6) if v6.port() == default_port => format!("[{}]", v6.ip()),
        SocketAddr::V4(v4) if v4.port() == default_port => v4.ip().to_string(),
        _ => address.to_string(),
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') && port.parse::<u16>().is_ok() => name,
        _ => host,
    }
}
