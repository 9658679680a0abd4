//! The network: a client, two VPPs and the servers, each in a namespace.
//!
//! ```text
//! client 10.1.0.2 ── VPP 1 ── 10.2.i.2 server i      the path
//!        10.3.0.2 ── VPP 2 ── 10.4.i.2 server i      the one that takes over
//! ```
//!
//! Their names are as [`leftovers`](super::leftovers) knows them.

use std::fs::File;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::Command;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::configuration::{SERVERS, VIP, address};
use super::leftovers::{self, NAMESPACES};

/// See the module's description.
pub(crate) struct Namespaces(());

impl Drop for Namespaces {
    fn drop(&mut self) {
        leftovers::remove();
    }
}

/// The two that forward.
pub(crate) const VPPS: [&str; 2] = ["vpp1", "vpp2"];
pub(crate) const CLIENT: &str = "client";

impl Namespaces {
    /// Makes them, with a link from each host to each VPP.
    pub(crate) fn make() -> Self {
        leftovers::remove_stale();
        let made = Self(());
        let servers: Vec<_> = (0..SERVERS).map(server).collect();
        let names = servers.iter().map(String::as_str);
        for name in names.chain(VPPS).chain([CLIENT]) {
            ip(&["netns", "add", &full(name)]);
            ip(&["-n", &full(name), "link", "set", "lo", "up"]);
        }
        for (vpp, third) in [(0, 1), (1, 3)] {
            link(vpp, CLIENT, &format!("10.{third}.0.2/24"));
            for (index, server) in servers.iter().enumerate() {
                link(vpp, server, &format!("10.{}.{}.2/24", third + 1, index + 1));
            }
        }
        let via_first = |name: &str, gateway: &str| {
            ip(&["-n", &full(name), "route", "add", "default", "via", gateway]);
        };
        via_first(CLIENT, "10.1.0.1");
        // Servers answer through the first VPP.
        let second = ["route", "add", "10.4.0.0/16", "via", "10.3.0.1", "src", "10.1.0.2"];
        ip(&[&["-n", &full(CLIENT)], &second[..]].concat());
        for (index, server) in servers.iter().enumerate() {
            via_first(server, &format!("10.2.{}.1", index + 1));
            ip(&["-n", &full(server), "address", "add", &format!("{VIP}/32"), "dev", "lo"]);
        }
        made
    }
}

/// Has the client reach the VIP through one VPP or the other.
pub(crate) fn lead_client_through(vpp: usize) {
    let gateway = ["10.1.0.1", "10.3.0.1"][vpp];
    let route = ["route", "replace", VIP, "via", gateway, "src", "10.1.0.2"];
    ip(&[&["-n", &full(CLIENT)], &route[..]].concat());
}

/// Where a server is reached through the second VPP.
pub(crate) fn second_address(index: usize) -> String {
    format!("10.4.{}.2", index + 1)
}

pub(crate) fn server(index: usize) -> String {
    format!("server{}", index + 1)
}

/// VPP's commands for its ends of the links. Their addresses in hardware stay
/// when VPP is restarted, or the neighbours would have a stale one for seconds.
pub(crate) fn vpp_setup(vpp: usize) -> String {
    let third = [1, 3][vpp];
    let servers = (0..SERVERS).map(|index| (server(index), third + 1, index + 1));
    let mut setup = String::new();
    for (place, (host, net, number)) in
        [(CLIENT.to_owned(), third, 0)].into_iter().chain(servers).enumerate()
    {
        setup += &format!(
            "create host-interface v2 name {host} hw-addr 02:00:00:00:{vpp:02}:{place:02} \
             qdisc-bypass-disable cksum-gso-disable rx-per-block 256 tx-per-block 256\n\
             set interface state host-{host} up\n\
             set interface ip address host-{host} 10.{net}.{number}.1/24\n"
        );
    }
    if vpp == 1 {
        for index in 0..SERVERS {
            let (address, gateway) = (address(index), second_address(index));
            setup += &format!("ip route add {address}/32 via {gateway} host-{}\n", server(index));
        }
    }
    setup
}

/// A command that runs in a namespace, and dies with the present thread.
pub(crate) fn command(name: &str, program: &Path) -> Command {
    let mut command = Command::new("nsenter");
    command.arg(format!("--net={NAMESPACES}/{}", full(name)));
    command.args(["setpriv", "--pdeathsig", "KILL", "--"]).arg(program);
    command
}

/// Has the present thread open its sockets in a namespace.
pub(crate) fn enter(name: &str) {
    let file = File::open(Path::new(NAMESPACES).join(full(name))).unwrap();
    move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
}

fn full(name: &str) -> String {
    format!("{}-{name}", leftovers::own())
}

/// A link between a VPP and a host, without what hardware would do for either:
/// VPP takes packets as they are, checksums included.
fn link(vpp: usize, host: &str, address: &str) {
    let (near, far) = (full(VPPS[vpp]), full(host));
    let device = ["eth0", "eth1"][vpp];
    ip(&["-n", &near, "link", "add", host, "type", "veth", "peer", "name", device, "netns", &far]);
    for (space, end) in [(&near, host), (&far, device)] {
        let off = ["tx", "off", "rx", "off", "gso", "off", "gro", "off", "tso", "off"];
        run(&[&["ip", "netns", "exec", space, "ethtool", "-K", end], &off[..]].concat());
        ip(&["-n", space, "link", "set", end, "up"]);
    }
    ip(&["-n", &far, "address", "add", address, "dev", device]);
    for interface in ["all", "lo", device] {
        // Packets come from where the routes do not lead, and VPP answers who asks
        // for it by ARP from the same network only.
        for setting in ["rp_filter=0", "arp_announce=2"] {
            let setting = format!("net.ipv4.conf.{interface}.{setting}");
            run(&["ip", "netns", "exec", &far, "sysctl", "-qw", &setting]);
        }
    }
}

fn ip(arguments: &[&str]) {
    run(&[&["ip"], arguments].concat());
}

fn run(words: &[&str]) {
    let output = Command::new(words[0]).args(&words[1..]).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {error}", words.join(" "));
}
