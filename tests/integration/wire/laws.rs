//! Laws of every message: any fields survive a round trip, any cut is an error,
//! and no bytes are a panic.

use std::fmt::Debug;

use proptest::prelude::*;
use vpp_maglev::vpp::wire::{
    CliInband, CliInbandReply, ControlPingReply, FibPath, FibSourceDetails, FieldReader,
    FieldWriter, FixedText, IpRouteLookupV2, IpRouteLookupV2Reply, LbAddDelAsV2, LbAddDelAsV2Reply,
    LbAddDelVipV2, LbAddDelVipV2Reply, LbAsSetWeight, LbAsSetWeightReply, LbAsV2Details,
    LbAsV2Dump, LbConfGetReply, LbConfReply, LbConfSet, LbVipDetails, LbVipDump, Message,
    MessageTable, ShowVersionReply, SockclntCreate, SockclntCreateReply, SockclntDelete,
    SockclntDeleteReply, SwInterfaceDetails, SwInterfaceDump, VipKey, WireAddress, WirePrefix,
};

fn address() -> impl Strategy<Value = WireAddress> {
    any::<(u8, [u8; 16])>().prop_map(|(af, bytes)| WireAddress { af, bytes })
}

fn key() -> impl Strategy<Value = VipKey> {
    (address(), any::<(u8, u8, u16)>()).prop_map(|(address, (length, protocol, port))| VipKey {
        prefix: WirePrefix { address, length },
        protocol,
        port,
    })
}

fn conf() -> impl Strategy<Value = LbConfSet> {
    any::<(u32, u128, u32, u32)>().prop_map(|(v4, v6, buckets, timeout)| LbConfSet {
        ip4_src_address: v4.into(),
        ip6_src_address: v6.into(),
        sticky_buckets_per_core: buckets,
        flow_timeout: timeout,
    })
}

/// Decoding what was encoded gives the same, with anything behind it; and
/// every shorter body is refused.
fn round_trip<M: Message + PartialEq + Debug>(message: &M) -> Result<(), TestCaseError> {
    let mut bytes = Vec::new();
    message.encode(&mut FieldWriter::new(&mut bytes));
    for cut in 0..bytes.len() {
        prop_assert!(M::decode(&mut FieldReader::new(&bytes[..cut])).is_err(), "cut at {}", cut);
    }
    bytes.extend_from_slice(b"behind");
    let mut reader = FieldReader::new(&bytes);
    prop_assert_eq!(&M::decode(&mut reader).unwrap(), message);
    prop_assert_eq!(reader.left(), 6);
    Ok(())
}

proptest! {
    #[test]
    fn writes_survive(
        vip in key(),
        as_address in address(),
        conf in conf(),
        (a, b, c) in any::<(u32, u32, u32)>(),
        (d, e, f) in any::<(u16, u16, u8)>(),
        (is_del, is_flush) in any::<(bool, bool)>(),
    ) {
        round_trip(&conf)?;
        round_trip(&LbAddDelVipV2 {
            vip, encap: a, dscp: f, srv_type: b, target_port: d, node_port: e,
            new_flows_table_length: c, src_ip_sticky: is_flush, is_del,
        })?;
        round_trip(&LbAddDelAsV2 { vip, as_address, weight: f, is_del, is_flush })?;
        round_trip(&LbAsSetWeight { vip, as_address, weight: f, is_flush })?;
        round_trip(&SockclntDelete { index: a })?;
    }

    #[test]
    fn dumps_and_replies_survive(
        vip in key(),
        app_srv in address(),
        conf in conf(),
        retval in any::<i32>(),
        (a, b) in any::<(u32, u32)>(),
        (c, d) in any::<(u16, u16)>(),
        (e, f) in any::<(u8, u8)>(),
        text in proptest::collection::vec(any::<u8>(), 0..50),
    ) {
        round_trip(&LbVipDump {
            prefix: vip.prefix, prefix_le: e, prefix_ge: f, protocol: e, port: c,
        })?;
        round_trip(&LbVipDetails {
            vip, encap: a, dscp: e, srv_type: b, target_port: c, flow_table_length: d,
        })?;
        round_trip(&LbAsV2Dump { vip })?;
        round_trip(&LbAsV2Details {
            vip, app_srv, flags: e, in_use_since: a, weight: f, num_buckets: b,
        })?;
        round_trip(&LbConfGetReply { retval, conf })?;
        round_trip(&LbConfReply { retval })?;
        round_trip(&LbAddDelVipV2Reply { retval })?;
        round_trip(&LbAddDelAsV2Reply { retval })?;
        round_trip(&LbAsSetWeightReply { retval })?;
        round_trip(&ControlPingReply { retval, client_index: a, vpe_pid: b })?;
        round_trip(&SockclntDeleteReply { response: retval })?;
        round_trip(&CliInband { cmd: text.clone() })?;
        round_trip(&CliInbandReply { retval, reply: text })?;
    }

    #[test]
    fn lookups_and_interfaces_survive(
        prefix in key(),
        (a, b, c) in any::<(u32, u32, u32)>(),
        (d, e) in any::<(u8, u8)>(),
        next_hop in any::<[u8; 16]>(),
        count in 0_usize..4,
        exact in any::<bool>(),
        text in proptest::collection::vec(any::<u8>(), 0..50),
        name in "[ -~]{0,63}",
    ) {
        let prefix = prefix.prefix;
        round_trip(&IpRouteLookupV2 { table_id: a, exact, prefix })?;
        let path = FibPath { next_hop, weight: d, flags: c, ..FibPath::new(a, b, c) };
        round_trip(&IpRouteLookupV2Reply {
            retval: -1, table_id: a, stats_index: b, prefix, source: e, paths: vec![path; count],
        })?;
        let name = FixedText::new(&name);
        round_trip(&FibSourceDetails { priority: d, id: e, name })?;
        round_trip(&SwInterfaceDump { sw_if_index: a, by_name: exact, name_filter: text })?;
        round_trip(&SwInterfaceDetails {
            sw_if_index: a, sup_sw_if_index: b, link_address: [d; 6], flags: c, kind: a,
            link_duplex: b, link_speed: c, link_mtu: d.into(), mtu: [a, b, c, a],
            vlan: [e; 49], name, device: name, tag: name,
        })?;
    }

    #[test]
    fn handshakes_survive(
        context in any::<u32>(),
        name in "[ -~]{0,63}",
        entries in proptest::collection::btree_map(any::<u16>(), "[a-z_]{1,40}_[0-9a-f]{8}", 0..8),
    ) {
        round_trip(&ShowVersionReply {
            retval: 0,
            program: FixedText::new(&name),
            version: FixedText::new(&name),
            build_date: FixedText::new("today"),
            build_directory: FixedText::new(&name),
        })?;
        round_trip(&SockclntCreate { context, name: FixedText::new(&name) })?;
        let table = MessageTable::new(entries);
        let reply = SockclntCreateReply { client_index: 0, context, response: 0, index: context, table };
        round_trip(&reply)?;
    }

    /// Whatever comes, it is an error or a message, never a panic.
    #[test]
    fn garbage_is_an_error_or_a_message(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        // The oracle: what decodes encodes to bytes that decode to the same.
        fn stable<M: Message + PartialEq + Debug>(bytes: &[u8]) -> Result<(), TestCaseError> {
            let Ok(message) = M::decode(&mut FieldReader::new(bytes)) else { return Ok(()) };
            let mut again = Vec::new();
            message.encode(&mut FieldWriter::new(&mut again));
            prop_assert_eq!(M::decode(&mut FieldReader::new(&again)), Ok(message));
            Ok(())
        }
        stable::<SockclntCreateReply>(&bytes)?;
        stable::<CliInbandReply>(&bytes)?;
        stable::<LbVipDetails>(&bytes)?;
        stable::<LbAsV2Details>(&bytes)?;
        stable::<LbAddDelVipV2>(&bytes)?;
        stable::<IpRouteLookupV2Reply>(&bytes)?;
        stable::<SwInterfaceDump>(&bytes)?;
        stable::<LbAddDelAsV2>(&bytes)?;
        stable::<LbConfGetReply>(&bytes)?;
    }
}
