//! Probes from another network namespace, which only root can make: two
//! namespaces joined by a veth pair, made and removed by the test.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::process::Command;

use crate::support::probe::*;
use vpp_maglev::domain::config::CheckKind;
use vpp_maglev::probe::{Namespace, ProbeEnvironment, ThreadResources};

/// Two namespaces, removed at the end, and the link between them with them.
struct Namespaces {
    near: String,
    far: String,
}

impl Namespaces {
    fn make() -> Option<Self> {
        if !is_installed("ip") {
            return None;
        }
        let names = ["near", "far"].map(|end| format!("maglev-{end}-{}", std::process::id()));
        let [near, far] = names;
        let made = Command::new("ip").args(["netns", "add", &near]).output().unwrap();
        if !made.status.success() {
            skipped("no permission to make a network namespace");
            return None;
        }
        let these = Self { near, far };
        let (near, far) = (&these.near, &these.far);
        ip(&format!("netns add {far}"));
        ip(&format!("-n {near} link add near type veth peer name far netns {far}"));
        for (namespace, link, end) in [(near, "near", 1), (far, "far", 2)] {
            ip(&format!("-n {namespace} address add 198.18.77.{end}/30 dev {link}"));
            ip(&format!("-n {namespace} address add fd00:6d61::{end}/64 dev {link} nodad"));
            ip(&format!("-n {namespace} link set {link} up"));
        }
        Some(these)
    }
}

impl Drop for Namespaces {
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

/// Probes of every kind reach `address`, which has no listener.
async fn assert_reached(address: IpAddr, shared: &ThreadResources) {
    let to = SocketAddr::new(address, 9);
    assert_found(CheckKind::Icmp, address, shared, "L3OK").await;
    let refused = "L4CON connection refused";
    for kind in [tcp(to, None), dns(to, false, "a.example", "A", "NOERROR")] {
        assert_found(kind, address, shared, refused).await;
    }
}

#[tokio::test]
async fn probes_leave_from_the_namespace_and_the_process_stays_outside() {
    let Some(these) = Namespaces::make() else { return };
    let namespace = Namespace::enter(&these.near).unwrap();
    let shared = ThreadResources::on(ProbeEnvironment {
        namespace: Some(namespace),
        ..ProbeEnvironment::default()
    });
    for far in ["198.18.77.2", "fd00:6d61::2"] {
        assert_reached(far.parse().unwrap(), &shared).await;
    }
    assert!(UdpSocket::bind("198.18.77.1:0").is_err(), "this thread is not in the namespace");

    let gone = format!(
        "SOCKERR there is no network namespace {0:?}: make it with `ip netns add {0}`",
        these.near
    );
    ip(&format!("netns delete {}", these.near));
    assert_found(CheckKind::Icmp, V4, &shared, &gone).await;
    assert_found(tcp((V4, 9).into(), None), V4, &shared, &gone).await;
    // Another of the same name is entered without being asked.
    ip(&format!("netns add {}", these.near));
    ip(&format!("-n {} link set lo up", these.near));
    assert_reached(V4, &shared).await;
}
