//! The VIPs to test: given one by one, out of the daemon's file, or from a daemon.

mod arguments;
mod daemon;
mod file;

use std::net::SocketAddr;

use regex::Regex;

use crate::client::connection::DaemonClient;
use crate::domain::tester::shares::ExpectedShares;
use crate::tester::error::TesterError;
use crate::tester::options::{KindChoice, TesterOptions};

pub use daemon::DaemonShares;

/// What a VIP is asked over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetKind {
    Tcp,
    Tls,
    Http,
    Https,
    Udp,
}

impl TargetKind {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Http => "http",
            Self::Https => "https",
            Self::Udp => "udp",
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        let all = [Self::Tcp, Self::Tls, Self::Http, Self::Https, Self::Udp];
        all.into_iter().find(|kind| kind.as_str() == word)
    }

    #[must_use]
    pub fn is_http(self) -> bool {
        matches!(self, Self::Http | Self::Https)
    }

    #[must_use]
    pub fn is_tls(self) -> bool {
        matches!(self, Self::Tls | Self::Https)
    }

    /// What usually speaks on a port of TCP.
    fn of_port(port: u16) -> Self {
        match port {
            80 | 8080 => Self::Http,
            443 | 8443 => Self::Https,
            _ => Self::Tcp,
        }
    }
}

/// One VIP to test.
#[derive(Clone, Debug, PartialEq)]
pub struct VipTarget {
    /// The frontend's name, or what was given.
    pub name: String,
    pub address: SocketAddr,
    pub kind: TargetKind,
    /// The `Host` header, and what TLS asks for; `None`: the address.
    pub host: Option<String>,
    /// Path and query.
    pub uri: String,
    /// What is expected until a daemon says otherwise.
    pub expected: Option<ExpectedShares>,
}

/// All targets, what was left out, and the daemon that expects shares.
pub struct Targets {
    pub vips: Vec<VipTarget>,
    /// Sentences.
    pub left_out: Vec<String>,
    pub daemon: Option<DaemonShares>,
}

/// A frontend, wherever it is known from.
struct KnownFrontend {
    name: String,
    /// A prefix, or an address.
    prefix: String,
    /// IANA's number and the port; `None`: every protocol and port.
    service: Option<(u8, u16)>,
    expected: Option<ExpectedShares>,
}

/// Finds out what to test.
///
/// # Errors
/// Nothing is left to test, or something is wrong with where it comes from.
pub async fn find(options: &TesterOptions) -> Result<Targets, TesterError> {
    let mut vips = Vec::new();
    for text in &options.vips {
        vips.push(arguments::parse(text, options).await?);
    }
    let mut frontends = Vec::new();
    for path in &options.from.config {
        frontends.extend(file::frontends(path)?);
    }
    let mut client = None;
    if let Some(access) = options.access() {
        let connected = DaemonClient::connect(&access).await?;
        frontends.extend(daemon::frontends(&connected).await?);
        client = Some(connected);
    }
    let mut left_out = Vec::new();
    for frontend in frontends {
        if !options.from.filter.as_ref().is_none_or(|filter| filter.is_match(&frontend.name)) {
            continue;
        }
        match of_frontend(frontend, options) {
            Ok(target) => vips.push(target),
            Err(why) => left_out.push(why),
        }
    }
    if vips.is_empty() {
        return Err(TesterError::NothingToTest { why: nothing(options, &left_out) });
    }
    if let Some(expected) = options.expected() {
        for vip in &mut vips {
            vip.expected = Some(expected.clone());
        }
    }
    // What was given by hand is not to be replaced.
    let client = client.filter(|_| options.limits.expect.is_empty());
    let names = vips.iter().map(|vip| vip.name.clone()).collect();
    let daemon = client.map(|client| DaemonShares::new(client, names));
    Ok(Targets { vips, left_out, daemon })
}

fn nothing(options: &TesterOptions, left_out: &[String]) -> String {
    let filter = |filter: &Regex| format!("no frontend's name matches --filter {filter}");
    match (left_out, &options.from.filter) {
        ([], None) if options.from.config.is_empty() && options.from.server.is_none() => {
            "give VIP:port, --config FILE or --server ADDR".into()
        }
        ([], None) => "there is no frontend".into(),
        ([], Some(found)) => filter(found),
        (left_out, _) => left_out.join("; "),
    }
}

/// The target of a frontend, or why it has none.
fn of_frontend(frontend: KnownFrontend, options: &TesterOptions) -> Result<VipTarget, String> {
    let KnownFrontend { name, prefix, service, expected } = frontend;
    let (address, length) = prefix.split_once('/').unwrap_or((&prefix, ""));
    let no_target =
        |why: &str| format!("{name} is not tested: {why}; give an address of it as VIP:port");
    let address: std::net::IpAddr =
        address.parse().map_err(|_| no_target(&format!("{prefix} is no address")))?;
    let whole = if address.is_ipv4() { "32" } else { "128" };
    if !length.is_empty() && length != whole {
        return Err(no_target(&format!("{prefix} is a prefix")));
    }
    let kind = match service {
        None => return Err(no_target("it takes every protocol and port")),
        Some((17, _)) => TargetKind::Udp,
        Some((6, port)) => chosen(options.probe.kind).unwrap_or(TargetKind::of_port(port)),
        Some((protocol, _)) => return Err(no_target(&format!("it takes protocol {protocol}"))),
    };
    let port = service.map_or(0, |(_, port)| port);
    Ok(VipTarget {
        name,
        address: SocketAddr::new(address, port),
        kind,
        host: options.probe.host.clone(),
        uri: options.probe.uri.clone(),
        expected,
    })
}

fn chosen(choice: KindChoice) -> Option<TargetKind> {
    match choice {
        KindChoice::Auto => None,
        KindChoice::Tcp => Some(TargetKind::Tcp),
        KindChoice::Tls => Some(TargetKind::Tls),
        KindChoice::Http => Some(TargetKind::Http),
        KindChoice::Https => Some(TargetKind::Https),
        KindChoice::Udp => Some(TargetKind::Udp),
    }
}
