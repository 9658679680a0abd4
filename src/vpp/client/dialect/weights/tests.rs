//! Steps become the very frames that a VPP 26.10 has accepted.

use std::num::NonZeroU16;

use super::write::LbWrite;
use crate::domain::config::LbConf;
use crate::domain::dataplane::net::{Encap, Service, TableLength, Vip, Weight};
use crate::domain::dataplane::step::{Step, VipSpec};
use crate::vpp::client::error::StepError;
use crate::vpp::wire::{
    FrameBuffer, Request, RequestHead, message_id, read_request, write_request,
};

const FRAMES: &str = include_str!("../../../../../tests/data/frames/vpp-26.10.txt");
const INDEX: u32 = 0x8000_0001;

/// The first request under this title, header included.
fn frame(title: &str) -> Vec<u8> {
    let heading = format!("request {title}");
    let mut lines = FRAMES.lines().skip_while(|line| *line != heading);
    assert!(lines.next().is_some(), "no frame `{heading}`");
    let hex: String = lines.take_while(|line| !line.is_empty()).collect();
    (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect()
}

/// `message` encodes to the frame, and the frame decodes to `message`.
fn request<M: Request + PartialEq>(title: &str, id: u16, context: u32, message: M) {
    let head = RequestHead { client_index: INDEX, context };
    let mut written = Vec::new();
    write_request(&mut written, id, head, &message);
    assert_eq!(written, frame(title), "{title}");
    let mut buffer = FrameBuffer::new(1 << 20);
    buffer.push(&written);
    let body = buffer.next_body().unwrap().unwrap();
    assert_eq!(message_id(body), Ok(id));
    assert_eq!(read_request(body), Ok((head, message)), "{title}");
}

fn step(title: &str, id: u16, context: u32, step: &Step) {
    match LbWrite::try_from(step).unwrap() {
        LbWrite::Conf(message) => request(title, id, context, message),
        LbWrite::Vip(message) => request(title, id, context, message),
        LbWrite::Server(message) => request(title, id, context, message),
        LbWrite::Weight(message) => request(title, id, context, message),
    }
}

fn vip(prefix: &str, protocol: u8, port: u16) -> Vip {
    let service =
        NonZeroU16::new(port).map_or(Service::All, |port| Service::Port { protocol, port });
    Vip::new(prefix.parse().unwrap(), service)
}

fn conf() -> LbConf {
    LbConf {
        ip4_src: [10, 0, 0, 1].into(),
        ip6_src: "2001:db8::1".parse().unwrap(),
        sticky_buckets_per_core: 1024,
        flow_timeout_s: 40,
    }
}

#[test]
fn settings_are_written_as_vpp_took_them() {
    step("lb_conf", 89, 15, &Step::SetConf(conf()));
}

#[test]
fn vips_are_written_as_vpp_took_them() {
    let add = |prefix, protocol, port, encap, length: u64| {
        let (vip, src_ip_sticky) = (vip(prefix, protocol, port), false);
        let table_length = TableLength::try_from(length).unwrap();
        Step::AddVip(VipSpec { vip, encap, src_ip_sticky, table_length })
    };
    let web = add("192.0.2.1/32", 6, 80, Encap::Gre4, 1024);
    for (title, context, add) in [
        ("(IPv4 VIP, gre4, tcp/80)", 18, &web),
        ("(IPv4 prefix, gre6, all-port)", 20, &add("198.51.100.0/24", 0, 0, Encap::Gre6, 4096)),
        ("(IPv6 prefix, gre4, all-port)", 21, &add("2001:db8:2::/64", 0, 0, Encap::Gre4, 4096)),
        ("(duplicate)", 22, &web),
    ] {
        step(&format!("lb_add_del_vip_v2 {title}"), 95, context, add);
    }
    step("lb_add_del_vip_v2 delete", 95, 41, &Step::RemoveVip(vip("192.0.2.1/32", 6, 80)));
}

#[test]
fn servers_are_written_as_vpp_took_them() {
    let weight = |number: i64| Weight::try_from(number).unwrap();
    let web = vip("192.0.2.1/32", 6, 80);
    let server = [10, 1, 0, 2].into();
    let add = Step::AddServer { vip: web, server, weight: weight(50) };
    step("lb_add_del_as_v2 (weight 50)", 99, 24, &add);
    let dns = vip("2001:db8:1::1/128", 17, 53);
    let six = "2001:db8:a::1".parse().unwrap();
    let add = Step::AddServer { vip: dns, server: six, weight: weight(100) };
    step("lb_add_del_as_v2 IPv6 AS", 99, 25, &add);
    let set = Step::SetWeight { vip: web, server, weight: weight(25), flush: false };
    step("lb_as_set_weight", 101, 26, &set);
    let remove = Step::RemoveServer { vip: web, server, flush: false };
    step("lb_add_del_as_v2 delete (is_del)", 99, 40, &remove);
}

#[test]
fn settings_that_vpp_would_store_and_choke_on_are_refused() {
    assert!(LbWrite::try_from(&Step::SetConf(conf())).is_ok());
    for buckets in [0, 3, u32::MAX, 1 << 31] {
        let step = Step::SetConf(LbConf { sticky_buckets_per_core: buckets, ..conf() });
        assert_eq!(LbWrite::try_from(&step), Err(StepError::StickyBuckets(buckets)));
    }
    for seconds in [0, 121, u32::MAX] {
        let step = Step::SetConf(LbConf { flow_timeout_s: seconds, ..conf() });
        assert_eq!(LbWrite::try_from(&step), Err(StepError::FlowTimeout(seconds)));
    }
}
