//! Steps become the very frames that a VPP 26.06 has accepted.

use std::num::NonZeroU16;

use super::super::server_dumps::server_dumps;
use super::write::LegacyWrite;
use crate::domain::config::LbConf;
use crate::domain::dataplane::net::{Encap, Service, TableLength, Vip, Weight};
use crate::domain::dataplane::step::{Step, VipSpec};
use crate::vpp::client::batches::DumpScope;
use crate::vpp::client::error::StepError;
use crate::vpp::wire::{
    FrameBuffer, LegacyAsDetails, LegacyAsDump, Request, RequestHead, message_id, read_reply,
    read_request, write_request,
};

const FRAMES: &str = include_str!("../../../../../tests/data/frames/vpp-26.06.txt");
const INDEX: u32 = 0x8000_0001;

/// The frames of this kind under a title, header included.
fn frames(kind: &str, title: &str) -> Vec<Vec<u8>> {
    let heading = format!("{kind} {title}");
    let mut lines = FRAMES.lines();
    let mut found = Vec::new();
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

fn body(frame: &[u8]) -> Vec<u8> {
    let mut buffer = FrameBuffer::new(1 << 20);
    buffer.push(frame);
    buffer.next_body().unwrap().expect("a whole frame").to_vec()
}

/// `message` encodes to the frame, and the frame decodes to `message`.
fn request<M: Request + PartialEq>(title: &str, id: u16, context: u32, message: M) {
    let head = RequestHead { client_index: INDEX, context };
    let mut written = Vec::new();
    write_request(&mut written, id, head, &message);
    assert_eq!(written, frames("request", title)[0], "{title}");
    let body = body(&written);
    assert_eq!(message_id(&body), Ok(id));
    assert_eq!(read_request(&body), Ok((head, message)), "{title}");
}

fn step(title: &str, context: u32, step: &Step) {
    match LegacyWrite::try_from(step).unwrap() {
        LegacyWrite::Conf(message) => request(title, 89, context, message),
        LegacyWrite::Vip(message) => request(title, 93, context, message),
        LegacyWrite::Server(message) => request(title, 95, context, message),
    }
}

fn vip(prefix: &str, protocol: u8, port: u16) -> Vip {
    let service =
        NonZeroU16::new(port).map_or(Service::All, |port| Service::Port { protocol, port });
    Vip::new(prefix.parse().unwrap(), service)
}

#[test]
fn settings_are_written_as_vpp_took_them() {
    let conf = LbConf {
        ip4_src: [192, 0, 2, 254].into(),
        ip6_src: "2001:db8::fe".parse().unwrap(),
        sticky_buckets_per_core: 1024,
        flow_timeout_s: 40,
    };
    step("lb_conf 192.0.2.254 2001:db8::fe 1024 40", 1, &Step::SetConf(conf));
}

#[test]
fn vips_are_written_as_vpp_took_them() {
    for (title, context, (prefix, protocol, port), encap, length, src_ip_sticky) in [
        ("192.0.2.1/32 tcp/80 gre4 1024", 3, ("192.0.2.1/32", 6, 80), Encap::Gre4, 1024, false),
        (
            "192.0.2.2/32 udp/53 gre6 1024 sticky",
            4,
            ("192.0.2.2/32", 17, 53),
            Encap::Gre6,
            1024,
            true,
        ),
        ("192.0.2.3/32 all-port gre4 64", 5, ("192.0.2.3/32", 0, 0), Encap::Gre4, 64, false),
        (
            "2001:db8:1::1/128 tcp/443 gre6 4096",
            6,
            ("2001:db8:1::1/128", 6, 443),
            Encap::Gre6,
            4096,
            false,
        ),
        (
            "2001:db8:1::2/128 udp/53 gre4 1024",
            7,
            ("2001:db8:1::2/128", 17, 53),
            Encap::Gre4,
            1024,
            false,
        ),
        (
            "2001:db8:2::/64 all-port gre6 1024",
            8,
            ("2001:db8:2::/64", 0, 0),
            Encap::Gre6,
            1024,
            false,
        ),
    ] {
        let table_length = TableLength::try_from(length).unwrap();
        let vip = vip(prefix, protocol, port);
        let spec = VipSpec { vip, encap, src_ip_sticky, table_length };
        step(&format!("vip_v2 add {title}"), context, &Step::AddVip(spec));
    }
}

#[test]
fn servers_are_written_as_vpp_took_them() {
    let (web, dns) = (vip("192.0.2.1/32", 6, 80), vip("192.0.2.2/32", 17, 53));
    let (any, six) = (vip("192.0.2.3/32", 0, 0), vip("2001:db8:1::1/128", 6, 443));
    let server = |text: &str| text.parse().unwrap();
    let add = |vip, text| Step::AddServer { vip, server: server(text), weight: Weight::MEMBER };
    step("as add A 10.1.0.1", 11, &add(web, "10.1.0.1"));
    step("as add B 2001:db8:a::1", 14, &add(dns, "2001:db8:a::1"));
    step("as add C 10.1.0.1", 15, &add(any, "10.1.0.1"));
    step("as add D 2001:db8:a::1", 16, &add(six, "2001:db8:a::1"));
    let del = |vip, text, flush| Step::RemoveServer { vip, server: server(text), flush };
    step("as del A 10.1.0.2", 18, &del(web, "10.1.0.2", false));
    step("as del D 2001:db8:a::1 flush", 19, &del(six, "2001:db8:a::1", true));
}

#[test]
fn servers_are_asked_for_and_read_as_vpp_took_and_sent_them() {
    for (title, context, vip) in [
        ("as_dump A (right)", 0x19, vip("192.0.2.1/32", 6, 80)),
        ("as_dump C all-port (right)", 0x1b, vip("192.0.2.3/32", 0, 0)),
        ("as_dump D IPv6 (right)", 0x1d, vip("2001:db8:1::1/128", 6, 443)),
    ] {
        let dumps = server_dumps::<LegacyAsDump>(&DumpScope::Vips(vec![vip]));
        request(title, 101, context, dumps[0]);
        for frame in frames("reply", title) {
            let (_, row) = read_reply::<LegacyAsDetails>(&body(&frame)).unwrap();
            assert_eq!((row.prefix.to_net(), row.port), (Some(vip.prefix()), vip.service().port()));
        }
    }
}

#[test]
fn a_weight_never_becomes_a_message() {
    let (vip, server) = (vip("192.0.2.1/32", 6, 80), [10, 1, 0, 1].into());
    for weight in [Weight::ZERO, Weight::MEMBER, Weight::FULL] {
        let set = Step::SetWeight { vip, server, weight, flush: false };
        assert_eq!(LegacyWrite::try_from(&set), Err(StepError::NoWeights));
        let add = Step::AddServer { vip, server, weight };
        assert_eq!(LegacyWrite::try_from(&add).is_err(), weight == Weight::ZERO);
    }
}
