//! The accepted configuration: every reference is resolved and every rule is
//! checked, so that its users need not check again. `docs/configuration.md`
//! documents the YAML that it is read from.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;

use super::announce::placement::VipPrefix;
use super::announce::{AnnounceSettings, AnnouncerSettings};
pub use super::check::{
    CheckKind, CheckStep, ClientCredentials, DnsExchange, Expectation, GrpcExchange, HeaderValue,
    HealthCheck, HttpExchange, MinTlsVersion, Payload, ProxyVersion, RequestHeader, ResponseHeader,
    Timing, TlsClient, TlsSettings,
};
use super::names::{BackendName, CheckName, FrontendName, PoolName};
use super::resolution::BackendAddress;
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

/// `backends.<name>`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backend {
    /// The address that is probed, and that VPP sends flows to.
    pub address: BackendAddress,
    pub check: Option<CheckName>,
    /// The port that is probed; `None`: the check's own.
    pub port: Option<NonZeroU16>,
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
