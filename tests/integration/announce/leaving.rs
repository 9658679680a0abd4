//! What leaves: a frontend by a reload, and the daemon by `--on-stop=withdraw`.

use rustix::process::Signal;
use serde_json::Value;

use super::daemon::{bed, file, placed};
use crate::support::{Daemon, TestBed, VIP4, VIP6};

/// The configuration without the frontend of the IPv4 VIP, which is the first.
fn without_first(bed: &TestBed) -> String {
    let (before, rest) = bed.text().split_once("  frontends:\n").unwrap();
    let (_, after) = rest.split_once("\n    v6:\n").unwrap();
    format!("{before}  frontends:\n    v6:\n{after}")
}

/// The record of this name, which a colon and a sentence follow.
async fn logged(daemon: &mut Daemon, name: &str) -> Value {
    let name = format!("{name}: ");
    let is_named = |record: &Value| record["msg"].as_str().is_some_and(|it| it.starts_with(&name));
    daemon.logged_as(&name, is_named).await
}

#[tokio::test]
async fn a_frontend_that_leaves_is_withdrawn_before_vpp_removes_its_vip() {
    let mut bed = bed(&["a", "b", "c"], "");
    let dataplane = bed.dataplane();
    let mut daemon = bed.start().await;
    placed(bed.dir(), &[VIP4, VIP6]).await;
    bed.write_config(&without_first(&bed));
    daemon.signal(Signal::HUP);
    dataplane.until("v6 a=100 b=100").await;
    let left = file(bed.dir(), "placed");
    assert!(!left.contains(VIP4) && left.contains(VIP6), "{left}");
    logged(&mut daemon, "vpp-lb-removals-wait").await;
    assert!(!daemon.everything().contains("vpp-lb-removed-announced"));
    daemon.terminate().await;
}

#[tokio::test]
async fn a_routing_daemon_that_hangs_keeps_no_vip_for_ever() {
    let mut bed = bed(&["a", "b", "c"], "");
    let dataplane = bed.dataplane();
    let mut daemon = bed.start().await;
    placed(bed.dir(), &[VIP4, VIP6]).await;
    std::fs::write(bed.dir().join("hang"), "").unwrap();
    bed.write_config(&without_first(&bed));
    daemon.signal(Signal::HUP);
    dataplane.until("v6 a=100 b=100").await;
    let record = logged(&mut daemon, "vpp-lb-removed-announced").await;
    assert_eq!(record["addresses"], VIP4);
    assert!(file(bed.dir(), "placed").contains(VIP4));
}

#[tokio::test]
async fn a_daemon_that_is_to_withdraw_when_it_stops_does_so_and_vpp_serves_on() {
    let mut bed = bed(&["a", "b", "c"], "");
    let dataplane = bed.dataplane();
    let mut daemon = bed.start_with(&["--on-stop=withdraw"]).await;
    placed(bed.dir(), &[VIP4, VIP6]).await;
    dataplane.until_both("a=100 b=100").await;
    daemon.signal(Signal::TERM);
    assert_eq!(daemon.ended().await.code(), Some(0));
    assert_eq!(file(bed.dir(), "placed").trim(), "[]");
    assert_eq!(daemon.records("announcements-withdrawn")[0]["addresses"], 2);
    assert_eq!(dataplane.held(), "v4 a=100 b=100 / v6 a=100 b=100");
}

#[tokio::test]
async fn what_could_not_be_withdrawn_is_told_by_the_log_and_the_exit_status() {
    let mut bed = bed(&["a", "b", "c"], "");
    let _dataplane = bed.dataplane();
    let mut daemon = bed.start_with(&["--on-stop=withdraw"]).await;
    placed(bed.dir(), &[VIP4, VIP6]).await;
    std::fs::write(bed.dir().join("hang"), "").unwrap();
    daemon.signal(Signal::TERM);
    assert_eq!(daemon.ended().await.code(), Some(3));
    let left = logged(&mut daemon, "announcements-left").await;
    assert_eq!((&left["driver"], &left["level"]), (&"command".into(), &"ERROR".into()));
    assert_eq!(left["addresses"], format!("{VIP4}, {VIP6}"));
}
