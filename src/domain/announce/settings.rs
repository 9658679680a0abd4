//! What the configuration says of announcements.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

/// `frontends.<name>.announce`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnnounceSettings {
    /// With less of its weight up, it is withdrawn.
    pub min_healthy: HealthyShare,
    /// With so much of it up, it is announced again; at least `min_healthy`.
    pub recover: HealthyShare,
    /// How long too little of it is up before it is withdrawn.
    pub hold_down: Duration,
    /// How long enough of it is up before it is announced again.
    pub hold_up: Duration,
    pub shared: SharedBy,
}

impl Default for AnnounceSettings {
    fn default() -> Self {
        Self {
            min_healthy: HealthyShare(1),
            recover: HealthyShare(1),
            hold_down: Duration::from_secs(3),
            hold_up: Duration::from_secs(10),
            shared: SharedBy::Any,
        }
    }
}

/// Which frontends of a prefix have to be healthy for it to be announced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SharedBy {
    #[default]
    Any,
    All,
}

impl SharedBy {
    /// The word in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::All => "all",
        }
    }
}

/// A share of the weight of a frontend's servers: 1 to 100 per cent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HealthyShare(u8);

impl HealthyShare {
    /// `None` outside of 1 to 100.
    #[must_use]
    pub fn new(percent: u8) -> Option<Self> {
        (1..=100).contains(&percent).then_some(Self(percent))
    }

    #[must_use]
    pub fn percent(self) -> u8 {
        self.0
    }

    /// Whether so much is up. Where no server is in use there is nothing that could be.
    pub(super) fn is_reached(self, up: u64, total: u64) -> bool {
        up > 0 && up.saturating_mul(100) >= total.saturating_mul(u64::from(self.0))
    }
}

/// As in the configuration: `20%`.
impl fmt::Display for HealthyShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

/// `announce`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnnouncerSettings {
    /// Each is told of everything; empty: nothing is announced.
    pub drivers: Vec<DriverSettings>,
    /// How long what VPP does not serve stays announced.
    pub hold_vpp: Duration,
    /// How long a VIP that is to be removed serves on once it was withdrawn.
    pub leave: Duration,
}

impl Default for AnnouncerSettings {
    fn default() -> Self {
        Self {
            drivers: Vec::new(),
            hold_vpp: Duration::from_secs(10),
            leave: Duration::from_secs(2),
        }
    }
}

/// A way to tell a routing daemon.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DriverSettings {
    /// Blackhole routes in a table of the kernel.
    Netlink {
        table: u32,
        /// Whose routes they are (`rtm_protocol`).
        protocol: u8,
        /// Another network namespace than the daemon's own.
        netns: Option<String>,
    },
    /// GoBGP's gRPC API.
    Gobgp {
        address: SocketAddr,
        /// The community that marks paths of ours.
        community: (u16, u16),
    },
    /// Files that BIRD includes, and its control socket.
    Bird { socket: String, directory: String },
    /// A program that places the whole set.
    Command {
        /// The program, by its absolute path, and its arguments.
        argv: Vec<String>,
    },
}

impl DriverSettings {
    /// The kernel's number of table `main`.
    pub const MAIN_TABLE: u32 = 254;
    pub const TABLE: u32 = 4242;
    pub const PROTOCOL: u8 = 76;
    /// The community that marks paths in GoBGP.
    pub const COMMUNITY: (u16, u16) = (64_512, 4242);
    pub const BIRD_SOCKET: &str = "/run/bird/bird.ctl";
    /// On tmpfs.
    pub const BIRD_DIRECTORY: &str = "/run/vpp-maglev/bird";

    /// The key in the configuration, and the name in the API, logs and metrics.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Netlink { .. } => "netlink",
            Self::Gobgp { .. } => "gobgp",
            Self::Bird { .. } => "bird",
            Self::Command { .. } => "command",
        }
    }
}
