//! What only the embedded dataplane can do: misbehave on demand, crash and come
//! back, let time pass.

use std::io::ErrorKind;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use vpp_maglev::vpp::embedded::plugin::{PluginVipKey, from_ip};
use vpp_maglev::vpp::embedded::{
    Clock, Embedded, EmbeddedError, EmbeddedOptions, FaultCondition, InjectedFault, Paths,
    WriteRecord, WriteRequest,
};
use vpp_maglev::vpp::wire::*;

use crate::client::*;
use crate::stats::{COUNTERS, Stats};

fn start() -> Embedded {
    let options =
        EmbeddedOptions { clock: Clock::Manual, workers: 2, ..EmbeddedOptions::default() };
    Embedded::start_private(options).unwrap()
}

fn web() -> VipKey {
    vip("192.0.2.1/32", 6, 80)
}

#[test]
fn a_refusal_is_answered_and_not_done() {
    let vpp = start();
    let mut client = VppClient::connect(vpp.api_path(), "test");
    let control = vpp.control();
    control
        .inject(
            FaultCondition::message("lb_add_del_vip_v2").after(1).times(2),
            InjectedFault::Refuse(-12),
        )
        .unwrap();
    let ports = [80, 81, 82, 83].map(|port| add_vip(vip("192.0.2.1/32", 6, port), 0));
    assert_eq!(ports.map(|new| client.code(&new)), [0, -12, -12, 0]);
    assert_eq!(client.dump(&LbVipDump::ALL).len(), 2);
    let writes = control.take_writes().unwrap();
    assert_eq!(
        writes[1],
        WriteRecord { write: WriteRequest::Vip(ports[1]), retval: -12 },
        "refused writes are remembered too"
    );
    assert_eq!((writes.len(), control.writes().unwrap().len()), (4, 0));
}

#[test]
fn a_connection_is_dropped_before_or_after_the_deed() {
    let vpp = start();
    for (fault, vips) in [(InjectedFault::DropBefore, 0), (InjectedFault::DropAfter, 1)] {
        let mut client = VppClient::connect(vpp.api_path(), "test");
        vpp.control().inject(FaultCondition::message("lb_add_del_vip_v2"), fault).unwrap();
        client.send(&add_vip(web(), 0));
        assert_eq!(client.body(), None);
        assert_eq!(vpp.control().snapshot().unwrap().vips.len(), vips);
    }
    assert_eq!(vpp.control().received().unwrap()["lb_add_del_vip_v2"], 2);
}

#[test]
fn an_answer_is_lost_or_comes_late() {
    let vpp = start();
    let mut client = VppClient::connect(vpp.api_path(), "test");
    let control = vpp.control();
    control.inject(FaultCondition::message("lb_conf_get"), InjectedFault::LoseReply).unwrap();
    client.send(&LbConfGet);
    assert!(client.is_silent());
    control.inject(FaultCondition::message("lb_conf_get"), InjectedFault::HoldReply).unwrap();
    let late = client.send(&LbConfGet);
    assert!(client.is_silent());
    assert_eq!(control.snapshot().unwrap().held, 1);
    control.release().unwrap();
    client.reply::<LbConfGetReply>(late);
}

#[test]
fn a_frozen_vpp_answers_when_it_thaws() {
    let vpp = start();
    let mut client = VppClient::connect(vpp.api_path(), "test");
    vpp.control().freeze().unwrap();
    let context = client.send(&ControlPing);
    client.stream.set_nonblocking(true).unwrap();
    let mut byte = [0];
    let nothing = std::io::Read::read(&mut client.stream, &mut byte).unwrap_err();
    assert_eq!(nothing.kind(), ErrorKind::WouldBlock);
    client.stream.set_nonblocking(false).unwrap();
    vpp.control().thaw().unwrap();
    client.reply::<ControlPingReply>(context);
}

#[test]
fn what_kills_a_vpp_ends_the_connection_and_empties_it() {
    let vpp = start();
    let all_port_nat = vip("192.0.2.9/32", 255, 0);
    let deadly = LbAddDelVipV2 { new_flows_table_length: 0, ..add_vip(web(), 0) };
    for lethal_server in [false, true] {
        let mut client = VppClient::connect(vpp.api_path(), "test");
        assert_eq!(client.code(&add_vip(all_port_nat, 3)), 0);
        if lethal_server {
            client.send(&add_server(all_port_nat, "10.1.0.1", 1));
        } else {
            client.send(&deadly);
        }
        assert_eq!(client.body(), None);
        let snapshot = vpp.control().snapshot().unwrap();
        assert!(snapshot.running && snapshot.vips.is_empty() && snapshot.clients.is_empty());
    }
    vpp.control().inject(FaultCondition::NEXT.after(1), InjectedFault::Crash).unwrap();
    let mut client = VppClient::connect(vpp.api_path(), "test");
    client.send(&ControlPing);
    assert_eq!(client.body(), None);
}

/// A real VPP accepts it too, and writes past the end of its FIB's tables: it
/// dies of that later.
#[test]
fn prefix_lengths_are_not_checked() {
    let vpp = start();
    let mut client = VppClient::connect(vpp.api_path(), "test");
    let cases = [("192.0.2.77/33", "0.0.0.0/33"), ("2001:db8::1/129", "2001:db8::/129")];
    for (sent, listed) in cases {
        assert_eq!(client.code(&add_vip(vip(sent, 6, 80), 0)), 0);
        assert_eq!(client.dump(&LbVipDump::ALL)[0].vip, vip(listed, 6, 80));
        assert_eq!(client.code(&del_vip(vip(sent, 6, 80))), 0);
    }
}

#[test]
fn a_vpp_stops_is_killed_and_comes_back() {
    let vpp = start();
    let refused = || UnixStream::connect(vpp.api_path()).unwrap_err().kind();
    let mut client = VppClient::connect(vpp.api_path(), "test");
    vpp.control().stop().unwrap();
    assert_eq!(client.body(), None);
    assert_eq!(refused(), ErrorKind::NotFound);
    vpp.control().restart().unwrap();
    let mut client = VppClient::connect(vpp.api_path(), "test");
    vpp.control().kill().unwrap();
    assert_eq!(client.body(), None);
    assert_eq!(refused(), ErrorKind::ConnectionRefused);
    vpp.control().restart().unwrap();
    let mut client = VppClient::connect(vpp.api_path(), "test");
    vpp.control().disconnect().unwrap();
    assert_eq!(client.body(), None);
    VppClient::connect(vpp.api_path(), "test").leave();
}

#[test]
fn socket_files_are_replaced_only_if_nobody_listens() {
    let dir = tempfile::tempdir().unwrap();
    let paths = Paths::in_dir(dir.path());
    let start = || Embedded::start(paths.clone(), EmbeddedOptions::default());
    let first = start().unwrap();
    assert!(matches!(start(), Err(EmbeddedError::InUse(path)) if path == paths.api));
    VppClient::connect(first.api_path(), "undisturbed").leave();
    first.control().kill().unwrap();
    let second = start().unwrap();
    VppClient::connect(second.api_path(), "test").leave();
    drop(first);
    assert!(paths.api.exists(), "it is not the first one's file any more");
    drop(second);
    assert!(!paths.api.exists() && !paths.stats.exists());
    std::fs::write(&paths.api, "mine").unwrap();
    assert!(matches!(start(), Err(EmbeddedError::NotASocket(path)) if path == paths.api));
    let nowhere = Paths::in_dir(&dir.path().join("nowhere"));
    assert!(matches!(
        Embedded::start(nowhere, EmbeddedOptions::default()),
        Err(EmbeddedError::Bind { .. })
    ));
}

#[test]
fn a_handle_of_a_dropped_vpp_says_so() {
    let vpp = start();
    let control = vpp.control();
    let path = vpp.api_path().to_owned();
    drop(vpp);
    assert!(matches!(control.snapshot(), Err(EmbeddedError::Gone)));
    assert!(!path.parent().unwrap().exists());
}

#[test]
fn an_older_vpp_lacks_messages() {
    let options =
        EmbeddedOptions { without: vec!["lb_as_set_weight"], ..EmbeddedOptions::default() };
    let vpp = Embedded::start_private(options).unwrap();
    let client = VppClient::connect(vpp.api_path(), "test");
    assert_eq!(client.table.id_of::<LbAsSetWeight>(), None);
    assert!(client.table.id_of::<LbAddDelAsV2>().is_some());
}

#[test]
fn time_collects_what_was_removed() {
    let vpp = start();
    let mut client = VppClient::connect(vpp.api_path(), "test");
    assert_eq!(client.code(&add_vip(web(), 0)), 0);
    for server in ["10.1.0.1", "10.1.0.2"] {
        assert_eq!(client.code(&add_server(web(), server, 100)), 0);
    }
    let control = vpp.control();
    let key = PluginVipKey::from_wire(web());
    control
        .edit(move |plugin, _| plugin.put_flows(key, from_ip([10, 1, 0, 1].into()), 5))
        .unwrap()
        .unwrap();
    control.advance(Duration::from_secs(7)).unwrap();
    for server in ["10.1.0.1", "10.1.0.2"] {
        assert_eq!(client.code(&del_server(web(), server)), 0);
    }
    let removed = client.dump(&LbAsV2Dump::ALL);
    assert!(removed.iter().all(|row| (row.flags, row.in_use_since) == (0, 7)));
    control.advance(Duration::from_secs(120)).unwrap();
    let left = client.dump(&LbAsV2Dump::ALL);
    assert_eq!((left.len(), left[0].app_srv), (1, address("10.1.0.1")), "flows lead to it");
    let verbose = client.cli("show lb vips verbose").1;
    assert!(verbose.contains("10.1.0.1 weight:100 buckets:0 flows:5 "), "{verbose}");
}

#[test]
fn packets_of_flows_are_counted_by_server() {
    let vpp = start();
    let mut client = VppClient::connect(vpp.api_path(), "test");
    assert_eq!(client.code(&add_vip(web(), 0)), 0);
    assert_eq!(client.code(&add_server(web(), "10.1.0.1", 100)), 0);
    let server = from_ip([10, 1, 0, 1].into());
    let mut text = || client.cli("show load-balance 12").1.lines().next().unwrap().to_owned();
    assert!(text().ends_with("index:12 buckets:1 uRPF:13 to:[0:0]]"), "{}", text());
    let key = PluginVipKey::from_wire(web());
    vpp.control().edit(move |plugin, _| plugin.put_flows(key, server, 5)).unwrap().unwrap();
    vpp.control().edit(move |plugin, _| plugin.send_packets(server, 20)).unwrap();
    assert!(text().ends_with("to:[0:0] via:[25:3100]]"), "{}", text());
}

#[test]
fn packets_are_counted_in_the_segment_of_the_running_process() {
    let vpp = start();
    let mut client = VppClient::connect(vpp.api_path(), "test");
    let control = vpp.control();
    let stats = Stats::open(vpp.stats_path());
    assert_eq!(stats.counter(COUNTERS[0], 1), None, "not before the first VIP");
    assert_eq!(stats.find("/sys/num_worker_threads"), Some((9, 2)));
    let epoch = stats.epoch();
    for port in 1..=20 {
        assert_eq!(client.code(&add_vip(vip("192.0.2.1/32", 6, port), 0)), 0);
    }
    let key = PluginVipKey::from_wire(vip("192.0.2.1/32", 6, 20));
    control.edit(move |plugin, _| plugin.count_packets(key, [1, 2, 3, 4])).unwrap().unwrap();
    assert_eq!(COUNTERS.map(|name| stats.counter(name, 20)), [1, 2, 3, 4].map(Some));
    assert_eq!(stats.counter(COUNTERS[1], 19), Some(0));
    assert!(stats.epoch() > epoch);
    control.advance(Duration::from_secs(35)).unwrap();
    assert_eq!(stats.find("/sys/heartbeat"), Some((1, 3)));

    control.restart().unwrap();
    assert_eq!(stats.counter(COUNTERS[1], 20), Some(2), "a dead VPP's segment stays as it was");
    assert_eq!(Stats::open(vpp.stats_path()).find(COUNTERS[0]), None);
}

#[test]
fn something_to_wait_for_changes_with_everything_that_happens() {
    let vpp = start();
    let activity = vpp.control().activity();
    let before = *activity.borrow();
    VppClient::connect(vpp.api_path(), "test").leave();
    assert!(*activity.borrow() > before);
}
