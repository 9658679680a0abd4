//! The messages of the dialect.

use std::borrow::Cow;

use super::super::required_messages::{missing, pair};
use super::super::server_dumps::ServerDump;
use crate::vpp::client::connection::{InbandCommand, RequiredMessages, SpokenIn};
use crate::vpp::wire::{
    LbAddDelAsV2, LbAddDelVipV2, LbAsSetWeight, LbAsV2Dump, LbConfGet, LbConfSet, LbVipDump,
    MessageTable, VipKey,
};

/// Marks a connection to a VPP with lb.api 1.2.0.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WeightsDialect;

impl SpokenIn<WeightsDialect> for LbConfSet {}
impl SpokenIn<WeightsDialect> for LbConfGet {}
impl SpokenIn<WeightsDialect> for LbAddDelVipV2 {}
impl SpokenIn<WeightsDialect> for LbAddDelAsV2 {}
impl SpokenIn<WeightsDialect> for LbAsSetWeight {}
impl SpokenIn<WeightsDialect> for LbVipDump {}
impl SpokenIn<WeightsDialect> for LbAsV2Dump {}

impl RequiredMessages for WeightsDialect {
    fn missing(table: &MessageTable) -> Vec<String> {
        let own = [
            pair::<LbConfSet>(),
            pair::<LbConfGet>(),
            pair::<LbAddDelVipV2>(),
            pair::<LbAddDelAsV2>(),
            pair::<LbAsSetWeight>(),
            pair::<LbVipDump>(),
            pair::<LbAsV2Dump>(),
        ];
        missing(table, own)
    }
}

/// The listings of VIPs that no message gives.
pub(super) enum ShowVips {
    Brief,
    Verbose,
}

impl InbandCommand<WeightsDialect> for ShowVips {
    fn line(&self) -> Cow<'static, str> {
        match self {
            Self::Brief => "show lb vips".into(),
            Self::Verbose => "show lb vips verbose".into(),
        }
    }
}

impl ServerDump for LbAsV2Dump {
    fn of(filter: VipKey) -> Self {
        Self { vip: filter }
    }
}
