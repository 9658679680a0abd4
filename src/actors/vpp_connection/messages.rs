//! The messages that the VppConnection takes, and those that it sends to the
//! Reconciler.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant, SystemTime};

use actix::prelude::*;
use thiserror::Error;

pub use crate::domain::dataplane::connection::{DataplaneError, Epoch, Outcome};
use crate::domain::dataplane::dialect::LbDialect;
use crate::domain::dataplane::net::Vip;
use crate::domain::dataplane::observed::{Observed, ObservedServers};
use crate::domain::dataplane::step::Step;
use crate::domain::doctor::{FibFacts, FibQuery};
use crate::domain::drain::FlowCounts;
pub use crate::vpp::client::Traffic;
use crate::vpp::client::{CallError, SessionStats, VppClient};
use crate::vpp::stats::StatsError;
pub use crate::vpp::stats::VipCounters;

/// The VppConnection as the Reconciler uses it, or a fake of it.
#[derive(Clone)]
pub struct DataplaneHandle {
    pub subscribe: Recipient<SubscribeConnection>,
    pub observe: Recipient<Observe>,
    pub read_servers: Recipient<ReadServers>,
    pub apply: Recipient<Apply>,
    pub collect: Recipient<Collect>,
}

/// Send these the changes of the connection, and its state at once if it is up.
#[derive(Message)]
#[rtype(result = "()")]
pub struct SubscribeConnection {
    pub connected: Recipient<Connected>,
    pub lost: Recipient<Lost>,
}

/// VPP can be programmed. Sent to the Reconciler.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Connected {
    pub epoch: Epoch,
}

/// VPP is gone or silent. Sent to the Reconciler.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Lost {
    pub epoch: Epoch,
    pub why: String,
}

/// Read the load balancer's whole state.
#[derive(Message, Debug)]
#[rtype(result = "Result<ObservedAt, DataplaneError>")]
pub struct Observe;

/// What was read over which connection.
#[derive(Clone, Debug)]
pub struct ObservedAt {
    pub epoch: Epoch,
    /// What VPP holds.
    pub observed: Observed,
}

/// Read the servers of these VIPs again, over this connection and no other.
/// VIPs that VPP cannot be asked for alone are missing in the answer.
#[derive(Message, Debug)]
#[rtype(result = "Result<BTreeMap<Vip, ObservedServers>, DataplaneError>")]
pub struct ReadServers {
    pub epoch: Epoch,
    /// The VIPs, and about how many servers each has, retired ones included.
    pub vips: BTreeMap<Vip, usize>,
}

/// Write these steps, in order, over this connection and no other.
#[derive(Message, Debug)]
#[rtype(result = "Result<Vec<Outcome>, DataplaneError>")]
pub struct Apply {
    /// The connection that the steps were planned for.
    pub epoch: Epoch,
    pub steps: Vec<Step>,
    /// Ahead of everything that is not sent yet.
    pub urgent: bool,
}

/// Make VPP collect what was removed, over this connection and no other. See
/// [`VppClient::collect`].
#[derive(Message, Debug)]
#[rtype(result = "Result<(), DataplaneError>")]
pub struct Collect {
    pub epoch: Epoch,
    /// The source address of GRE over IPv4 that VPP has.
    pub ip4_src: Ipv4Addr,
}

impl From<Result<(), CallError>> for Outcome {
    fn from(result: Result<(), CallError>) -> Self {
        match result {
            Ok(()) => Self::Done,
            Err(error @ CallError::Refused { .. }) => Self::Refused(error.to_string()),
            Err(error) => Self::Unknown(error.to_string()),
        }
    }
}

#[derive(Message, Debug)]
#[rtype(result = "Result<VppInfo, DataplaneError>")]
pub struct GetVppInfo;

/// Which VPP is connected, and since when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VppInfo {
    /// `26.10-rc0~374-gb575ec2c56d`
    pub version: String,
    pub build_date: String,
    pub build_directory: String,
    pub pid: u32,
    /// When VPP started; `None` if its stats segment does not have it.
    pub booted_at: Option<SystemTime>,
    pub epoch: Epoch,
    pub connected_at: SystemTime,
    /// The same moment by a clock that nobody sets.
    pub connected_since: Instant,
    /// How it is programmed; `None`: not at all.
    pub dialect: Option<LbDialect>,
    /// Messages that we need and this VPP lacks, with their CRCs.
    pub missing: Vec<String>,
    /// Names of dead API clients that VPP noticed only when we connected.
    pub reaped: Vec<String>,
}

impl VppInfo {
    /// The info of a client that has connected just now.
    pub(super) fn of(client: &VppClient, epoch: Epoch) -> Self {
        let info = client.info().clone();
        Self {
            version: info.version,
            build_date: info.build_date,
            build_directory: info.build_directory,
            pid: info.pid,
            booted_at: None,
            epoch,
            connected_at: SystemTime::now(),
            connected_since: Instant::now(),
            dialect: client.lb_dialect(),
            missing: client.missing().to_vec(),
            reaped: client.reaped().iter().map(|client| client.name.clone()).collect(),
        }
    }

    #[must_use]
    pub fn connected_for(&self) -> Duration {
        self.connected_since.elapsed()
    }

    /// How long VPP has been running; `None` if that is not known. A clock that is
    /// set while the connection stands does not change it.
    #[must_use]
    pub fn uptime(&self) -> Option<Duration> {
        let before = self.connected_at.duration_since(self.booted_at?).unwrap_or_default();
        Some(before + self.connected_for())
    }
}

/// Read this of VPP's forwarding table, with the `lb` plugin or without.
#[derive(Message, Debug)]
#[rtype(result = "Result<FibRead, DataplaneError>")]
pub struct ReadFib(pub FibQuery);

/// What was read over which connection.
#[derive(Clone, Debug)]
pub struct FibRead {
    pub epoch: Epoch,
    pub facts: FibFacts,
}

/// Make VPP let go of API clients that are gone, and say all that it did since we
/// connected.
#[derive(Message, Debug)]
#[rtype(result = "Result<Vec<String>, DataplaneError>")]
pub struct ReapClients;

/// Read the packet counters of every live VIP.
#[derive(Message, Debug)]
#[rtype(result = "Result<Vec<VipPackets>, CountersError>")]
pub struct GetCounters;

/// Read the established flows of every server, and how many packets were sent to some.
#[derive(Message, Debug)]
#[rtype(result = "Result<FlowCounts, FlowsError>")]
pub struct ReadFlows {
    pub packets_of: BTreeSet<IpAddr>,
}

/// Why VPP's flows could not be counted.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FlowsError {
    #[error(transparent)]
    Dataplane(#[from] DataplaneError),
    /// `show lb vips verbose` would fill VPP's send buffer, and only it shows flows.
    #[error(
        "VPP's list of VIPs with its flows does not fit in its send buffer; raise net.core.wmem_default and restart VPP"
    )]
    TooManyVips,
    #[error("VPP's `show lb vips verbose`, which shows the flows, is not understood")]
    NotUnderstood,
}

/// The packets of one VIP. A VIP whose counters are not certain has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VipPackets {
    pub vip: Vip,
    /// Since its slot in VPP was taken.
    pub packets: VipCounters,
}

#[derive(Message, Debug)]
#[rtype(result = "ConnectionStats")]
pub struct GetConnectionStats;

/// Counters over all connections of this daemon's life.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectionStats {
    /// API clients that were gone and that VPP noticed only when we connected.
    pub dead_clients: u64,
    /// API calls by the name of their message.
    pub traffic: BTreeMap<&'static str, Traffic>,
}

impl ConnectionStats {
    /// Adds what one connection has counted.
    pub(super) fn add(&mut self, stats: &SessionStats) {
        for (message, more) in &stats.messages {
            self.traffic.entry(message).or_default().add(*more);
        }
    }
}

/// Answered at once, without a call to VPP.
#[derive(Message, Debug)]
#[rtype(result = "ConnectionState")]
pub struct GetConnectionState;

/// The state of the connection to VPP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, MessageResponse)]
pub enum ConnectionState {
    /// The daemon runs without a VPP.
    Off,
    /// The first attempt to connect is under way.
    Dialing,
    /// It was tried, and is not there or silent.
    Away,
    /// It lacks messages that programming needs.
    Unusable,
    /// It can be programmed, over this connection.
    Up(Epoch),
}

/// Say goodbye to VPP and connect no more. Answered when that is done.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Close;

/// Why VPP's counters could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CountersError {
    #[error(transparent)]
    Dataplane(#[from] DataplaneError),
    /// The daemon runs without the stats socket.
    #[error("no VPP stats socket is configured: start maglevd with --vpp-stats-addr")]
    Off,
    /// There is a connection, and its stats segment is not there or not read.
    #[error("VPP's counters cannot be read: {0}")]
    Segment(#[from] StatsError),
    /// `show lb vips verbose` would fill VPP's send buffer, and only it shows the
    /// slots of the counters.
    #[error(
        "VPP's counters cannot be told apart: its list of VIPs does not fit in its send buffer; raise net.core.wmem_default and restart VPP"
    )]
    TooManyVips,
    /// Nothing of `show lb vips verbose` is understood.
    #[error("VPP's counters cannot be told apart: its `show lb vips verbose` is not understood")]
    NotUnderstood,
}

/// A call that failed half-way.
#[expect(clippy::needless_pass_by_value, reason = "used as a function value")]
pub(super) fn call_failed(error: CallError) -> DataplaneError {
    DataplaneError::Failed(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_do_not_follow_a_clock_that_is_set() {
        let started = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let since = Instant::now();
        let info = VppInfo {
            version: String::new(),
            build_date: String::new(),
            build_directory: String::new(),
            pid: 1,
            booted_at: Some(started),
            epoch: Epoch(1),
            // The clock of that moment, which is not the present one.
            connected_at: started + Duration::from_secs(60),
            connected_since: since,
            dialect: None,
            missing: vec![],
            reaped: vec![],
        };
        assert!(info.connected_for() <= since.elapsed());
        let uptime = info.uptime().unwrap();
        assert!(uptime >= Duration::from_secs(60), "{uptime:?}");
        assert!(uptime <= Duration::from_secs(60) + since.elapsed(), "{uptime:?}");
        assert_eq!(VppInfo { booted_at: None, ..info }.uptime(), None);
    }
}
