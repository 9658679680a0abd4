//! A path that swallows full packets, which takes root to build: two namespaces
//! whose ends of a link take packets of different sizes, while the server believes
//! that it gets full ones. Without root, this says that it skips.

use std::process::Command;

use super::line_server::LineServer;
use super::process::{Running, maglevt};
use crate::support::probe::{is_installed, skipped};
use tokio::net::TcpListener;

/// Two namespaces with a link between them, removed at the end.
struct NarrowPath {
    near: String,
    far: String,
    family: &'static Family,
}

/// What a link speaks, and what is left of 1500 bytes where GRE over it is added.
struct Family {
    name: &'static str,
    addresses: [&'static str; 2],
    prefix: &'static str,
    /// The largest segment of 1500 bytes.
    mss: u32,
    /// What the far end takes.
    narrow: u32,
    expected: [&'static str; 2],
}

const IPV4: Family = Family {
    name: "IPv4",
    addresses: ["198.18.78.1", "198.18.78.2"],
    prefix: "198.18.78.0/30",
    mss: 1460,
    narrow: 1476,
    expected: [
        "and 1476 pass: the path lacks 24 bytes, what GRE over IPv4 adds",
        "advertise an MSS of 1436",
    ],
};

const IPV6: Family = Family {
    name: "IPv6",
    addresses: ["2001:db8:78::1", "2001:db8:78::2"],
    prefix: "2001:db8:78::/126",
    mss: 1440,
    narrow: 1456,
    expected: [
        "and 1456 pass: the path lacks 44 bytes, what GRE over IPv6 adds",
        "advertise an MSS of 1396",
    ],
};

/// A veth takes frames of 4 bytes more than its MTU, for a VLAN's tag.
const VLAN_TAG: u32 = 4;

impl NarrowPath {
    fn make(family: &'static Family) -> Option<Self> {
        if !is_installed("ip") {
            return None;
        }
        let [near, far] = ["near", "far"]
            .map(|end| format!("maglevt-{end}-{}-{}", family.name, std::process::id()));
        let made = Command::new("ip").args(["netns", "add", &near]).output().unwrap();
        if !made.status.success() {
            skipped("no permission to make a network namespace");
            return None;
        }
        let path = Self { near, far, family };
        let (near, far) = (&path.near, &path.far);
        ip(&format!("netns add {far}"));
        ip(&format!("-n {near} link add near type veth peer name far netns {far}"));
        for (namespace, link, end) in [(near, "near", 0), (far, "far", 1)] {
            let (_, length) = family.prefix.split_once('/').unwrap();
            let (address, dad) =
                (family.addresses[end], if family.name == "IPv6" { " nodad" } else { "" });
            ip(&format!("-n {namespace} address add {address}/{length} dev {link}{dad}"));
            // Otherwise the kernel passes several packets as one, whatever the MTU.
            ip(&format!("-n {namespace} link set {link} gso_max_segs 1"));
            ip(&format!("-n {namespace} link set {link} up"));
        }
        ip(&format!("-n {far} link set far mtu {}", family.narrow - VLAN_TAG));
        // As a server behind a tunnel that knows nothing of it.
        let Family { prefix, mss, .. } = family;
        // That of the kernel's own route, in place of which it is.
        let metric = if family.name == "IPv6" { 256 } else { 0 };
        ip(&format!("-n {far} route replace {prefix} dev far metric {metric} advmss {mss}"));
        Some(path)
    }

    /// A socket of the far namespace; this thread is left where it was.
    fn listener(&self) -> TcpListener {
        let path = format!("/run/netns/{}", self.far);
        let address: std::net::IpAddr = self.family.addresses[1].parse().unwrap();
        let bound = std::thread::spawn(move || {
            use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
            let namespace = std::fs::File::open(path).unwrap();
            let network = Some(LinkNameSpaceType::Network);
            move_into_link_name_space(std::os::fd::AsFd::as_fd(&namespace), network).unwrap();
            std::net::TcpListener::bind((address, 0)).unwrap()
        });
        let listener = bound.join().unwrap();
        listener.set_nonblocking(true).unwrap();
        TcpListener::from_std(listener).unwrap()
    }
}

impl Drop for NarrowPath {
    fn drop(&mut self) {
        for name in [&self.near, &self.far] {
            let _ = Command::new("ip").args(["netns", "delete", name]).output();
        }
    }
}

fn ip(arguments: &str) {
    let output = Command::new("ip").args(arguments.split(' ')).output().unwrap();
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_that_swallows_full_packets_is_found_with_its_size_and_server() {
    for family in [&IPV4, &IPV6] {
        is_found(family).await;
    }
}

async fn is_found(family: &'static Family) {
    let Some(path) = NarrowPath::make(family) else { return };
    let server = LineServer::on(path.listener(), &["nginx0", "nginx1"]);
    let line = format!("tcp://{} --timeout 500ms --hold 2 --full-size", server.address);
    let inner = maglevt(&line);
    let mut command = Command::new("ip");
    command.args(["netns", "exec", &path.near]).arg(inner.get_program()).args(inner.get_args());
    let mut test = Running::spawn(&mut command);
    let found = test.until("full packets", |value| value["what"] == "full_size").await;
    let why = found["why"].as_str().unwrap();
    assert!(
        why.starts_with("MTU: packets of 1500 bytes vanish on the way to nginx0, nginx1"),
        "{why}"
    );
    assert!(why.contains(family.expected[0]), "{why}");
    assert!(why.ends_with(family.expected[1]), "{why}");
    let ended = test.stop().await;
    assert_eq!(ended.status, 1);
    assert!(ended.breaches().contains("MTU: packets of 1500 bytes vanish"), "{}", ended.breaches());
    // Small requests are answered all the same.
    assert_eq!(
        (&ended.vip()["broken"], &ended.vip()["full_size"]["largest_passing"]),
        (&0.into(), &family.narrow.into())
    );
}
