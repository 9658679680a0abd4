//! What scenarios of lb.api 1.1.0 send, and how they read VPP's listings.

use vpp_maglev::domain::dataplane::net::Vip;
use vpp_maglev::vpp::cli_text::{ServerText, VipText, parse_vips};
use vpp_maglev::vpp::wire::*;

use crate::client::{add_vip, address};
use crate::scenario::Scenario;

pub(crate) fn add(vip: VipKey, encap: u32) -> LegacyAddDelVipV2 {
    LegacyAddDelVipV2(add_vip(vip, encap))
}

pub(crate) fn del(vip: VipKey) -> LegacyAddDelVipV2 {
    LegacyAddDelVipV2(LbAddDelVipV2 { is_del: true, ..add_vip(vip, 0) })
}

pub(crate) fn add_server(vip: VipKey, server: &str) -> LegacyAddDelAs {
    LegacyAddDelAs { vip, as_address: address(server), is_del: false, is_flush: false }
}

pub(crate) fn del_server(vip: VipKey, server: &str) -> LegacyAddDelAs {
    LegacyAddDelAs { is_del: true, ..add_server(vip, server) }
}

/// The filter that finds the servers of a VIP.
pub(crate) fn servers_of(vip: VipKey) -> LegacyAsDump {
    let vip = vip.to_vip().expect("a VIP that can be named");
    LegacyAsDump { vip: VipKey::filter_for(vip).expect("an address") }
}

/// The entries of this scenario in `show lb vips verbose`, removed ones too.
pub(crate) fn listed(scenario: &mut Scenario) -> Vec<VipText> {
    let (retval, text) = scenario.client.cli("show lb vips verbose");
    assert_eq!(retval, 0);
    let entries = parse_vips(&text).entries.into_iter();
    entries.filter(|entry| scenario.is_ours(&entry.vip.into())).collect()
}

/// The servers of a VIP in use, as the verbose listing shows them.
pub(crate) fn servers(scenario: &mut Scenario, vip: VipKey) -> Vec<ServerText> {
    let meant: Vip = vip.to_vip().expect("a VIP that can be named");
    let entries = listed(scenario);
    let live = entries.iter().find(|entry| entry.vip == meant && !entry.removed);
    let verbose = live.and_then(|entry| entry.verbose.clone()).expect("the VIP is listed");
    verbose.servers.expect("its servers are understood")
}
