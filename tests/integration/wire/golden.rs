//! Real frames: what VPP sent decodes to what it meant and encodes to the same
//! bytes; what VPP accepted is what our messages encode to. That steps become
//! these messages is tested beside the dialect that makes them.

use std::net::IpAddr;
use std::num::NonZeroU16;

use ipnet::IpNet;
use vpp_maglev::domain::dataplane::net::{Service, Vip};
use vpp_maglev::vpp::wire::fib::{NO_INTERFACE, PATH_LOCAL};
use vpp_maglev::vpp::wire::{
    CliInband, CliInbandReply, ControlPing, ControlPingReply, FibPath, FibSourceDetails,
    FibSourceDump, FixedText, FrameBuffer, IpRouteLookupV2, IpRouteLookupV2Reply, LbAddDelAsV2,
    LbAddDelAsV2Reply, LbAddDelVipV2, LbAddDelVipV2Reply, LbAsSetWeight, LbAsSetWeightReply,
    LbAsV2Details, LbAsV2Dump, LbConfGet, LbConfGetReply, LbConfReply, LbConfSet, LbVipDetails,
    LbVipDump, Reply, Request, RequestHead, ShowVersion, ShowVersionReply, SockclntCreate,
    SockclntCreateReply, SockclntDelete, SockclntDeleteReply, SwInterfaceDetails, SwInterfaceDump,
    VipKey, WireAddress, message_id, read_bare, read_reply, read_request, write_bare, write_reply,
    write_request,
};

const FRAMES: &str = include_str!("../../data/frames/vpp-26.10.txt");
const INDEX: u32 = 0x8000_0001;

/// The frames of one kind in one exchange, header included.
fn frames(kind: &str, title: &str) -> Vec<Vec<u8>> {
    let heading = format!("{kind} {title}");
    let mut found = Vec::new();
    let mut lines = FRAMES.lines();
    while let Some(line) = lines.next() {
        if line == heading {
            let hex: String = lines.by_ref().take_while(|line| !line.is_empty()).collect();
            let bytes = (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16));
            found.push(bytes.collect::<Result<_, _>>().unwrap());
        }
    }
    assert!(!found.is_empty(), "no frame `{heading}`");
    found
}

/// The body of a frame, through the code that takes streams apart.
fn body(frame: &[u8]) -> Vec<u8> {
    let mut buffer = FrameBuffer::new(1 << 20);
    buffer.push(frame);
    let body = buffer.next_body().unwrap().expect("one whole frame").to_vec();
    assert_eq!(buffer.pending(), 0, "and nothing behind it");
    body
}

/// A request as VPP accepted it: it decodes to `message`, and `message`
/// encodes to the very same frame.
fn request<M: Request + PartialEq>(title: &str, id: u16, context: u32, message: M) {
    let frame = &frames("request", title)[0];
    let head = RequestHead { client_index: INDEX, context };
    let mut written = Vec::new();
    write_request(&mut written, id, head, &message);
    assert_eq!(&written, frame, "{title}");
    let body = body(frame);
    assert_eq!(message_id(&body), Ok(id));
    assert_eq!(read_request(&body), Ok((head, message)), "{title}");
}

/// Replies as VPP sent them. Their header starts with a pointer of VPP's,
/// which is not looked at.
fn replies<M: Reply + PartialEq + Clone>(title: &str, id: u16, context: u32, messages: &[M]) {
    let frames = frames("reply", title);
    assert_eq!(frames.len(), messages.len(), "{title}");
    for (frame, message) in frames.iter().zip(messages) {
        let body = body(frame);
        assert_eq!(message_id(&body), Ok(id));
        assert_eq!(read_reply(&body), Ok((context, message.clone())), "{title}");
        let mut written = Vec::new();
        write_reply(&mut written, id, context, message);
        assert_eq!(written[8..], frame[8..], "{title}");
    }
}

fn vip(prefix: &str, protocol: u8, port: u16) -> Vip {
    let service =
        NonZeroU16::new(port).map_or(Service::All, |port| Service::Port { protocol, port });
    Vip::new(prefix.parse().unwrap(), service)
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn the_handshake_and_the_goodbye() {
    let create = SockclntCreate { context: 0x1122_3344, name: FixedText::new("capture") };
    let mut written = Vec::new();
    write_bare(&mut written, 15, &create);
    assert_eq!(written, frames("request", "sockclnt_create")[0]);
    assert_eq!(read_bare(&body(&written)), Ok(create));

    let frame = &frames("reply", "sockclnt_create")[0];
    let reply: SockclntCreateReply = read_bare(&body(frame)).unwrap();
    assert_eq!((reply.context, reply.response, reply.index), (0x1122_3344, 0, INDEX));
    assert_eq!(reply.table.len(), 3);
    assert_eq!(reply.table.id("mpls_ip_bind_unbind", 0xc753_3b32), Some(618));
    assert_eq!(reply.table.id("bridge_domain_set_default_learn_limit", 0xf097_ffce), Some(273));

    request("sockclnt_delete", 17, 46, SockclntDelete { index: INDEX });
    replies("sockclnt_delete", 18, 46, &[SockclntDeleteReply { response: 1 }]);
}

#[test]
fn ping_version_and_cli() {
    request("control_ping", 23, 1, ControlPing);
    let pong = ControlPingReply { retval: 0, client_index: INDEX, vpe_pid: 22726 };
    replies("control_ping", 24, 1, &[pong]);
    request("show_version", 848, 2, ShowVersion);
    let version = ShowVersionReply {
        retval: 0,
        program: FixedText::new("vpe"),
        version: FixedText::new("26.10-rc0~374-gb575ec2c56d"),
        build_date: FixedText::new("2026-11-22T11:53:09"),
        build_directory: FixedText::new(""),
    };
    replies("show_version", 849, 2, &[version]);
    request("cli_inband \"show version\"", 119, 13, CliInband { cmd: b"show version".to_vec() });
    let banner = b"vpp v26.10-rc0~374-gb575ec2c56d built by root on vm at 2026-11-22T11:53:09\n";
    let reply = CliInbandReply { retval: 0, reply: banner.to_vec() };
    replies("cli_inband \"show version\"", 121, 13, &[reply]);
    request("cli_inband, unknown command", 119, 14, CliInband { cmd: b"nonsense".to_vec() });
    let reply = CliInbandReply { retval: -1, reply: b"unknown input `nonsense'\n".to_vec() };
    replies("cli_inband, unknown command", 121, 14, &[reply]);
}

#[test]
fn settings() {
    let conf = LbConfSet {
        ip4_src_address: [10, 0, 0, 1].into(),
        ip6_src_address: "2001:db8::1".parse().unwrap(),
        sticky_buckets_per_core: 1024,
        flow_timeout: 40,
    };
    request("lb_conf", 89, 15, conf);
    replies("lb_conf", 90, 15, &[LbConfReply { retval: 0 }]);
    request("lb_conf_get", 91, 16, LbConfGet);
    replies("lb_conf_get", 92, 16, &[LbConfGetReply { retval: 0, conf }]);
}

#[test]
fn vips() {
    let add = |prefix, protocol, port, encap, new_flows_table_length| LbAddDelVipV2 {
        vip: VipKey::from(vip(prefix, protocol, port)),
        encap,
        dscp: 0,
        srv_type: 0,
        target_port: 0,
        node_port: 0,
        new_flows_table_length,
        src_ip_sticky: false,
        is_del: false,
    };
    let web = add("192.0.2.1/32", 6, 80, 0, 1024);
    for (title, context, add, retval) in [
        ("(IPv4 VIP, gre4, tcp/80)", 18, web, 0),
        ("(IPv4 prefix, gre6, all-port)", 20, add("198.51.100.0/24", 0, 0, 1, 4096), 0),
        ("(IPv6 prefix, gre4, all-port)", 21, add("2001:db8:2::/64", 0, 0, 0, 4096), 0),
        ("(duplicate)", 22, web, -81),
    ] {
        let title = format!("lb_add_del_vip_v2 {title}");
        request(&title, 95, context, add);
        replies(&title, 96, context, &[LbAddDelVipV2Reply { retval }]);
    }
    let remove = LbAddDelVipV2 { is_del: true, ..web };
    request("lb_add_del_vip_v2 delete", 95, 41, remove);
    replies("lb_add_del_vip_v2 delete", 96, 41, &[LbAddDelVipV2Reply { retval: 0 }]);

    // Its table of 65536 entries is one that no step asks for.
    let sticky = add("2001:db8:1::1/128", 17, 53, 1, 65536);
    let sticky = LbAddDelVipV2 { src_ip_sticky: true, ..sticky };
    request("lb_add_del_vip_v2 (IPv6 VIP, gre6, udp/53, sticky)", 95, 19, sticky);
}

#[test]
fn servers() {
    let web = VipKey::from(vip("192.0.2.1/32", 6, 80));
    let as_address = WireAddress::from(ip("10.1.0.2"));
    let add = LbAddDelAsV2 { vip: web, as_address, weight: 50, is_del: false, is_flush: false };
    request("lb_add_del_as_v2 (weight 50)", 99, 24, add);
    let dns = VipKey::from(vip("2001:db8:1::1/128", 17, 53));
    let six = WireAddress::from(ip("2001:db8:a::1"));
    let add_six = LbAddDelAsV2 { vip: dns, as_address: six, weight: 100, ..add };
    request("lb_add_del_as_v2 IPv6 AS", 99, 25, add_six);
    replies("lb_add_del_as_v2 IPv6 AS", 100, 25, &[LbAddDelAsV2Reply { retval: 0 }]);
    let set = LbAsSetWeight { vip: web, as_address, weight: 25, is_flush: false };
    request("lb_as_set_weight", 101, 26, set);
    replies("lb_as_set_weight", 102, 26, &[LbAsSetWeightReply { retval: 0 }]);
    let remove = LbAddDelAsV2 { weight: 0, is_del: true, ..add };
    request("lb_add_del_as_v2 delete (is_del)", 99, 40, remove);
}

#[test]
fn dumps_and_their_rows() {
    request("lb_vip_dump (all-zero body)", 105, 27, LbVipDump::ALL);
    let row = |prefix, port| LbVipDetails {
        vip: VipKey::from(vip(prefix, 6, port)),
        encap: 0,
        dscp: 0,
        srv_type: 0,
        target_port: 0,
        flow_table_length: 1024,
    };
    let rows = [row("192.0.2.9/32", 81), row("192.0.2.1/32", 80)];
    replies("lb_vip_dump (all-zero body)", 106, 27, &rows);

    request("lb_as_v2_dump (all-zero VIP)", 109, 31, LbAsV2Dump::ALL);
    let server = |of, address, weight, num_buckets| LbAsV2Details {
        vip: VipKey::from(of),
        app_srv: WireAddress::from(ip(address)),
        flags: LbAsV2Details::USED,
        in_use_since: 0,
        weight,
        num_buckets,
    };
    let web = vip("192.0.2.1/32", 6, 80);
    let rows = [server(web, "10.1.0.1", 100, 812), server(web, "10.1.0.2", 25, 212)];
    replies("lb_as_v2_dump (all-zero VIP)", 110, 31, &rows);

    let dns = vip("2001:db8:1::1/128", 17, 53);
    let filter = VipKey::filter_for(dns).unwrap();
    request("lb_as_v2_dump (IPv6 VIP filter)", 109, 33, LbAsV2Dump { vip: filter });
    let rows = [server(dns, "2001:db8:a::1", 100, 65536)];
    replies("lb_as_v2_dump (IPv6 VIP filter)", 110, 33, &rows);
}

#[test]
fn lookups_and_the_names_of_sources() {
    let lookup = |prefix: &str| {
        let prefix = prefix.parse::<IpNet>().unwrap().into();
        IpRouteLookupV2 { table_id: 0, exact: true, prefix }
    };
    let found = |prefix: &str, stats_index, source, path| IpRouteLookupV2Reply {
        retval: 0,
        table_id: 0,
        stats_index,
        prefix: lookup(prefix).prefix,
        source,
        paths: vec![path],
    };
    request("ip_route_lookup_v2 (VIP)", 403, 8, lookup("192.0.2.1/32"));
    let reply = found("192.0.2.1/32", 17, 23, FibPath::new(NO_INTERFACE, 0, 0));
    replies("ip_route_lookup_v2 (VIP)", 405, 8, &[reply]);

    let title = "ip_route_lookup_v2 (VIP on an interface)";
    request(title, 403, 9, lookup("192.0.2.5/32"));
    let next_hop = WireAddress::from(ip("192.0.2.5")).bytes;
    let path = FibPath { next_hop, ..FibPath::new(1, PATH_LOCAL, 0) };
    assert_eq!(path.next_hop(), Some(ip("192.0.2.5")));
    replies(title, 405, 9, &[found("192.0.2.5/32", 8, 4, path)]);

    request("fib_source_dump (its last row)", 773, 6, FibSourceDump);
    let row = FibSourceDetails { priority: 16, id: 23, name: FixedText::new("lb") };
    replies("fib_source_dump (its last row)", 774, 6, &[row]);
}

#[test]
fn an_interface() {
    request("sw_interface_dump (one)", 170, 2, SwInterfaceDump::one(2));
    let row = SwInterfaceDetails {
        sw_if_index: 2,
        sup_sw_if_index: 2,
        link_address: [0xde, 0xad, 0, 0, 0, 1],
        flags: 3,
        kind: 0,
        link_duplex: 0,
        link_speed: 0,
        link_mtu: 9000,
        mtu: [1400, 0, 0, 0],
        vlan: [0; 49],
        name: FixedText::new("loop1"),
        device: FixedText::new("Loopback"),
        tag: FixedText::new(""),
    };
    replies("sw_interface_dump (one)", 169, 2, &[row]);
}

#[test]
fn two_fields_of_a_vip_row_stand_little_endian() {
    let mut body = body(&frames("reply", "lb_vip_dump (all-zero body)")[0]);
    // As VPP sent them for an L3DSR VIP with DSCP 10, and for port 8080.
    body[32..36].copy_from_slice(&[0x0a, 0, 0, 0]);
    body[36..38].copy_from_slice(&[0x90, 0x1f]);
    let (_, row) = read_reply::<LbVipDetails>(&body).unwrap();
    assert_eq!((row.srv_type, row.target_port), (10, 8080));
    let mut written = Vec::new();
    write_reply(&mut written, 106, 27, &row);
    assert_eq!(written[16..], body);
}
