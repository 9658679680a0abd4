//! The client against a real VPP, whose API socket `MAGLEV_TEST_VPP_API` names.
//! Without it the tests say that they were skipped. They use VIPs in
//! 198.18.0.0/15 and 2001:db8:77::/48 and remove them.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU16;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::soon;
use crate::support::vpp::{dialect, real_vpp};
use ipnet::IpNet;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::time::timeout;
use vpp_maglev::domain::config::LbConf;
use vpp_maglev::domain::dataplane::dialect::LbDialect;
use vpp_maglev::domain::dataplane::net::{Encap, Service, TableLength, Vip, Weight};
use vpp_maglev::domain::dataplane::observed::{ObservedEncap, ObservedServer};
use vpp_maglev::domain::dataplane::step::{Step, VipSpec};
use vpp_maglev::vpp::cli_text::{VipText, parse_clients};
use vpp_maglev::vpp::client::{CallError, ClientOptions, EndReason, Retval, VppClient};

use super::bare;

async fn connect(path: &Path) -> VppClient {
    VppClient::connect(path, ClientOptions::default()).await.unwrap()
}

/// Connects and removes what an earlier run that failed has left.
async fn sweep(path: &Path) -> VppClient {
    let ours: [IpNet; 2] = ["198.18.0.0/15".parse().unwrap(), "2001:db8:77::/48".parse().unwrap()];
    let client = connect(path).await;
    let seen = client.read_state().await.unwrap();
    let left =
        seen.vips.iter().filter(|(vip, _)| ours.iter().any(|net| net.contains(&vip.prefix())));
    let mut steps = Vec::new();
    for (vip, seen) in left {
        for server in seen.servers.keys() {
            steps.push(Step::RemoveServer { vip: *vip, server: *server, flush: true });
        }
        steps.push(Step::RemoveVip(*vip));
    }
    done(&client, steps).await;
    client
}

fn vip(prefix: &str, protocol: u8, port: u16) -> Vip {
    let service =
        NonZeroU16::new(port).map_or(Service::All, |port| Service::Port { protocol, port });
    Vip::new(prefix.parse().unwrap(), service)
}

fn add(vip: Vip, encap: Encap) -> Step {
    let table_length = TableLength::DEFAULT;
    Step::AddVip(VipSpec { vip, encap, src_ip_sticky: false, table_length })
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn weight(number: i64) -> Weight {
    Weight::try_from(number).unwrap()
}

async fn done(client: &VppClient, steps: Vec<Step>) {
    for (step, result) in steps.iter().zip(client.apply(steps.clone(), false).await) {
        result.unwrap_or_else(|error| panic!("{} {step}: {error}", step.action()));
    }
}

#[tokio::test]
async fn everything_that_is_written_is_read_back() {
    let Some(vpp) = real_vpp().await else { return };
    if dialect(&vpp.api).await != LbDialect::Weights {
        return println!("skipped: the VPP of MAGLEV_TEST_VPP_API has no weights");
    }
    let client = sweep(&vpp.api).await;
    assert_eq!(client.missing(), Vec::<String>::new());
    assert!(!client.info().version.is_empty());
    assert_eq!(client.ping().await, Ok(client.info().pid));

    let before = client.read_state().await.unwrap();
    let conf = LbConf { ip4_src: Ipv4Addr::new(198, 18, 0, 1), ..before.conf.known().unwrap() };
    let web = vip("198.18.1.1/32", 6, 80);
    let all = vip("2001:db8:77::/64", 0, 0);
    let sticky = VipSpec {
        vip: all,
        encap: Encap::Gre6,
        src_ip_sticky: true,
        table_length: TableLength::MAX,
    };
    let steps = vec![
        Step::SetConf(conf),
        add(web, Encap::Gre4),
        Step::AddVip(sticky),
        Step::AddServer { vip: web, server: ip("198.18.9.1"), weight: weight(100) },
        Step::AddServer { vip: web, server: ip("198.18.9.2"), weight: weight(0) },
        Step::AddServer { vip: all, server: ip("2001:db8:77:9::1"), weight: weight(7) },
        Step::SetWeight { vip: web, server: ip("198.18.9.2"), weight: weight(25), flush: true },
    ];
    done(&client, steps).await;

    let seen = client.read_state().await.unwrap();
    assert_eq!(seen.conf.known(), Some(conf));
    // The servers alone say the same, however a VIP is asked for.
    let expected = [web, all].map(|vip| (vip, seen.vips[&vip].servers.len()));
    let read = client.read_servers(&expected.into()).await.unwrap();
    for vip in [web, all] {
        assert_eq!(read[&vip].servers, seen.vips[&vip].servers);
    }
    let web_seen = &seen.vips[&web];
    assert_eq!(web_seen.encap, ObservedEncap::Gre(Encap::Gre4));
    assert_eq!(web_seen.table_length, Some(TableLength::DEFAULT));
    // Many VIPs of another test that still wait to be collected may make the
    // verbose listing too long to be read with the rest.
    let is_known = web_seen.src_ip_sticky.is_some();
    assert_eq!(web_seen.src_ip_sticky, is_known.then_some(false));
    let listing = client.read_verbose().await.unwrap();
    let servers = BTreeMap::from([
        (ip("198.18.9.1"), ObservedServer { weight: 100, buckets: 812 }),
        (ip("198.18.9.2"), ObservedServer { weight: 25, buckets: 212 }),
    ]);
    assert_eq!(web_seen.servers, servers);
    let all_seen = &seen.vips[&all];
    assert_eq!(all_seen.table_length, Some(TableLength::MAX));
    assert_eq!(all_seen.src_ip_sticky, is_known.then_some(true));
    assert_eq!(all_seen.servers[&ip("2001:db8:77:9::1")].buckets, 32768);

    if let Some(listing) = listing {
        let verbose = |vip| {
            let live = |entry: &&VipText| entry.vip == vip && !entry.removed;
            listing.entries.iter().find(live).unwrap().verbose.clone().unwrap()
        };
        assert!(verbose(web).pool_index > 0);
        assert_eq!([web, all].map(|vip| verbose(vip).src_ip_sticky), [false, true]);
    }

    let refused = |call, retval| Err(CallError::Refused { call, retval });
    let again = vec![
        add(web, Encap::Gre4),
        Step::RemoveServer { vip: web, server: ip("198.18.9.7"), flush: false },
        Step::RemoveServer { vip: web, server: ip("198.18.9.1"), flush: true },
    ];
    let results = client.apply(again, true).await;
    assert_eq!(results[0], refused("lb_add_del_vip_v2", Retval::VALUE_EXIST));
    assert_eq!(results[1], refused("lb_add_del_as_v2", Retval::NO_SUCH_ENTRY));
    assert_eq!(results[2], Ok(()));
    let state = client.read_state().await.unwrap();
    let retired = &state.vips[&web];
    assert_eq!(retired.servers.len(), 1);
    assert_eq!(retired.retired[0].address, ip("198.18.9.1"));

    let remove = vec![
        Step::RemoveServer { vip: web, server: ip("198.18.9.2"), flush: true },
        Step::RemoveServer { vip: all, server: ip("2001:db8:77:9::1"), flush: true },
        Step::RemoveVip(web),
        Step::RemoveVip(all),
        Step::SetConf(before.conf.known().unwrap()),
    ];
    done(&client, remove).await;
    assert!(!client.read_state().await.unwrap().vips.contains_key(&web));
    assert_eq!(client.close().await, EndReason::Left);
}

fn many(vips: u16, servers: u8) -> (Vec<Step>, Vec<Step>) {
    let (mut make, mut remove) = (Vec::new(), Vec::new());
    for n in 0..vips {
        let [high, low] = n.to_be_bytes();
        let vip = vip(&format!("198.19.{high}.{low}/32"), 6, 80);
        make.push(add(vip, Encap::Gre4));
        for m in 0..servers {
            let server = Ipv4Addr::new(198, 18, 9, m).into();
            make.push(Step::AddServer { vip, server, weight: weight(1) });
            remove.push(Step::RemoveServer { vip, server, flush: true });
        }
        remove.push(Step::RemoveVip(vip));
    }
    (make, remove)
}

/// Runs a line of VPP's CLI over a connection of its own.
fn cli(path: &Path, line: &str) -> String {
    let mut client = bare::VppClient::connect(path, BARE);
    let (retval, text) = client.cli(line);
    assert_eq!(retval, 0, "{line}: {text}");
    client.leave();
    text
}

/// The name of that connection's client.
const BARE: &str = "bare";

/// Names that VPP lists as connected beside the client that asks.
fn names(path: &Path) -> Vec<String> {
    let clients = parse_clients(&cli(path, "show api clients"));
    clients.into_iter().map(|client| client.name).filter(|name| name != BARE).collect()
}

/// Waits until VPP lists `name` no more.
fn reaped(path: &Path, name: &str) -> bool {
    let limit = Instant::now() + Duration::from_secs(1);
    while names(path).iter().any(|listed| listed == name) {
        if Instant::now() > limit {
            return false;
        }
    }
    true
}

/// A client that does the handshake, sends `more`, reads for a while, and closes
/// without a goodbye.
async fn foreign_client(path: &Path, more: impl FnOnce(u32) -> Vec<u8>, read: Option<&VppClient>) {
    let mut stream = UnixStream::connect(path).await.unwrap();
    let mut hello = vec![0; 16 + 70];
    hello[11] = 70;
    hello[17] = 15;
    hello[22..30].copy_from_slice(b"outsider");
    stream.write_all(&hello).await.unwrap();
    let mut got = Vec::new();
    let mut buffer = vec![0; 1 << 20];
    let full = |got: &[u8]| {
        got.len() >= 16 && {
            let length = u32::from_be_bytes(got[8..12].try_into().unwrap());
            got.len() >= 16 + length as usize
        }
    };
    let greeted = async {
        while !full(&got) {
            stream.readable().await.unwrap();
            if let Ok(count) = stream.try_read(&mut buffer) {
                got.extend_from_slice(&buffer[..count]);
            }
        }
    };
    soon(greeted).await.expect("VPP shakes hands");
    let index = u32::from_be_bytes(got[30..34].try_into().unwrap());
    stream.write_all(&more(index)).await.unwrap();
    if let Some(other) = read {
        // Once VPP has answered others twice, it has met our full buffer.
        for _ in 0..2 {
            other.ping().await.unwrap();
        }
        // Until VPP is silent for a moment: the dump has been taken in.
        let silence = async {
            while timeout(Duration::from_millis(200), stream.readable()).await.is_ok() {
                if matches!(stream.try_read(&mut buffer), Ok(0)) {
                    break;
                }
            }
        };
        soon(silence).await.expect("VPP ends its answer");
    }
}

#[tokio::test]
async fn a_large_state_is_read_without_leaving_dead_clients_behind() {
    let Some(vpp) = real_vpp().await else { return };
    let (make, remove) = many(300, 10);
    let first = sweep(&vpp.api).await;
    done(&first, make).await;
    for _ in 0..200 {
        let client = connect(&vpp.api).await;
        let seen = client.read_state().await.unwrap();
        assert!(seen.vips.len() >= 300 && seen.vips.values().all(|vip| vip.servers.len() <= 10));
        assert_eq!(client.close().await, EndReason::Left);
    }
    let start = Instant::now();
    let seen = first.read_state().await.unwrap();
    eprintln!("300 VIPs x 10 servers read in {:?}", start.elapsed());
    let rows: usize = seen.vips.values().map(|vip| vip.servers.len()).sum();
    assert!(rows >= 3000);
    assert_eq!(names(&vpp.api), ["maglevd"], "no dead client");

    // The buffer was never full: a client that just closes is noticed.
    foreign_client(&vpp.api, |_| Vec::new(), None).await;
    assert!(reaped(&vpp.api, "outsider"));
    // A handle that is dropped says goodbye as well.
    drop(connect(&vpp.api).await);
    done(&first, remove).await;
    assert_eq!(first.close().await, EndReason::Left);
}

#[tokio::test]
async fn connecting_frees_a_vpp_that_a_foreign_client_left_spinning() {
    let Some(vpp) = real_vpp().await else { return };
    let (make, remove) = many(1200, 0);
    let first = sweep(&vpp.api).await;
    done(&first, make).await;
    let dump = cli(&vpp.api, "show api message-table");
    let id: u16 = dump
        .lines()
        .find_map(|line| line.trim().strip_suffix(" lb_vip_dump")?.trim().parse().ok())
        .expect("the id of lb_vip_dump");
    let dumps = |index: u32| {
        let mut frames = Vec::new();
        for _ in 0..4 {
            frames.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 33, 0, 0, 0, 0]);
            frames.extend_from_slice(&id.to_be_bytes());
            frames.extend_from_slice(&index.to_be_bytes());
            frames.extend_from_slice(&[0; 27]);
        }
        frames
    };
    foreign_client(&vpp.api, dumps, Some(&first)).await;
    assert!(!reaped(&vpp.api, "outsider"), "VPP has the fault that the workaround is for");

    let second = connect(&vpp.api).await;
    assert!(second.reaped().iter().any(|client| client.name == "outsider"));
    assert!(reaped(&vpp.api, "outsider"));
    assert_eq!(second.close().await, EndReason::Left);
    foreign_client(&vpp.api, |_| Vec::new(), None).await;
    assert!(reaped(&vpp.api, "outsider"), "later plain closes are noticed");
    done(&first, remove).await;
    first.close().await;
}
