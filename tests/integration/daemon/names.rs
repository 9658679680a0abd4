//! Backends that are named: the built maglevd asks a name server of the test's
//! own, and VPP follows.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::support::probe::{is_installed, skipped};
use crate::support::{Daemon, TestBed, metrics_address, sample};
use rustix::process::Signal;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tokio::net::UdpSocket;
use vpp_maglev::pb::{BackendInfo, GetBackendRequest};

/// Answers every query for an address with 198.51.100 and the number that is
/// set, for a second; with "no such name" while that is 0.
async fn name_server() -> (SocketAddr, Arc<AtomicU8>) {
    name_server_with_ttl(1).await
}

async fn name_server_with_ttl(ttl: u32) -> (SocketAddr, Arc<AtomicU8>) {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    (socket.local_addr().unwrap(), serve(socket, ttl))
}

fn serve(socket: UdpSocket, ttl: u32) -> Arc<AtomicU8> {
    let last = Arc::new(AtomicU8::new(0));
    let leads = Arc::clone(&last);
    tokio::spawn(async move {
        let mut query = [0; 512];
        while let Ok((size, from)) = socket.recv_from(&mut query).await {
            let answer = answer(&query[..size], leads.load(Ordering::Relaxed), ttl);
            socket.send_to(&answer, from).await.unwrap();
        }
    });
    last
}

fn answer(query: &[u8], last: u8, ttl: u32) -> Vec<u8> {
    // The question ends with the empty label, the type and the class.
    let name = query[12..].iter().position(|byte| *byte == 0).unwrap();
    let mut answer = query[..12 + name + 5].to_vec();
    answer[2] |= 0x80;
    answer[3] = if last == 0 { 3 } else { 0 };
    answer[6..12].copy_from_slice(&[0, u8::from(last != 0), 0, 0, 0, 0]);
    if last != 0 {
        answer.extend(b"\xc0\x0c\0\x01\0\x01");
        answer.extend(ttl.to_be_bytes());
        answer.extend(b"\0\x04\xc6\x33\x64");
        answer.push(last);
    }
    answer
}

async fn backend(daemon: &Daemon) -> BackendInfo {
    let request = GetBackendRequest { name: "b".into() };
    daemon.client().await.get_backend(request).await.unwrap().into_inner()
}

#[tokio::test]
async fn vpp_follows_a_name_and_keeps_the_server_of_one_that_fails() {
    let (server, last) = name_server().await;
    let config = format!(
        "maglev:\n  healthchecker: {{nameservers: [\"{server}\"]}}\n  vpp: {{lb: {{sync-interval: 1h, \
         startup-max-delay: 1h, ipv4-src-address: 192.0.2.1, ipv6-src-address: 2001:db8::1}}}}\n  \
         backends: {{b: {{address: b.example.org, resolve: ipv4}}}}\n  frontends: {{v4: {{address: \
         192.0.2.80, protocol: tcp, port: 80, pools: [{{name: p, backends: {{b: {{}}}}}}]}}}}\n"
    );
    let mut bed = TestBed::with_text(config);
    let dataplane = bed.dataplane();
    let mut daemon = bed.start().await;

    // It starts all the same, and says what is missing.
    let failed = daemon.logged("backend-resolve-failed").await;
    assert_eq!(
        (&failed["name"], &failed["why"]),
        (&"b.example.org".into(), &"no such name".into())
    );
    dataplane.until("v4").await;
    let info = backend(&daemon).await;
    assert_eq!((&*info.address, &*info.dns_name), ("", "b.example.org"));
    assert_eq!(info.unresolved, "no such name");
    let metrics = metrics_address(&mut daemon).await;
    let unresolved = "maglev_backend_unresolved{backend=\"b\"}";
    assert_eq!(sample(&metrics, unresolved).await, "1");

    last.store(1, Ordering::Relaxed);
    dataplane.until("v4 198.51.100.1=100").await;
    dataplane.writes();
    assert_eq!(sample(&metrics, unresolved).await, "0");
    // Made before the other is broken.
    last.store(2, Ordering::Relaxed);
    dataplane.until("v4 198.51.100.2=100").await;
    assert_eq!(dataplane.writes(), ["+v4 198.51.100.2 100", "-v4 198.51.100.1"]);

    last.store(0, Ordering::Relaxed);
    let kept = |line: &serde_json::Value| line["kept"] == "198.51.100.2";
    daemon.logged_as("an address that is kept", kept).await;
    let info = backend(&daemon).await;
    assert_eq!((&*info.address, &*info.unresolved), ("198.51.100.2", "no such name"));
    assert_eq!(dataplane.held(), "v4 198.51.100.2=100");
    assert_eq!(dataplane.writes(), [""; 0]);
    daemon.terminate().await;
}

#[tokio::test]
async fn a_reload_looks_every_name_up_anew() {
    let (server, last) = name_server_with_ttl(3600).await;
    last.store(1, Ordering::Relaxed);
    let config = format!(
        "maglev:\n  healthchecker: {{nameservers: [\"{server}\"]}}\n  vpp: {{lb: {{sync-interval: 1h, \
         ipv4-src-address: 192.0.2.1, ipv6-src-address: 2001:db8::1}}}}\n  \
         backends: {{b: {{address: b.example.org, resolve: ipv4}}}}\n  frontends: {{v4: {{address: \
         192.0.2.80, protocol: tcp, port: 80, pools: [{{name: p, backends: {{b: {{}}}}}}]}}}}\n"
    );
    let mut bed = TestBed::with_text(config);
    let dataplane = bed.dataplane();
    let daemon = bed.start().await;
    dataplane.until("v4 198.51.100.1=100").await;
    // The record would be used for an hour.
    last.store(2, Ordering::Relaxed);
    daemon.signal(Signal::HUP);
    dataplane.until("v4 198.51.100.2=100").await;
    daemon.terminate().await;
}

/// A network namespace with a link whose two ends, `near` and `far`, are in it. It is
/// removed at the end.
struct LinkedNamespace(String);

impl LinkedNamespace {
    /// `None`, and a line that says so, where that cannot be made.
    fn make() -> Option<Self> {
        if !is_installed("ip") {
            return None;
        }
        let name = format!("maglev-names-{}", std::process::id());
        let made = Command::new("ip").args(["netns", "add", &name]).output().unwrap();
        if !made.status.success() {
            skipped("no permission to make a network namespace");
            return None;
        }
        let namespace = Self(name);
        namespace.ip("link set lo up");
        namespace.ip("link add near type veth peer name far");
        for (link, end) in [("near", 1), ("far", 2)] {
            namespace.ip(&format!("link set {link} addrgenmode none"));
            namespace.ip(&format!("address add fe80::{end}/64 dev {link} nodad"));
            namespace.ip(&format!("link set {link} up"));
        }
        Some(namespace)
    }

    fn ip(&self, arguments: &str) {
        let mut command = Command::new("ip");
        let output = command.args(["-n", &self.0]).args(arguments.split(' ')).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments}: {errors}");
    }

    /// A name server at the port where the system expects one; this thread is left
    /// where it was.
    fn name_server(&self, at: &'static str) -> Arc<AtomicU8> {
        let path = format!("/run/netns/{}", self.0);
        let bound = std::thread::spawn(move || {
            let namespace = std::fs::File::open(path).unwrap();
            let network = Some(LinkNameSpaceType::Network);
            move_into_link_name_space(std::os::fd::AsFd::as_fd(&namespace), network).unwrap();
            std::net::UdpSocket::bind((at, 53)).unwrap()
        });
        let socket = bound.join().unwrap();
        socket.set_nonblocking(true).unwrap();
        serve(UdpSocket::from_std(socket).unwrap(), 3600)
    }
}

impl Drop for LinkedNamespace {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "delete", &self.0]).output();
    }
}

/// The system's own file, as the daemon sees it: first with a name server on a link,
/// then without any, which means this machine.
#[tokio::test]
async fn a_reload_reads_the_systems_name_servers_anew_of_whatever_kind_they_are() {
    let Some(namespace) = LinkedNamespace::make() else { return };
    namespace.name_server("fe80::2%far").store(1, Ordering::Relaxed);
    namespace.name_server("127.0.0.1").store(2, Ordering::Relaxed);
    let config = "maglev:\n  vpp: {lb: {sync-interval: 1h, ipv4-src-address: 192.0.2.1, \
         ipv6-src-address: 2001:db8::1}}\n  \
         backends: {b: {address: b.example.org, resolve: ipv4}}\n  frontends: {v4: {address: \
         192.0.2.80, protocol: tcp, port: 80, pools: [{name: p, backends: {b: {}}}]}}\n";
    let mut bed = TestBed::with_text(config);
    let dataplane = bed.dataplane();
    let resolv_conf = bed.dir().join("resolv.conf");
    std::fs::write(&resolv_conf, "nameserver fe80::2%near\n").unwrap();
    let inner = bed.command();
    let mut command = Command::new("ip");
    // It has mounts of its own.
    command.args(["netns", "exec", &namespace.0, "sh", "-c"]);
    command.arg("mount --bind \"$0\" /etc/resolv.conf && exec \"$@\"").arg(&resolv_conf);
    command.arg(inner.get_program()).args(inner.get_args());
    for (name, value) in inner.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let socket = format!("unix:{}", bed.dir().join("grpc.sock").display());
    command.args(["--grpc-addr", &socket]).current_dir(bed.dir());
    let daemon = bed.run(&mut command).await;
    dataplane.until("v4 198.51.100.1=100").await;
    // The same file, which is mounted.
    std::fs::write(&resolv_conf, "search example.org\n").unwrap();
    daemon.signal(Signal::HUP);
    dataplane.until("v4 198.51.100.2=100").await;
    daemon.terminate().await;
}
