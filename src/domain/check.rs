//! The settings of health checks: `healthchecks` of the configuration.

mod conversation;
mod tls_client;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::{NonZeroU16, NonZeroU32};
use std::time::Duration;

use super::evidence::group::ProbeGroup;
use super::health::damping::FlapDamping;
use super::http;
use super::resolution::{HostName, IpFamily};
use super::status_codes::StatusCodes;
pub use conversation::{CheckStep, Expectation, Payload};
pub use tls_client::{ClientCredentials, MinTlsVersion, TlsClient, TlsSettings};

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
            | CheckKind::Udp { port: own, .. }
            | CheckKind::Http { port: own, .. }
            | CheckKind::Grpc { port: own, .. }
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
            CheckKind::Http { port, tls, exchange: HttpExchange { host, .. } }
            | CheckKind::Grpc { port, tls, exchange: GrpcExchange { host, .. } } => {
                let default_port = if tls.is_some() { 443 } else { 80 };
                let named = || match port.get() {
                    port if port == default_port => name.to_owned(),
                    port => format!("{name}:{port}"),
                };
                host.get_or_insert_with(named);
            }
            CheckKind::Tcp { tls: Some(tls), .. } => {
                tls.server_name.get_or_insert_with(|| name.to_owned());
            }
            CheckKind::Icmp
            | CheckKind::Tcp { tls: None, .. }
            | CheckKind::Udp { .. }
            | CheckKind::Dns { .. } => {}
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
        /// What is sent and expected then.
        steps: Vec<CheckStep>,
    },
    /// Passes if what is sent in datagrams is answered as expected.
    Udp { port: NonZeroU16, steps: Vec<CheckStep> },
    /// Passes if an HTTP/1.1 request, over TLS if `tls` is set, is answered as expected.
    Http {
        port: NonZeroU16,
        /// Set by `type: https`.
        tls: Option<TlsSettings>,
        exchange: HttpExchange,
    },
    /// Passes if the server's health service says that a service is served.
    Grpc {
        port: NonZeroU16,
        /// Set by `ssl: true`.
        tls: Option<TlsSettings>,
        exchange: GrpcExchange,
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
            Self::Udp { .. } => "udp",
            Self::Http { tls: None, .. } => "http",
            Self::Http { tls: Some(_), .. } => "https",
            Self::Grpc { .. } => "grpc",
            Self::Dns { .. } => "dns",
        }
    }

    /// What its probes are as TLS clients, if they are.
    #[must_use]
    pub fn tls(&self) -> Option<&TlsSettings> {
        match self {
            Self::Icmp | Self::Udp { .. } | Self::Dns { .. } => None,
            Self::Tcp { tls, .. } | Self::Http { tls, .. } | Self::Grpc { tls, .. } => tls.as_ref(),
        }
    }

    /// `None` for ICMP.
    #[must_use]
    pub fn port(&self) -> Option<NonZeroU16> {
        match self {
            Self::Icmp => None,
            Self::Tcp { port, .. }
            | Self::Udp { port, .. }
            | Self::Http { port, .. }
            | Self::Grpc { port, .. }
            | Self::Dns { port, .. } => Some(*port),
        }
    }
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
    /// Over HTTP/2.
    pub http2: bool,
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
            http2: false,
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

/// A question to a server's health service (`grpc.health.v1`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GrpcExchange {
    /// The service that is asked about; empty: the server as a whole.
    pub service: String,
    /// The `:authority`; `None`: the backend's address.
    pub host: Option<String>,
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
