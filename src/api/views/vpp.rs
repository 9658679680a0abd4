//! VPP and its load balancer: identity, state, counters and syncs.

use serde::Serialize;

use super::text::present;
use super::time::known_moment;
use crate::pb;

/// Bit 0 of a server's flags in VPP: it is in use, not removed.
const IN_USE: u32 = 1;

/// What VPP reports about itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VppInfoJson {
    /// As `show version` prints it.
    pub version: String,
    /// As `show version` prints it.
    pub build_date: String,
    /// As `show version` prints it.
    pub build_directory: String,
    /// The process.
    pub pid: u32,
    /// When VPP started.
    pub booted_at: Option<String>,
    /// When maglevd connected.
    pub connected_at: Option<String>,
    /// API messages that this VPP lacks; while there are any, it is not
    /// programmed.
    pub missing_messages: Vec<String>,
    /// Dead API clients that VPP noticed only when maglevd connected.
    pub reaped_clients: Vec<String>,
    /// VIPs of no frontend whose removal is held.
    pub held_removals: Vec<String>,
    /// `weights` or `membership`; null while VPP is not programmed.
    pub dialect: Option<String>,
}

/// The state of the load balancer, as VPP holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LbStateJson {
    /// Settings of the whole plugin.
    pub conf: Option<LbConfJson>,
    /// Every VIP, those of other programs included.
    pub vips: Vec<LbVipJson>,
}

/// Settings of the load balancer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LbConfJson {
    /// The outer source address of GRE over IPv4.
    pub ip4_src_address: String,
    /// The outer source address of GRE over IPv6.
    pub ip6_src_address: String,
    /// Buckets of each worker's table of established flows.
    pub sticky_buckets_per_core: u32,
    /// Seconds.
    pub flow_timeout_s: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LbVipJson {
    /// Address and prefix length.
    pub prefix: String,
    /// IP protocol number; 255: every protocol and port.
    pub protocol: u32,
    /// 0: every port.
    pub port: u32,
    /// `gre4`, `gre6`, `l3dsr`, `nat4` or `nat6`.
    pub encap: String,
    /// Entries; `None`: more than VPP can report.
    pub flow_table_length: Option<u32>,
    /// Live servers first, then removed ones.
    pub servers: Vec<LbServerJson>,
    /// Whether no frontend has it and its removal is held.
    pub removal_held: bool,
}

/// An application server of a VIP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LbServerJson {
    /// IPv4 or IPv6.
    pub address: String,
    /// 0..=100
    pub weight: u32,
    /// Entries of the new-flow table that lead to it.
    pub buckets: u32,
    /// False: it was removed, and VPP has not collected it yet.
    pub in_use: bool,
    /// As VPP has them.
    pub flags: u32,
    /// When it was removed.
    pub removed_at: Option<String>,
}

/// Packets of a VIP, over all workers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VipCountersJson {
    /// Address and prefix length.
    pub prefix: String,
    /// IP protocol number; 255: every protocol and port.
    pub protocol: u32,
    /// 0: every port.
    pub port: u32,
    /// Packets of established flows.
    pub next: u64,
    /// First packets of flows.
    pub first: u64,
    /// Packets forwarded without a sticky entry.
    pub untracked: u64,
    /// Packets dropped, because no server takes new flows.
    pub no_server: u64,
    /// As in the state.
    pub removal_held: bool,
}

/// One thing that the diagnosis of VPP looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DoctorFindingJson {
    /// `ok`, `warning` or `fault`.
    pub severity: String,
    /// What was looked at.
    pub subject: String,
    /// What was seen there.
    pub seen: String,
    /// What to do.
    pub remedy: Option<String>,
}

/// A sync, or what one would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SyncJson {
    /// In the order in which they were taken.
    pub steps: Vec<SyncStepJson>,
    /// Whether they were taken.
    pub applied: bool,
    /// Whether none was to be taken.
    pub dry_run: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SyncStepJson {
    /// `None`: settings, or a VIP of no frontend.
    pub frontend: Option<String>,
    /// `conf-set`, `vip-add`, `vip-del`, `as-add`, `as-del` or `as-weight`.
    pub action: String,
    /// `none`, `new-flows`, `flush` or `disruptive`.
    pub disruption: String,
    /// The values, for people.
    pub detail: String,
    /// Why VPP refused it.
    pub error: Option<String>,
    /// Whether it was left out, since too much would be removed to be meant.
    pub held: bool,
    /// What it moves in the table of its VIP.
    pub moves: Option<TableMovesJson>,
}

/// What a change moves in a table of new flows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TableMovesJson {
    /// Entries of the table.
    pub entries: u32,
    /// Entries that servers of changed weight gain or lose.
    pub own: u32,
    /// Entries that move between servers whose weights do not change.
    pub collateral: u32,
}

impl From<&pb::VppInfo> for VppInfoJson {
    fn from(info: &pb::VppInfo) -> Self {
        Self {
            version: info.version.clone(),
            build_date: info.build_date.clone(),
            build_directory: info.build_directory.clone(),
            pid: info.pid,
            booted_at: known_moment(info.boottime_ns),
            connected_at: known_moment(info.connecttime_ns),
            missing_messages: info.missing_messages.clone(),
            reaped_clients: info.reaped_clients.clone(),
            held_removals: info.held_removals.clone(),
            dialect: present(&info.dialect),
        }
    }
}

impl From<&pb::VppDoctorFinding> for DoctorFindingJson {
    fn from(finding: &pb::VppDoctorFinding) -> Self {
        Self {
            severity: finding.severity.clone(),
            subject: finding.subject.clone(),
            seen: finding.seen.clone(),
            remedy: present(&finding.remedy),
        }
    }
}

impl From<&pb::VpplbState> for LbStateJson {
    fn from(state: &pb::VpplbState) -> Self {
        Self {
            conf: state.conf.as_ref().map(LbConfJson::from),
            vips: state.vips.iter().map(LbVipJson::from).collect(),
        }
    }
}

impl From<&pb::VpplbConf> for LbConfJson {
    fn from(conf: &pb::VpplbConf) -> Self {
        Self {
            ip4_src_address: conf.ip4_src_address.clone(),
            ip6_src_address: conf.ip6_src_address.clone(),
            sticky_buckets_per_core: conf.sticky_buckets_per_core,
            flow_timeout_s: conf.flow_timeout,
        }
    }
}

impl From<&pb::Vpplbvip> for LbVipJson {
    fn from(vip: &pb::Vpplbvip) -> Self {
        Self {
            prefix: vip.prefix.clone(),
            protocol: vip.protocol,
            port: vip.port,
            encap: vip.encap.clone(),
            flow_table_length: (vip.flow_table_length > 0).then_some(vip.flow_table_length),
            servers: vip.application_servers.iter().map(LbServerJson::from).collect(),
            removal_held: vip.removal_held,
        }
    }
}

impl From<&pb::Vpplbas> for LbServerJson {
    fn from(server: &pb::Vpplbas) -> Self {
        Self {
            address: server.address.clone(),
            weight: server.weight,
            buckets: server.num_buckets,
            in_use: server.flags & IN_USE != 0,
            flags: server.flags,
            removed_at: known_moment(server.in_use_since_ns),
        }
    }
}

impl From<&pb::VpplbvipCounters> for VipCountersJson {
    fn from(vip: &pb::VpplbvipCounters) -> Self {
        Self {
            prefix: vip.prefix.clone(),
            protocol: vip.protocol,
            port: vip.port,
            next: vip.next,
            first: vip.first,
            untracked: vip.untracked,
            no_server: vip.no_server,
            removal_held: vip.removal_held,
        }
    }
}

impl SyncJson {
    /// The result of a sync that was, or was not, a dry run.
    #[must_use]
    pub fn new(sync: &pb::SyncVpplbStateResponse, dry_run: bool) -> Self {
        let steps = sync.steps.iter().map(SyncStepJson::from).collect();
        Self { steps, applied: sync.applied, dry_run }
    }
}

impl From<&pb::SyncStep> for SyncStepJson {
    fn from(step: &pb::SyncStep) -> Self {
        Self {
            frontend: present(&step.frontend_name),
            action: step.action.clone(),
            disruption: step.disruption.clone(),
            detail: step.detail.clone(),
            error: present(&step.error),
            held: step.held,
            moves: step.moves.as_ref().map(TableMovesJson::from),
        }
    }
}

impl From<&pb::TableMoves> for TableMovesJson {
    fn from(moves: &pb::TableMoves) -> Self {
        Self { entries: moves.entries, own: moves.own, collateral: moves.collateral }
    }
}
