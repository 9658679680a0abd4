//! The facts that a diagnosis is made of.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;

use crate::domain::dataplane::dialect::LbDialect;
use crate::domain::dataplane::fib::{Egresses, FibEntry};
use crate::domain::dataplane::net::{Encap, Vip};
use crate::domain::dataplane::plan::Desired;
use crate::domain::names::FrontendName;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoctorFacts {
    pub sockets: Vec<SocketFacts>,
    pub identity: ProcessIdentity,
    pub vpp: VppFacts,
    /// `net.core.wmem_default` in bytes; `None`: unknown.
    pub send_buffer: Option<usize>,
    pub frontends: Vec<FrontendFacts>,
    pub passes: PassFacts,
}

/// A socket of VPP that the daemon opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketFacts {
    pub of: VppSocket,
    pub path: String,
    pub access: SocketAccess,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VppSocket {
    /// Of the binary API, by which VPP is programmed.
    Api,
    /// Of the stats segment: without it there are no counters.
    Stats,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SocketAccess {
    Absent,
    /// It is not a socket.
    NotASocket,
    /// The system refuses to look at it, for this reason.
    Hidden(String),
    Present {
        /// As `ls -l` shows it: `srwxrwx--- root vpp`.
        mode: String,
        /// The group that owns it.
        group: String,
        /// Whether the daemon may connect to it.
        allowed: bool,
    },
}

/// As whom the daemon runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProcessIdentity {
    pub user: String,
    pub groups: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VppFacts {
    /// The daemon runs without a VPP.
    Off,
    /// There is no connection, for this reason.
    Away(String),
    Connected(ConnectedVpp),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectedVpp {
    pub version: String,
    /// How it is programmed; `None`: not at all.
    pub dialect: Option<LbDialect>,
    /// API messages that programming needs and this VPP lacks.
    pub missing: Vec<String>,
    /// Names of API clients that were gone and that VPP had not noticed.
    pub dead_clients: Vec<String>,
    /// What was read of its forwarding table; otherwise why it was not.
    pub fib: Result<FibFacts, String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FibFacts {
    pub entries: BTreeMap<IpNet, FibEntry>,
    pub servers: BTreeMap<IpAddr, Egresses>,
}

/// A frontend as VPP should hold it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrontendFacts {
    pub name: FrontendName,
    pub vip: Vip,
    pub encap: Encap,
    pub servers: Vec<IpAddr>,
}

impl FrontendFacts {
    /// Every frontend.
    #[must_use]
    pub fn of(desired: &Desired) -> Vec<Self> {
        let frontends = desired.frontends.iter().map(|(name, frontend)| Self {
            name: name.clone(),
            vip: frontend.spec.vip,
            encap: frontend.spec.encap,
            servers: frontend.servers.keys().copied().collect(),
        });
        frontends.collect()
    }
}

/// What VPP's forwarding table is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FibQuery {
    /// Whose entries.
    pub prefixes: BTreeSet<IpNet>,
    /// The ways to which servers.
    pub servers: BTreeSet<IpAddr>,
}

impl FibQuery {
    /// The entries of these VIPs.
    #[must_use]
    pub fn of_vips(vips: impl Iterator<Item = Vip>) -> Self {
        Self { prefixes: vips.map(|vip| vip.prefix()).collect(), servers: BTreeSet::new() }
    }

    /// The entries of all VIPs, and the ways to all servers.
    #[must_use]
    pub fn of_all(frontends: &[FrontendFacts]) -> Self {
        let servers = frontends.iter().flat_map(|frontend| frontend.servers.iter().copied());
        Self {
            servers: servers.collect(),
            ..Self::of_vips(frontends.iter().map(|frontend| frontend.vip))
        }
    }
}

/// How the writing to VPP goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PassFacts {
    /// Since a pass over everything ended without a failed step; `None`: none has.
    pub age: Option<Duration>,
    /// The configured time between two passes.
    pub interval: Duration,
    /// Steps that VPP refuses, and why, by frontend; `None`: those of no frontend.
    pub refused: Vec<(Option<FrontendName>, String)>,
}
