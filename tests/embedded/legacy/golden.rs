//! A whole conversation with a VPP 26.06, frame by frame: the embedded dataplane of
//! lb.api 1.1.0, and a real VPP that was just started, answer each request with the very bytes
//! that VPP did.

use std::collections::HashMap;

use vpp_maglev::vpp::embedded::plugin::PluginApi;
use vpp_maglev::vpp::embedded::{Embedded, EmbeddedOptions};
use vpp_maglev::vpp::wire::*;

use super::messages::del;
use crate::client::{VppClient, vip};

const FRAMES: &str = include_str!("../../data/frames/vpp-26.06.txt");

/// Ids of that VPP, and the names that they stand for.
const IDS: [(u16, &str); 14] = [
    (89, "lb_conf"),
    (90, "lb_conf_reply"),
    (91, "lb_add_del_vip"),
    (92, "lb_add_del_vip_reply"),
    (93, "lb_add_del_vip_v2"),
    (94, "lb_add_del_vip_v2_reply"),
    (95, "lb_add_del_as"),
    (96, "lb_add_del_as_reply"),
    (97, "lb_flush_vip"),
    (98, "lb_flush_vip_reply"),
    (99, "lb_vip_dump"),
    (100, "lb_vip_details"),
    (101, "lb_as_dump"),
    (102, "lb_as_details"),
];

/// Of `cli_inband` and its reply.
const CLI: [(u16, &str); 2] = [(111, "cli_inband"), (113, "cli_inband_reply")];

/// Kind, title and bytes of each frame, in order.
fn frames() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let mut frames = Vec::new();
    let mut lines = FRAMES.lines();
    while let Some(line) = lines.next() {
        let Some((kind @ ("request" | "reply"), title)) = line.split_once(' ') else { continue };
        let hex: String = lines.by_ref().take_while(|line| !line.is_empty()).collect();
        let bytes = (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16));
        frames.push((kind, title, bytes.collect::<Result<_, _>>().unwrap()));
    }
    frames
}

/// Of the last field of a row of a server, which is the time of its removal.
const REMOVED_AT: usize = 4;

#[test]
fn the_embedded_dataplane_answers_as_a_vpp_26_06_did() {
    let options = EmbeddedOptions { api: PluginApi::V1_1, ..EmbeddedOptions::default() };
    let vpp = Embedded::start_private(options).unwrap();
    replay(&mut VppClient::connect(vpp.api_path(), "golden"), 0);
}

#[test]
fn a_real_vpp_of_1_1_0_answers_as_a_vpp_26_06_did() {
    let Some((api, _)) = crate::real_vpp().filter(|(api, _)| crate::is_legacy(api)) else {
        println!("skipped: MAGLEV_TEST_VPP_API does not name a VPP with lb.api 1.1.0");
        return;
    };
    let mut client = VppClient::connect(&api, "golden");
    if !client.cli("show lb vips brief").1.is_empty() {
        println!("skipped: this VPP has had VIPs before, and lists them");
        return;
    }
    replay(&mut client, REMOVED_AT);
    for (prefix, protocol, port) in [
        ("192.0.2.1/32", 6, 80),
        ("192.0.2.3/32", 255, 0),
        ("2001:db8:1::1/128", 6, 443),
        ("2001:db8:1::2/128", 17, 53),
    ] {
        assert_eq!(client.code(&del(vip(prefix, protocol, port))), 0, "{prefix}");
    }
    client.leave();
}

/// Sends every request, and compares every reply, without so many bytes at the end of rows of
/// servers.
fn replay(client: &mut VppClient, unlike: usize) {
    let id = |name: &str| {
        let key = client.table.named(name).unwrap_or_else(|| panic!("{name} is in the table"));
        let (stem, crc) = key.rsplit_once('_').unwrap();
        client.table.id(stem, u32::from_str_radix(crc, 16).unwrap()).unwrap()
    };
    let ids: HashMap<u16, u16> =
        IDS.into_iter().chain(CLI).map(|(theirs, name)| (theirs, id(name))).collect();
    // As it stands in the frame, and as it is here.
    let translated = |frame: &[u8]| {
        let mut frame = frame.to_vec();
        let theirs = u16::from_be_bytes([frame[16], frame[17]]);
        frame[16..18].copy_from_slice(&ids[&theirs].to_be_bytes());
        frame
    };
    let row_of_server = id("lb_as_details");
    let frames = frames();
    let (mut asked, mut answered) = (0, 0);
    let mut at = 0;
    while let Some(("request", title, request)) = frames.get(at) {
        let mut request = translated(request);
        request[18..22].copy_from_slice(&client.index.to_be_bytes());
        client.raw(&request);
        // A reply of its own marks the end of the rows.
        let fence = client.send(&ControlPing);
        asked += 1;
        at += 1;
        while let Some(("reply", _, reply)) = frames.get(at) {
            let expected = translated(reply);
            let got = client.body().expect("it answers");
            let is_row = message_id(&got) == Ok(row_of_server);
            let shown = |bytes: &[u8]| hex(&bytes[..bytes.len() - if is_row { unlike } else { 0 }]);
            assert_eq!(shown(&got), shown(&expected[16..]), "{title}");
            answered += 1;
            at += 1;
        }
        client.reply::<ControlPingReply>(fence);
    }
    assert_eq!((at, frames.len()), (frames.len(), asked + answered));
    assert!(asked >= 35 && answered >= 45, "{asked} requests, {answered} replies");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
