//! The accepted configuration: every reference resolved, every rule kept.
//! Holders never check again. The YAML that it is read from is documented in
//! `docs/configuration.md`.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::{NonZeroU16, NonZeroU32};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use super::names::{BackendName, CheckName, FrontendName, PoolName};
use super::resolution::{BackendAddress, HostName};
use crate::domain::dataplane::net::{Encap, TableLength, Vip, Weight};

/// One configuration file, accepted whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Settings of the health checker as a whole.
    pub healthchecker: HealthCheckerSettings,
    /// Settings of VPP's load balancer and of how it is kept right.
    pub lb: LbSettings,
    /// Health checks by name.
    pub checks: BTreeMap<CheckName, Arc<HealthCheck>>,
    /// Backends by name.
    pub backends: BTreeMap<BackendName, Arc<Backend>>,
    /// Frontends by name.
    pub frontends: BTreeMap<FrontendName, Frontend>,
}

/// `healthchecker`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthCheckerSettings {
    /// Transitions kept for each backend, at least 1.
    pub transition_history: usize,
    /// Network namespace that probes leave from; `None`: the daemon's own.
    pub netns: Option<String>,
    /// Probes in flight at once; `None`: as many as descriptors allow.
    pub max_probes: Option<usize>,
    /// Who is asked for the addresses of backends that are named; none: the
    /// system's name servers.
    pub nameservers: Vec<SocketAddr>,
}

/// `vpp.lb`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LbSettings {
    /// Time between two looks for drift, above 0.
    pub sync_interval: Duration,
    /// Nothing is written to VPP before this time after the start.
    pub startup_min_delay: Duration,
    /// From this time after the start on, unknown counts as down.
    pub startup_max_delay: Duration,
    /// What VPP's `lb_conf` is to hold.
    pub conf: LbConf,
}

/// The load balancer's global settings (VPP `lb_conf`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LbConf {
    /// Outer source address of GRE over IPv4.
    pub ip4_src: Ipv4Addr,
    /// Outer source address of GRE over IPv6.
    pub ip6_src: Ipv6Addr,
    /// Sticky flow entries of each worker, a power of two. A change drops
    /// every flow.
    pub sticky_buckets_per_core: u32,
    /// Idle seconds after which a flow is forgotten, 1 to 120.
    pub flow_timeout_s: u32,
}

/// `healthchecks.<name>`
#[derive(Clone, Debug, PartialEq)]
pub struct HealthCheck {
    /// What is sent and what counts as an answer.
    pub kind: CheckKind,
    /// When, and how many results make a verdict.
    pub timing: Timing,
    /// Source address of probes to IPv4 backends; `None`: the kernel chooses.
    pub source_v4: Option<Ipv4Addr>,
    /// Source address of probes to IPv6 backends; `None`: the kernel chooses.
    pub source_v6: Option<Ipv6Addr>,
}

impl HealthCheck {
    /// The check of a backend that is named: its name is what an HTTP request
    /// and a certificate are about, where the check says nothing else.
    #[must_use]
    pub fn of_host(&self, host: &HostName) -> Self {
        let mut check = self.clone();
        let name = host.name.trim_end_matches('.');
        match &mut check.kind {
            CheckKind::Http { port, tls, exchange } => {
                let usual = if tls.is_some() { 443 } else { 80 };
                let named = || match port.get() {
                    port if port == usual => name.to_owned(),
                    port => format!("{name}:{port}"),
                };
                exchange.host.get_or_insert_with(named);
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
    /// Between the starts of two probes while all is well.
    pub interval: Duration,
    /// The same while a verdict is in the making, or not known.
    pub fast_interval: Duration,
    /// The same while the backend is down.
    pub down_interval: Duration,
    /// A probe that takes longer has failed.
    pub timeout: Duration,
    /// Consecutive passes that make a backend up.
    pub rise: NonZeroU32,
    /// Consecutive failures that make a backend down.
    pub fall: NonZeroU32,
}

/// A kind of health check with what it needs to know.
#[derive(Clone, Debug, PartialEq)]
pub enum CheckKind {
    /// An echo request is answered.
    Icmp,
    /// A connection is accepted, and a TLS handshake done if `tls` is set.
    Tcp {
        /// The port to connect to.
        port: NonZeroU16,
        /// Set by `ssl: true`.
        tls: Option<TlsSettings>,
    },
    /// An HTTP/1.1 request is answered as expected, over TLS if `tls` is set.
    Http {
        /// The port to connect to.
        port: NonZeroU16,
        /// Set by `type: https`.
        tls: Option<TlsSettings>,
        /// The request and the expected answer.
        exchange: HttpExchange,
    },
    /// A DNS query is answered with the expected code.
    Dns {
        /// The port to ask.
        port: NonZeroU16,
        /// The query and the expected answer.
        exchange: DnsExchange,
    },
}

impl CheckKind {
    /// The word of the configuration file.
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

    /// The port that is probed; `None` for ICMP.
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

/// TLS as a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsSettings {
    /// Name to ask for (SNI) and to find in the certificate; `None`: the
    /// HTTP host, or the backend's address.
    pub server_name: Option<String>,
    /// False: any certificate will do.
    pub verify: bool,
}

/// An HTTP request and the answer that passes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HttpExchange {
    /// Path and query, starting with `/`.
    pub path: String,
    /// The `Host` header; `None`: the backend's address.
    pub host: Option<String>,
    /// Status codes that pass.
    pub codes: RangeInclusive<u16>,
    /// A regular expression, known to compile, that the first 64 KiB of the
    /// body must match.
    pub body: Option<String>,
}

/// A DNS query and the answer that passes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DnsExchange {
    /// The name to ask for.
    pub query: String,
    /// The record type, in capitals (`A`).
    pub record: String,
    /// True: over TCP; false: over UDP.
    pub tcp: bool,
    /// The response code that passes, in capitals (`NOERROR`).
    pub rcode: String,
    /// A regular expression, known to compile, that a record of the answer
    /// must match as zone files write it; `None`: any record will do.
    pub answer: Option<String>,
}

/// `backends.<name>`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backend {
    /// Where it is probed and where VPP sends its flows.
    pub address: BackendAddress,
    /// `None`: always up.
    pub check: Option<CheckName>,
    /// False: not probed and given no flows.
    pub enabled: bool,
}

/// `frontends.<name>`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frontend {
    /// For people.
    pub description: String,
    /// What VPP knows it by.
    pub vip: Vip,
    /// Follows from the backends' address family.
    pub encap: Encap,
    /// Choose the server by the client's address alone.
    pub src_ip_sticky: bool,
    /// Forget the flows of a server that went down.
    pub flush_on_down: bool,
    /// Entries of the new-flow table.
    pub table_length: TableLength,
    /// In order of preference.
    pub pools: Vec<Pool>,
}

/// `frontends.<name>.pools[]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Unique in its frontend.
    pub name: PoolName,
    /// At least one.
    pub backends: BTreeMap<BackendName, Weight>,
}
