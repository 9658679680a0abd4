//! The messages of the dialect, and the lines of VPP's CLI that it needs.

use std::borrow::Cow;
use std::net::Ipv4Addr;

use super::super::required_messages::{CURED, missing, pair};
use super::super::server_dumps::ServerDump;
use crate::vpp::client::connection::{InbandCommand, RequiredMessages, SpokenIn};
use crate::vpp::wire::{
    LbConfSet, LegacyAddDelAs, LegacyAddDelVipV2, LegacyAsDump, MessageTable, VipKey,
};

/// Marks a connection to a VPP with lb.api 1.1.0.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MembershipDialect;

impl SpokenIn<MembershipDialect> for LbConfSet {}
impl SpokenIn<MembershipDialect> for LegacyAddDelVipV2 {}
impl SpokenIn<MembershipDialect> for LegacyAddDelAs {}
impl SpokenIn<MembershipDialect> for LegacyAsDump {}

impl RequiredMessages for MembershipDialect {
    /// The checksums are those of a VPP with cured encodings, which shows itself by
    /// messages that this dialect does not have.
    fn missing(table: &MessageTable) -> Vec<String> {
        let own = [
            pair::<LbConfSet>(),
            pair::<LegacyAddDelVipV2>(),
            pair::<LegacyAddDelAs>(),
            pair::<LegacyAsDump>(),
        ];
        let mut missing = missing(table, own);
        let cured = CURED.iter().filter_map(|name| table.named(name));
        missing.extend(cured.map(|key| format!("lb.api 1.1.0 (this VPP has {key})")));
        missing
    }
}

/// The listings of VIPs. VPP prints nothing for the brief one without a word more.
pub(super) enum ShowLegacyVips {
    Brief,
    Verbose,
}

impl InbandCommand<MembershipDialect> for ShowLegacyVips {
    fn line(&self) -> Cow<'static, str> {
        match self {
            Self::Brief => "show lb vips brief".into(),
            Self::Verbose => "show lb vips verbose".into(),
        }
    }
}

/// The global settings, as far as VPP tells them.
pub(super) struct ShowLb;

impl InbandCommand<MembershipDialect> for ShowLb {
    fn line(&self) -> Cow<'static, str> {
        "show lb".into()
    }
}

/// Sets the source address of GRE over IPv4 to what it is. Like every command that
/// changes the load balancer it runs the collector, and this one does nothing else.
pub(super) struct RunCollector {
    pub(super) ip4_src: Ipv4Addr,
}

impl InbandCommand<MembershipDialect> for RunCollector {
    fn line(&self) -> Cow<'static, str> {
        format!("lb conf ip4-src-address {}", self.ip4_src).into()
    }
}

impl ServerDump for LegacyAsDump {
    fn of(filter: VipKey) -> Self {
        Self { vip: filter }
    }
}
