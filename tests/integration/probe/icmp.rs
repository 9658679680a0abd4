//! ICMP probes to loopback, where ICMP sockets are permitted, and to what only
//! a network namespace of one's own can offer, where root can make one.

use std::net::IpAddr;
use std::process::Command;
use std::time::Duration;

use crate::support::probe::*;
use vpp_maglev::domain::config::CheckKind;
use vpp_maglev::domain::health::probe_result::ResultCode;
use vpp_maglev::probe::{Probe, ThreadResources};

/// Whether ICMP sockets are permitted; says so plainly if not.
async fn is_permitted() -> bool {
    let result = probe(CheckKind::Icmp, V4, &ThreadResources::new()).await;
    let permitted = result.code != ResultCode::SocketError;
    if !permitted {
        skipped(&result.to_string());
    }
    permitted
}

#[tokio::test]
async fn loopback_answers() {
    if !is_permitted().await {
        return;
    }
    let shared = ThreadResources::new();
    for address in [V4, V6, IpAddr::from([127, 1, 2, 3])] {
        assert_found(CheckKind::Icmp, address, &shared, "L3OK").await;
    }
}

#[tokio::test]
async fn probes_of_one_address_do_not_take_each_others_replies() {
    if !is_permitted().await {
        return;
    }
    let shared = ThreadResources::new();
    let check = check(CheckKind::Icmp, LONG);
    let probes: Vec<_> = (0..50).map(|_| Probe::prepare(&check, V4, &shared).unwrap()).collect();
    let local = tokio::task::LocalSet::new();
    let running: Vec<_> = probes
        .into_iter()
        .map(|probe| local.spawn_local(async move { probe.run().await }))
        .collect();
    local.await;
    for result in running {
        assert_eq!(result.await.unwrap().to_string(), "L3OK");
    }
}

#[tokio::test]
async fn the_source_address_is_the_configured_one_or_is_named_as_missing() {
    if !is_permitted().await {
        return;
    }
    let shared = ThreadResources::new();
    let from = |source: [u8; 4]| {
        let mut check = check(CheckKind::Icmp, LONG);
        check.source_v4 = Some(source.into());
        Probe::prepare(&check, V4, &shared).unwrap()
    };
    assert_eq!(from([127, 0, 0, 9]).run().await.to_string(), "L3OK");
    assert_eq!(
        from([192, 0, 2, 77]).run().await.to_string(),
        "SOCKERR source address 192.0.2.77 is not an address of this machine"
    );
}

/// Runs the ignored `test` of this program in a new network namespace, after
/// `setup` in a shell there.
fn in_namespace(setup: &str, test: &str) {
    if !["unshare", "ip"].into_iter().all(is_installed) {
        return;
    }
    if !Command::new("unshare").args(["--net", "true"]).status().unwrap().success() {
        skipped("no permission to make a network namespace");
        return;
    }
    // The names of tests begin below the program's own.
    let module = module_path!().split_once("::").unwrap().1;
    let command =
        format!("set -e; {setup}; exec \"$0\" --exact {module}::{test} --ignored --nocapture");
    let output = Command::new("unshare")
        .args(["--net", "sh", "-c", &command])
        .arg(std::env::current_exe().unwrap())
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && printed.contains("1 passed"), "{printed}\n{errors}");
}

#[test]
fn datagram_sockets_serve_where_the_group_may_ping() {
    in_namespace(
        "ip link set lo up; echo 0 4294967294 > /proc/sys/net/ipv4/ping_group_range",
        "child_without_raw_sockets_that_passes",
    );
}

#[test]
fn without_any_permission_the_result_names_the_remedies() {
    in_namespace(
        "ip link set lo up; echo 1 0 > /proc/sys/net/ipv4/ping_group_range",
        "child_without_raw_sockets_that_fails",
    );
}

#[test]
fn silence_is_a_timeout_and_no_route_is_said() {
    in_namespace(
        "ip link set lo up; ip route add unreachable 192.0.2.0/24; \
         echo 1 > /proc/sys/net/ipv4/icmp_echo_ignore_all; \
         echo 1 > /proc/sys/net/ipv6/icmp/echo_ignore_all",
        "child_where_nobody_answers",
    );
}

/// Takes CAP_NET_RAW from this thread, as from a daemon that was not given it.
fn give_up_raw_sockets() {
    use rustix::thread::{CapabilitySet, capabilities, set_capabilities};
    let mut sets = capabilities(None).unwrap();
    sets.effective.remove(CapabilitySet::NET_RAW);
    sets.permitted.remove(CapabilitySet::NET_RAW);
    sets.inheritable.remove(CapabilitySet::NET_RAW);
    set_capabilities(None, sets).unwrap();
}

#[tokio::test]
#[ignore = "for a namespace of its own"]
async fn child_without_raw_sockets_that_passes() {
    give_up_raw_sockets();
    let shared = ThreadResources::new();
    for address in [V4, V6] {
        assert_found(CheckKind::Icmp, address, &shared, "L3OK").await;
    }
}

#[tokio::test]
#[ignore = "for a namespace of its own"]
async fn child_without_raw_sockets_that_fails() {
    give_up_raw_sockets();
    let shared = ThreadResources::new();
    let expected = "SOCKERR no permission to open an ICMP socket: give CAP_NET_RAW, or put the \
                daemon's group into net.ipv4.ping_group_range";
    for address in [V4, V6] {
        assert_found(CheckKind::Icmp, address, &shared, expected).await;
    }
}

#[tokio::test]
#[ignore = "for a namespace of its own"]
async fn child_where_nobody_answers() {
    let shared = ThreadResources::new();
    let short = check(CheckKind::Icmp, Duration::from_millis(100));
    for address in [V4, V6] {
        let result = Probe::prepare(&short, address, &shared).unwrap().run().await;
        assert_eq!(result.to_string(), "L3TOUT no echo reply within 100ms");
    }
    let nowhere = "no route to host: it does not answer on its network";
    let to = std::net::SocketAddr::from(([192, 0, 2, 1], 80));
    assert_found(CheckKind::Icmp, to.ip(), &shared, &format!("L3UNR {nowhere}")).await;
    assert_found(tcp(to, None), to.ip(), &shared, &format!("L4CON {nowhere}")).await;
    let nowhere = "no route to its network";
    let to = std::net::SocketAddr::from(([198, 51, 100, 1], 80));
    assert_found(CheckKind::Icmp, to.ip(), &shared, &format!("L3UNR {nowhere}")).await;
    let query = dns(to, false, "a.example", "A", "NOERROR");
    for kind in [tcp(to, None), query] {
        assert_found(kind, to.ip(), &shared, &format!("L4CON {nowhere}")).await;
    }
}
