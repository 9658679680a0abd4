//! Backends that are named: the built maglevd asks a name server of the test's
//! own, and VPP follows.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::support::{Daemon, TestBed, metrics_address, sample};
use rustix::process::Signal;
use tokio::net::UdpSocket;
use vpp_maglev::pb::{BackendInfo, GetBackendRequest};

/// Answers every query for an address with 198.51.100 and the number that is
/// set, for a second; with "no such name" while that is 0.
async fn name_server() -> (SocketAddr, Arc<AtomicU8>) {
    name_server_with_ttl(1).await
}

async fn name_server_with_ttl(ttl: u32) -> (SocketAddr, Arc<AtomicU8>) {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = socket.local_addr().unwrap();
    let last = Arc::new(AtomicU8::new(0));
    let leads = Arc::clone(&last);
    tokio::spawn(async move {
        let mut query = [0; 512];
        while let Ok((size, from)) = socket.recv_from(&mut query).await {
            let answer = answer(&query[..size], leads.load(Ordering::Relaxed), ttl);
            socket.send_to(&answer, from).await.unwrap();
        }
    });
    (address, last)
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
