//! The accepted configuration: every reference is resolved and every rule is
//! checked, so that its users need not check again. `docs/configuration.md`
//! documents the YAML that it is read from.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::{NonZeroU16, NonZeroU32};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use super::announce::placement::VipPrefix;
use super::announce::{AnnounceSettings, AnnouncerSettings};
use super::evidence::group::ProbeGroup;
use super::health::damping::FlapDamping;
use super::names::{BackendName, CheckName, FrontendName, PoolName};
use super::resolution::{BackendAddress, HostName, IpFamily};
use crate::domain::balancing::fail_open::FailOpenThreshold;
use crate::domain::dataplane::net::{Encap, TableLength, Vip, Weight};

/// One configuration file, accepted as a whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    pub healthchecker: HealthCheckerSettings,
    pub lb: LbSettings,
    /// Whom to tell of VIPs that serve.
    pub announcer: AnnouncerSettings,
    pub checks: BTreeMap<CheckName, Arc<HealthCheck>>,
    pub backends: BTreeMap<BackendName, Arc<Backend>>,
    pub frontends: BTreeMap<FrontendName, Frontend>,
}

/// `healthchecker`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthCheckerSettings {
    /// Transitions kept per backend, at least 1.
    pub transition_history: usize,
    /// Network namespace that probes leave from; `None`: the daemon's own.
    pub netns: Option<String>,
    /// The most probes in flight; `None`: as many as file descriptors allow.
    pub max_probes: Option<usize>,
    /// Name servers for backends that are given by name; empty: the system's.
    pub nameservers: Vec<SocketAddr>,
    /// How long a verdict waits for evidence; zero: not at all.
    pub doubt_limit: Duration,
    /// What is probed when no backend can be a witness.
    pub witnesses: Vec<WitnessAddress>,
}

/// `healthchecker.witnesses[]`: an address that answers wherever the way out works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WitnessAddress {
    pub address: IpAddr,
    /// It is connected to, and to refuse is an answer as well; `None`: an echo request.
    pub port: Option<NonZeroU16>,
}

/// `192.0.2.1`, `192.0.2.1:53`, `[2001:db8::1]:53`
impl fmt::Display for WitnessAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            None => self.address.fmt(f),
            Some(port) => SocketAddr::new(self.address, port.get()).fmt(f),
        }
    }
}

/// `vpp.lb`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LbSettings {
    /// Time between two drift passes, above 0.
    pub sync_interval: Duration,
    /// Nothing is written to VPP before this time after the start.
    pub startup_min_delay: Duration,
    /// Unknown backends count as down from this time after the start on.
    pub startup_max_delay: Duration,
    pub conf: LbConf,
}

/// The load balancer's global settings (VPP's `lb_conf`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LbConf {
    /// The outer source address of GRE over IPv4.
    pub ip4_src: Ipv4Addr,
    /// The outer source address of GRE over IPv6.
    pub ip6_src: Ipv6Addr,
    /// Entries of each worker's table of sticky flows, a power of two. A change
    /// drops every flow.
    pub sticky_buckets_per_core: u32,
    /// Idle seconds after which VPP forgets a flow, 1 to 120.
    pub flow_timeout_s: u32,
}

/// `healthchecks.<name>`
#[derive(Clone, Debug, PartialEq)]
pub struct HealthCheck {
    pub kind: CheckKind,
    pub timing: Timing,
    /// The source address of probes to IPv4 backends; `None`: the kernel chooses.
    pub source_v4: Option<Ipv4Addr>,
    /// The source address of probes to IPv6 backends; `None`: the kernel chooses.
    pub source_v6: Option<Ipv6Addr>,
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
    /// Path and query, starting with `/`.
    pub path: String,
    /// The `Host` header; `None`: the backend's address.
    pub host: Option<String>,
    /// Status codes that pass.
    pub codes: RangeInclusive<u16>,
    /// A valid regular expression that must match the first 64 KiB of the body.
    pub body: Option<String>,
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

/// `backends.<name>`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backend {
    /// The address that is probed, and that VPP sends flows to.
    pub address: BackendAddress,
    pub check: Option<CheckName>,
    /// False: it is not probed and gets no flows.
    pub enabled: bool,
}

/// `frontends.<name>`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frontend {
    pub description: String,
    pub vip: Vip,
    /// Determined by the backends' address family.
    pub encap: Encap,
    /// VPP chooses the server by the client's address alone.
    pub src_ip_sticky: bool,
    /// Flush the flows of a server that goes down.
    pub flush_on_down: bool,
    /// With less of its weight up, its health checks are not believed; `None`: they
    /// always are.
    pub fail_open: Option<FailOpenThreshold>,
    /// When its address is announced; `None`: never.
    pub announce: Option<AnnounceSettings>,
    pub table_length: TableLength,
    /// In order of preference.
    pub pools: Vec<Pool>,
}

impl Frontend {
    /// What is announced of it; `None`: nothing.
    #[must_use]
    pub fn announced_prefix(&self) -> Option<VipPrefix> {
        self.announce.map(|_| VipPrefix::new(self.vip.prefix().addr()))
    }
}

/// `frontends.<name>.pools[]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Unique in its frontend.
    pub name: PoolName,
    /// How long a server that comes back takes to get its whole weight; `None`: no time.
    pub slow_start: Option<Duration>,
    /// At least one.
    pub backends: BTreeMap<BackendName, Weight>,
}
