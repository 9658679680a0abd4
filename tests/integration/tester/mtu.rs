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
}

/// What the far end takes: what is left of 1500 bytes where GRE over IPv4 is added.
const NARROW: u32 = 1476;

/// A veth takes frames of 4 bytes more than its MTU, for a VLAN's tag.
const VLAN_TAG: u32 = 4;

impl NarrowPath {
    fn make() -> Option<Self> {
        if !is_installed("ip") {
            return None;
        }
        let [near, far] =
            ["near", "far"].map(|end| format!("maglevt-{end}-{}", std::process::id()));
        let made = Command::new("ip").args(["netns", "add", &near]).output().unwrap();
        if !made.status.success() {
            skipped("no permission to make a network namespace");
            return None;
        }
        let path = Self { near, far };
        let (near, far) = (&path.near, &path.far);
        ip(&format!("netns add {far}"));
        ip(&format!("-n {near} link add near type veth peer name far netns {far}"));
        for (namespace, link, end) in [(near, "near", 1), (far, "far", 2)] {
            ip(&format!("-n {namespace} address add 198.18.78.{end}/30 dev {link}"));
            // Otherwise the kernel passes several packets as one, whatever the MTU.
            ip(&format!("-n {namespace} link set {link} gso_max_segs 1"));
            ip(&format!("-n {namespace} link set {link} up"));
        }
        ip(&format!("-n {far} link set far mtu {}", NARROW - VLAN_TAG));
        // As a server behind a tunnel that knows nothing of it.
        ip(&format!("-n {far} route change 198.18.78.0/30 dev far advmss 1460"));
        Some(path)
    }

    /// A socket of the far namespace; this thread is left where it was.
    fn listener(&self) -> TcpListener {
        let path = format!("/run/netns/{}", self.far);
        let bound = std::thread::spawn(move || {
            use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
            let namespace = std::fs::File::open(path).unwrap();
            let network = Some(LinkNameSpaceType::Network);
            move_into_link_name_space(std::os::fd::AsFd::as_fd(&namespace), network).unwrap();
            std::net::TcpListener::bind("198.18.78.2:0").unwrap()
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
    let Some(path) = NarrowPath::make() else { return };
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
    assert!(
        why.contains("and 1476 pass: the path lacks 24 bytes, what GRE over IPv4 adds"),
        "{why}"
    );
    assert!(why.ends_with("advertise an MSS of 1436"), "{why}");
    let ended = test.stop().await;
    assert_eq!(ended.status, 1);
    assert!(ended.breaches().contains("MTU: packets of 1500 bytes vanish"), "{}", ended.breaches());
    // Small requests are answered all the same.
    assert_eq!(
        (&ended.vip()["broken"], &ended.vip()["full_size"]["largest_passing"]),
        (&0.into(), &1476.into())
    );
}
