//! Tests lookups with files, and a name server, of the test's own.

use std::net::{Ipv4Addr, Ipv6Addr};

use tokio::net::UdpSocket;

use super::*;

/// Answers every query with 198.51.100.1.
async fn name_server(at: IpAddr) -> u16 {
    let socket = UdpSocket::bind((at, 0)).await.unwrap();
    let port = socket.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut query = [0; 512];
        while let Ok((size, from)) = socket.recv_from(&mut query).await {
            // The question ends with the empty label, the type and the class.
            let name = query[12..size].iter().position(|byte| *byte == 0).unwrap();
            let mut answer = query[..12 + name + 5].to_vec();
            answer[2] |= 0x80;
            answer[6..12].copy_from_slice(&[0, 1, 0, 0, 0, 0]);
            answer.extend(b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xc6\x33\x64\x01");
            socket.send_to(&answer, from).await.unwrap();
        }
    });
    port
}

struct LookupTestBed {
    dir: tempfile::TempDir,
    port: u16,
}

impl LookupTestBed {
    fn new(hosts: &str, resolv_conf: &str, port: u16) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let bed = Self { dir, port };
        bed.write("hosts", hosts);
        bed.write("resolv.conf", resolv_conf);
        bed
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.dir.path().join(name), text).unwrap();
    }

    fn service(&self) -> NameService {
        let path = |name| self.dir.path().join(name);
        let (hosts, resolv_conf) = (path("hosts"), path("resolv.conf"));
        NameService::with_files(&SystemFiles { hosts, resolv_conf, port: self.port }, &[])
    }
}

/// The addresses and the seconds of TTL, or why there are none.
async fn look_up(service: &NameService) -> String {
    let host = HostName { name: "www.example.org".into(), family: IpFamily::V4 };
    match service.look_up(&host).await {
        LookupAnswer::Found { addresses, ttl } => format!("{addresses:?} {}", ttl.as_secs()),
        LookupAnswer::Failed(why) => why,
    }
}

const FROM_DNS: &str = "[198.51.100.1] 60";

#[tokio::test]
async fn without_a_name_server_in_resolv_conf_this_machine_is_asked() {
    for at in [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)] {
        let bed = LookupTestBed::new("", "options timeout:1\n", name_server(at).await);
        assert_eq!(look_up(&bed.service()).await, FROM_DNS, "{at}");
    }
}

#[tokio::test]
async fn a_name_server_with_a_zone_is_asked() {
    let port = name_server(Ipv6Addr::LOCALHOST.into()).await;
    let bed = LookupTestBed::new("", "nameserver ::1%lo\n", port);
    assert_eq!(look_up(&bed.service()).await, FROM_DNS);
}

#[tokio::test]
async fn the_hosts_file_is_looked_at_first_whatever_resolv_conf_says_and_anew_each_time() {
    let port = name_server(Ipv4Addr::LOCALHOST.into()).await;
    let bed = LookupTestBed::new("192.0.2.7 www.example.org\n", "nameserver fe80::1%no0\n", port);
    let service = bed.service();
    assert_eq!(look_up(&service).await, "[192.0.2.7] 5");
    bed.write("hosts", "192.0.2.8 www.example.org\n192.0.2.9 www.example.org\n");
    assert_eq!(look_up(&service).await, "[192.0.2.8, 192.0.2.9] 5");
    bed.write("hosts", "192.0.2.8 other.example.org\n");
    let why = look_up(&service).await;
    assert!(why.ends_with("nameserver fe80::1%no0: there is no interface no0"), "{why}");
    bed.write("resolv.conf", "nameserver 127.0.0.1\n");
    assert_eq!(look_up(&bed.service()).await, FROM_DNS);
}
