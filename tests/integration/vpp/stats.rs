//! The stats segment over its real socket: on the embedded dataplane, and on
//! the VPP whose sockets `MAGLEV_TEST_VPP_API` and `MAGLEV_TEST_VPP_STATS`
//! name. Without them the real part says that it was skipped. It uses VIPs in
//! 198.19.77.0/24, and removes them.

use std::num::NonZeroU16;
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::support::vpp::real_vpp;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketType};
use vpp_maglev::domain::dataplane::net::{Encap, Service, TableLength, Vip};
use vpp_maglev::domain::dataplane::step::{Step, VipSpec};
use vpp_maglev::vpp::client::{ClientOptions, VppClient};
use vpp_maglev::vpp::embedded::plugin::PluginVipKey;
use vpp_maglev::vpp::embedded::{Control, Embedded, EmbeddedOptions};
use vpp_maglev::vpp::stats::{StatsError, StatsSegment, VipCounters, slots};

use super::bare;

const UDP: u8 = 17;

fn vip(last: u8) -> Vip {
    let service = Service::Port { protocol: UDP, port: NonZeroU16::new(77).unwrap() };
    Vip::new(format!("198.19.77.{last}/32").parse().unwrap(), service)
}

fn add(vip: Vip) -> Step {
    let table_length = TableLength::DEFAULT;
    Step::AddVip(VipSpec { vip, encap: Encap::Gre4, src_ip_sticky: false, table_length })
}

async fn write(client: &VppClient, steps: Vec<Step>) {
    for result in client.apply(steps, false).await {
        result.unwrap();
    }
}

/// What is counted for a VIP; `None`: it has no certain slot.
async fn counted(client: &VppClient, segment: &StatsSegment, vip: Vip) -> Option<VipCounters> {
    let listing = client.read_verbose().await.unwrap().unwrap();
    segment.slot_counters().unwrap().get(*slots(&listing).get(&vip)?)
}

/// Lets packets come, and waits until they are in the segment.
fn packets(control: &Control, vip: Vip, counts: [u64; 4]) {
    let key = PluginVipKey::from_wire(vip.into());
    control.edit(move |plugin, _| plugin.count_packets(key, counts)).unwrap().unwrap();
    control.snapshot().unwrap();
}

fn counters([next, first, untracked, no_server]: [u64; 4]) -> Option<VipCounters> {
    Some(VipCounters { next, first, untracked, no_server })
}

#[tokio::test]
async fn each_vip_has_the_packets_of_its_own_slot() {
    let vpp = Embedded::start_private(EmbeddedOptions { workers: 2, ..EmbeddedOptions::default() })
        .unwrap();
    let client = VppClient::connect(vpp.api_path(), ClientOptions::default()).await.unwrap();
    let process = client.peer_process();
    assert_eq!(process, i32::try_from(std::process::id()).ok());
    let segment = StatsSegment::connect(vpp.stats_path(), process).await.unwrap();
    let none = segment.slot_counters().unwrap();
    assert_eq!(none.get(1), counters([0; 4]), "no VIP was ever added");
    let age = segment.boot_time().unwrap().unwrap().elapsed().unwrap();
    assert!(age < Duration::from_secs(60), "{age:?}");

    let (a, b, c) = (vip(1), vip(2), vip(3));
    write(&client, vec![add(a), add(b)]).await;
    packets(&vpp.control(), a, [1, 2, 3, 4]);
    packets(&vpp.control(), b, [10, 20, 30, u64::MAX]);
    assert_eq!(counted(&client, &segment, a).await, counters([1, 2, 3, 4]));
    assert_eq!(counted(&client, &segment, b).await, counters([10, 20, 30, u64::MAX]));

    // A's slot is collected and taken by C, whose counters start anew.
    write(&client, vec![Step::RemoveVip(a)]).await;
    assert_eq!(counted(&client, &segment, a).await, None, "deleted");
    vpp.control().advance(Duration::from_secs(200)).unwrap();
    write(&client, vec![add(c)]).await;
    assert_eq!(counted(&client, &segment, c).await, counters([0; 4]));
    assert_eq!(counted(&client, &segment, b).await, counters([10, 20, 30, u64::MAX]));
    assert!(segment.heartbeat().unwrap() >= Some(20));

    // The vectors move when there are more slots than ever.
    write(&client, (4..40).map(|last| add(vip(last))).collect()).await;
    packets(&vpp.control(), vip(39), [5, 6, 7, 8]);
    assert_eq!(counted(&client, &segment, vip(39)).await, counters([5, 6, 7, 8]));
    client.close().await;
}

#[tokio::test]
async fn a_restarted_vpp_has_a_segment_of_its_own() {
    let vpp = Embedded::start_private(EmbeddedOptions::default()).unwrap();
    let client = VppClient::connect(vpp.api_path(), ClientOptions::default()).await.unwrap();
    let old = StatsSegment::connect(vpp.stats_path(), None).await.unwrap();
    write(&client, vec![add(vip(1))]).await;
    packets(&vpp.control(), vip(1), [9; 4]);
    vpp.control().restart().unwrap();
    client.ended().await;

    let client = VppClient::connect(vpp.api_path(), ClientOptions::default()).await.unwrap();
    let new = StatsSegment::connect(vpp.stats_path(), client.peer_process()).await.unwrap();
    write(&client, vec![add(vip(1))]).await;
    assert_eq!(counted(&client, &new, vip(1)).await, counters([0; 4]));
    assert_eq!(old.slot_counters().unwrap().get(1), counters([9; 4]), "as its VPP left it");
    client.close().await;
}

fn listen(path: &Path) -> std::os::fd::OwnedFd {
    let socket = rustix::net::socket(AddressFamily::UNIX, SocketType::SEQPACKET, None).unwrap();
    rustix::net::bind(&socket, &SocketAddrUnix::new(path).unwrap()).unwrap();
    rustix::net::listen(&socket, 1).unwrap();
    socket
}

// The wait for one who sends nothing is passed over in no time.
#[tokio::test(start_paused = true)]
async fn a_silent_socket_is_not_waited_for_for_long() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("stats.sock");
    let _listener = listen(&path);
    let silent = StatsSegment::connect(&path, None).await.unwrap_err();
    assert_eq!(silent, StatsError::Silent { path });
}

#[tokio::test]
async fn a_socket_that_gives_no_segment_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("stats.sock");
    let there = || path.clone();
    let refused = async || StatsSegment::connect(&path, None).await.unwrap_err();
    assert_eq!(refused().await, StatsError::NotThere { path: there() });

    let listener = listen(&path);
    let wrong = StatsSegment::connect(&path, Some(1)).await.unwrap_err();
    let ours = i32::try_from(std::process::id()).unwrap();
    assert_eq!(wrong, StatsError::OtherProcess { path: there(), api: 1, stats: ours });
    drop(listener);
    assert_eq!(refused().await, StatsError::Refused { path: there() });

    for data in [&b""[..], b"hello"] {
        std::fs::remove_file(&path).unwrap();
        let listener = listen(&path);
        let server = std::thread::spawn(move || {
            let client = rustix::net::accept(&listener).unwrap();
            rustix::net::send(&client, data, rustix::net::SendFlags::empty()).unwrap();
        });
        assert_eq!(refused().await, StatsError::NotStats { path: there() }, "no descriptor");
        server.join().unwrap();
    }

    let vpp = Embedded::start_private(EmbeddedOptions::default()).unwrap();
    let api = vpp.api_path();
    let wrong = StatsSegment::connect(api, None).await.unwrap_err();
    assert_eq!(wrong, StatsError::NotStats { path: api.into() }, "a stream socket");
}

fn cli(bare: &mut bare::VppClient, line: &str) -> String {
    let (retval, text) = bare.cli(line);
    assert_eq!(retval, 0, "{line}: {text}");
    text
}

/// The counters that VPP's own CLI prints for a VIP.
fn printed(bare: &mut bare::VppClient, vip: Vip) -> Option<VipCounters> {
    let text = cli(bare, "show lb vips verbose");
    let prefix = format!("] {}", vip.prefix());
    let mut lines = text.lines().skip_while(|line| !line.ends_with(&prefix));
    let mut number = |name: &str| {
        let line = lines.find_map(|line| line.trim().strip_prefix(name))?;
        line.strip_prefix(": ")?.parse().ok()
    };
    Some(VipCounters {
        next: number("packet from existing sessions")?,
        first: number("first session packet")?,
        untracked: number("untracked packet")?,
        no_server: number("no server configured")?,
    })
}

#[tokio::test]
async fn a_real_vpp_counts_the_same_in_its_segment_and_in_its_cli() {
    let Some(vpp) = real_vpp().await else { return };
    let Some(stats) = &vpp.stats else {
        return println!("skipped: MAGLEV_TEST_VPP_STATS does not name a VPP's stats socket");
    };
    let client = VppClient::connect(&vpp.api, ClientOptions::default()).await.unwrap();
    let segment = StatsSegment::connect(stats, client.peer_process()).await.unwrap();
    let mut bare = bare::VppClient::connect(&vpp.api, "bare");
    let booted = segment.boot_time().unwrap().expect("VPP has noted it by now");
    assert!(booted <= SystemTime::now() + Duration::from_secs(2));
    assert!(segment.heartbeat().unwrap().is_some());

    let (served, empty) = (vip(1), vip(2));
    let server = "198.19.77.201".parse().unwrap();
    // What a run that failed has left.
    client.apply(vec![Step::RemoveVip(served), Step::RemoveVip(empty)], false).await;
    let weight = vpp_maglev::domain::dataplane::net::Weight::try_from(100).unwrap();
    let steps = vec![add(served), add(empty), Step::AddServer { vip: served, server, weight }];
    write(&client, steps).await;

    cli(&mut bare, "create packet-generator interface pg77");
    cli(&mut bare, "set interface state pg77 up");
    for (name, vip) in [("served", served), ("empty", empty)] {
        let line = format!(
            "packet-generator new {{ name {name} limit 60 size 64-64 interface pg77 \
             node ip4-lookup data {{ UDP: 198.51.100.1 - 198.51.100.20 -> {} \
             UDP: 1234 -> 77 incrementing 30 }} }}",
            vip.prefix().addr()
        );
        cli(&mut bare, &line);
        cli(&mut bare, &format!("packet-generator enable-stream {name}"));
    }
    // Each call is a turn of VPP's main loop, in which packets flow too.
    let total = |counted: Option<VipCounters>| {
        counted.map_or(0, |c| c.next + c.first + c.untracked + c.no_server)
    };
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while total(printed(&mut bare, served)) < 60 || total(printed(&mut bare, empty)) < 60 {
        assert!(std::time::Instant::now() < deadline, "the packets do not come");
    }
    for vip in [served, empty] {
        let counted = counted(&client, &segment, vip).await;
        assert_eq!(counted, printed(&mut bare, vip));
        assert_eq!(total(counted), 60, "{counted:?}");
    }
    assert_eq!(counted(&client, &segment, served).await.unwrap().no_server, 0);
    assert!(counted(&client, &segment, empty).await.unwrap().no_server > 0);

    for name in ["served", "empty"] {
        cli(&mut bare, &format!("packet-generator delete {name}"));
    }
    let gone = vec![
        Step::RemoveServer { vip: served, server, flush: true },
        Step::RemoveVip(served),
        Step::RemoveVip(empty),
    ];
    write(&client, gone).await;
    assert_eq!(counted(&client, &segment, served).await, None);
    bare.leave();
    client.close().await;
}
