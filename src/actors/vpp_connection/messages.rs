//! What the VppConnection can be told and asked, and what it tells the
//! Reconciler.

use std::collections::BTreeMap;
use std::time::SystemTime;

use actix::prelude::*;
use thiserror::Error;

use super::VppConnection;
pub use crate::domain::dataplane::connection::{DataplaneError, Epoch, Outcome};
use crate::domain::dataplane::net::Vip;
use crate::domain::dataplane::observed::{Observed, ObservedServers};
use crate::domain::dataplane::step::Step;
pub use crate::vpp::client::Traffic;
use crate::vpp::client::{CallError, SessionStats, VppClient};
use crate::vpp::stats::StatsError;
pub use crate::vpp::stats::VipCounters;

/// What the Reconciler needs of a VppConnection, or of what stands in for one.
#[derive(Clone)]
pub struct DataplaneHandle {
    pub subscribe: Recipient<SubscribeConnection>,
    pub observe: Recipient<Observe>,
    pub read_servers: Recipient<ReadServers>,
    pub apply: Recipient<Apply>,
}

impl From<Addr<VppConnection>> for DataplaneHandle {
    fn from(vpp: Addr<VppConnection>) -> Self {
        let (subscribe, observe) = (vpp.clone().recipient(), vpp.clone().recipient());
        Self { subscribe, observe, read_servers: vpp.clone().recipient(), apply: vpp.recipient() }
    }
}

/// Tell these of the connection's coming and going; at once, if it is there.
#[derive(Message)]
#[rtype(result = "()")]
pub struct SubscribeConnection {
    /// Hears that VPP can be programmed.
    pub connected: Recipient<Connected>,
    /// Hears that it no longer can.
    pub lost: Recipient<Lost>,
}

/// VPP can be programmed: to the Reconciler.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Connected {
    pub epoch: Epoch,
}

/// VPP is gone or silent: to the Reconciler.
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

/// What was read, and over which connection.
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

impl From<Result<(), CallError>> for Outcome {
    fn from(result: Result<(), CallError>) -> Self {
        match result {
            Ok(()) => Self::Done,
            Err(error @ CallError::Refused { .. }) => Self::Refused(error.to_string()),
            Err(error) => Self::Unknown(error.to_string()),
        }
    }
}

/// What VPP says of itself.
#[derive(Message, Debug)]
#[rtype(result = "Result<VppInfo, DataplaneError>")]
pub struct GetVppInfo;

/// What VPP says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VppInfo {
    /// `26.10-rc0~374-gb575ec2c56d`
    pub version: String,
    /// As VPP prints it.
    pub build_date: String,
    /// As VPP prints it.
    pub build_directory: String,
    pub pid: u32,
    /// When VPP started; `None` if its stats segment does not tell.
    pub booted_at: Option<SystemTime>,
    pub epoch: Epoch,
    /// When this connection was made.
    pub connected_at: SystemTime,
    /// Messages that we need and this VPP lacks, with their CRCs.
    pub missing: Vec<String>,
    /// Names of dead API clients that VPP noticed only when we connected.
    pub reaped: Vec<String>,
}

impl VppInfo {
    /// What was learnt when `client` connected just now.
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
            missing: client.missing().to_vec(),
            reaped: client.reaped().iter().map(|client| client.name.clone()).collect(),
        }
    }
}

/// Read the packet counters of every live VIP.
#[derive(Message, Debug)]
#[rtype(result = "Result<Vec<VipPackets>, CountersError>")]
pub struct GetCounters;

/// The packets of one VIP. A VIP whose counters are not certain has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VipPackets {
    pub vip: Vip,
    /// Since its slot in VPP was taken.
    pub packets: VipCounters,
}

/// What was counted over all connections.
#[derive(Message, Debug)]
#[rtype(result = "ConnectionStats")]
pub struct GetConnectionStats;

/// What was counted over all connections.
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

/// How does it stand with VPP? Answered at once.
#[derive(Message, Debug)]
#[rtype(result = "ConnectionState")]
pub struct GetConnectionState;

/// How it stands with VPP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, MessageResponse)]
pub enum ConnectionState {
    /// None is wanted.
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

/// Leave VPP politely and connect no more. Answered when that is done.
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
    /// `show lb vips verbose` would fill VPP's send buffer, and only it tells
    /// which counters are whose.
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
