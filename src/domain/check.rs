//! The settings of health checks: `healthchecks` of the configuration.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::{NonZeroU16, NonZeroU32};
use std::time::Duration;

use super::evidence::group::ProbeGroup;
use super::health::damping::FlapDamping;
use super::http;
use super::resolution::{HostName, IpFamily};
use super::status_codes::StatusCodes;

/// `healthchecks.<name>`
#[derive(Clone, Debug, PartialEq)]
pub struct HealthCheck {
    pub kind: CheckKind,
    pub timing: Timing,
    /// The source address of probes to IPv4 backends; `None`: the kernel chooses.
    pub source_v4: Option<Ipv4Addr>,
    /// The source address of probes to IPv6 backends; `None`: the kernel chooses.
    pub source_v6: Option<Ipv6Addr>,
    /// What a connection begins with; `None`: with what is asked.
    pub proxy: Option<ProxyVersion>,
}

/// The version of the PROXY protocol, by which a proxy says whom it speaks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProxyVersion {
    /// A line of text.
    V1,
    /// Bytes.
    V2,
}

impl ProxyVersion {
    /// The word in the configuration file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
        }
    }
}

impl HealthCheck {
    /// The way that its probes to `address` take.
    #[must_use]
    pub fn group(&self, address: IpAddr) -> ProbeGroup {
        let (family, source) = match address {
            IpAddr::V4(_) => (IpFamily::V4, self.source_v4.map(IpAddr::V4)),
            IpAddr::V6(_) => (IpFamily::V6, self.source_v6.map(IpAddr::V6)),
        };
        ProbeGroup { family, source }
    }

    /// The check of a backend that is probed at a port of its own.
    #[must_use]
    pub fn at_port(&self, port: NonZeroU16) -> Self {
        let mut check = self.clone();
        match &mut check.kind {
            CheckKind::Icmp => {}
            CheckKind::Tcp { port: own, .. }
            | CheckKind::Http { port: own, .. }
            | CheckKind::Dns { port: own, .. } => *own = port,
        }
        check
    }

    /// The check of a backend that is given by name: the name is the HTTP host and
    /// the TLS server name, unless the check sets these.
    #[must_use]
    pub fn of_host(&self, host: &HostName) -> Self {
        let mut check = self.clone();
        let name = host.name.trim_end_matches('.');
        match &mut check.kind {
            CheckKind::Http { port, tls, exchange } => {
                let default_port = if tls.is_some() { 443 } else { 80 };
                let host = || match port.get() {
                    port if port == default_port => name.to_owned(),
                    port => format!("{name}:{port}"),
                };
                exchange.host.get_or_insert_with(host);
            }
            CheckKind::Tcp { tls: Some(tls), .. } => {
                tls.server_name.get_or_insert_with(|| name.to_owned());
            }
            CheckKind::Icmp | CheckKind::Tcp { tls: None, .. } | CheckKind::Dns { .. } => {}
        }
        check
    }
}

/// When a backend is probed and how many results make a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Between the starts of two probes of a backend that is fully up.
    pub interval: Duration,
    /// The same while the backend rises, falls or is unknown.
    pub fast_interval: Duration,
    /// The same while the backend is down.
    pub down_interval: Duration,
    /// A probe that takes longer fails.
    pub timeout: Duration,
    /// Consecutive passes that make a backend up.
    pub rise: NonZeroU32,
    /// Consecutive failures that make a backend down.
    pub fall: NonZeroU32,
    /// `None`: every return is at once.
    pub damping: Option<FlapDamping>,
}

/// A kind of health check with its parameters.
#[derive(Clone, Debug, PartialEq)]
pub enum CheckKind {
    /// Passes if an echo request is answered.
    Icmp,
    /// Passes if a connection is accepted and, with `tls`, the handshake succeeds.
    Tcp {
        port: NonZeroU16,
        /// Set by `ssl: true`.
        tls: Option<TlsSettings>,
    },
    /// Passes if an HTTP/1.1 request, over TLS if `tls` is set, is answered as expected.
    Http {
        port: NonZeroU16,
        /// Set by `type: https`.
        tls: Option<TlsSettings>,
        exchange: HttpExchange,
    },
    /// Passes if a DNS query is answered as expected.
    Dns { port: NonZeroU16, exchange: DnsExchange },
}

impl CheckKind {
    /// The name in the configuration file.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Icmp => "icmp",
            Self::Tcp { .. } => "tcp",
            Self::Http { tls: None, .. } => "http",
            Self::Http { tls: Some(_), .. } => "https",
            Self::Dns { .. } => "dns",
        }
    }

    /// Whether its probes are TLS clients.
    #[must_use]
    pub fn uses_tls(&self) -> bool {
        matches!(self, Self::Tcp { tls: Some(_), .. } | Self::Http { tls: Some(_), .. })
    }

    /// `None` for ICMP.
    #[must_use]
    pub fn port(&self) -> Option<NonZeroU16> {
        match self {
            Self::Icmp => None,
            Self::Tcp { port, .. } | Self::Http { port, .. } | Self::Dns { port, .. } => {
                Some(*port)
            }
        }
    }
}

/// The settings of probes as TLS clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsSettings {
    /// The name that is sent (SNI) and that the certificate must have, without a final
    /// dot; `None`: the HTTP host, or the backend's address.
    pub server_name: Option<String>,
    /// False: every certificate is accepted.
    pub verify: bool,
}

/// An HTTP request and the answer that is expected.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HttpExchange {
    pub method: String,
    /// Path and query, starting with `/`.
    pub path: String,
    /// The `Host` header; `None`: the backend's address.
    pub host: Option<String>,
    /// Further headers, in the order in which they are sent.
    pub headers: Vec<RequestHeader>,
    /// The body of the request.
    pub content: Option<String>,
    /// Status codes that pass.
    pub codes: StatusCodes,
    /// A header that the answer must have.
    pub header: Option<ResponseHeader>,
    /// A valid regular expression that must match the first 64 KiB of the body.
    pub body: Option<String>,
}

impl HttpExchange {
    /// `GET` of a path, without headers of its own, that any of `codes` answers.
    #[must_use]
    pub fn get(path: &str, codes: impl Into<StatusCodes>) -> Self {
        Self {
            method: http::GET.into(),
            path: path.into(),
            host: None,
            headers: Vec::new(),
            content: None,
            codes: codes.into(),
            header: None,
            body: None,
        }
    }

    /// Whether its answers have no body, whatever their status.
    #[must_use]
    pub fn is_head(&self) -> bool {
        self.method == http::HEAD
    }
}

/// A header that a check sends.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequestHeader {
    pub name: String,
    pub value: HeaderValue,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HeaderValue {
    Text(String),
    /// The file that holds it, at an absolute path. Nothing but the probe reads it.
    File(String),
}

/// A header that an answer must have.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ResponseHeader {
    pub name: String,
    /// A valid regular expression that must match a value of it.
    pub pattern: String,
}

/// A DNS query and the answer that is expected.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DnsExchange {
    pub query: String,
    /// In upper case (`A`, `TYPE257`).
    pub record: String,
    /// Over TCP instead of UDP.
    pub tcp: bool,
    /// The response code that passes, in upper case (`NOERROR`).
    pub rcode: String,
    /// A valid regular expression that must match a record of the answer in the
    /// notation of zone files; `None`: every record passes.
    pub answer: Option<String>,
}
