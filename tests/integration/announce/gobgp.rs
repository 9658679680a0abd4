//! The GoBGP driver with a real gobgpd (version 3).

use std::process::Command;

use vpp_maglev::announce::{GobgpDriver, GobgpOptions, RouteDriver};
use vpp_maglev::domain::announce::placement::{
    Exported, PlacedRoute, PrefixStatus, RoutePlacement, WantedRoutes,
};

use super::support::{
    Bed, Daemon, Monitor, RouteEvent, assert_placed, five_hundred, prefix, seen, wanted,
};
use crate::support::soon;
use crate::support::wait::{DEADLINE, eventually};
use RouteEvent::{Came, Went};

const V4: &str = "192.0.2.1/32";
const V6: &str = "2001:db8:99::1/128";

const SITE: &str = r#"
[global.config]
  as = 65001
  router-id = "198.18.79.2"
[[neighbors]]
  [neighbors.config]
    neighbor-address = "198.18.79.1"
    peer-as = 65000
  [neighbors.timers.config]
    connect-retry = 1
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "ipv4-unicast"
[[neighbors]]
  [neighbors.config]
    neighbor-address = "fd00:6d79::1"
    peer-as = 65000
  [neighbors.timers.config]
    connect-retry = 1
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "ipv6-unicast"
"#;

pub(super) fn gobgpd(bed: &Bed) -> Daemon {
    let socket = bed.path("gobgp.sock");
    // It does not start where one is left.
    let _ = std::fs::remove_file(&socket);
    gobgpd_at(bed, &format!("unix://{}", socket.display()))
}

/// With its API there.
pub(super) fn gobgpd_at(bed: &Bed, api: &str) -> Daemon {
    let file = bed.path("gobgp.toml");
    std::fs::write(&file, SITE).unwrap();
    let words = format!("gobgpd -f {} --api-hosts={api} --pprof-disable", file.display());
    Daemon::start(&bed.site, &words, &bed.path("gobgp.log"))
}

pub(super) fn driver(bed: &Bed) -> RouteDriver {
    let address = format!("unix:{}", bed.path("gobgp.sock").display());
    RouteDriver::Gobgp(GobgpDriver::new(GobgpOptions { address, ..GobgpOptions::default() }))
}

fn both(is_drained: bool) -> WantedRoutes {
    wanted(&[(V4, is_drained), (V6, is_drained)])
}

/// A site whose routes have come to the router, and the router's monitor.
async fn announced(bed: &Bed) -> (Daemon, Monitor, RouteDriver) {
    let mut monitor = bed.monitor().await;
    let daemon = gobgpd(bed);
    let driver = driver(bed);
    daemon.answers(&bed.path("gobgp.sock")).await;
    placed(&driver, &both(false)).await;
    monitor.count(2, true).await;
    (daemon, monitor, driver)
}

/// Applies until it is placed: gobgpd answers before it has read its configuration.
async fn placed(driver: &RouteDriver, wanted: &WantedRoutes) {
    let is_placed = async || match driver.apply(wanted).await {
        Ok(report) => report.statuses.values().all(|it| matches!(it, PrefixStatus::Placed { .. })),
        Err(_) => false,
    };
    eventually("routes that are placed", DEADLINE, is_placed).await;
}

#[tokio::test]
async fn vips_are_announced_drained_without_a_withdraw_and_withdrawn() {
    let Some(bed) = Bed::make(&["gobgpd"]) else { return };
    let (_daemon, mut monitor, driver) = announced(&bed).await;
    for is_drained in [true, false] {
        let report = driver.apply(&both(is_drained)).await.unwrap();
        assert_placed(&report);
        assert_eq!(report.writes, 2);
        let events = seen(&mut monitor, &driver, &both(is_drained)).await;
        assert!(!events.iter().any(|it| matches!(it, Went(_))), "{events:?}");
        for prefix in [V4, V6] {
            let shown = bed.birdc("router", &format!("show route for {prefix} all"));
            let has = |text: &str| shown.contains(text);
            assert_eq!(has("BGP.as_path: 65001 65001 65001"), is_drained, "{shown}");
            assert_eq!(has("(65535,0)"), is_drained, "{shown}");
            assert!(has("(64512,4242)") && has("BGP.origin: IGP"), "{shown}");
        }
    }
    let exported =
        PlacedRoute { exported: Exported::Yes, ..PlacedRoute::ours(RoutePlacement::Announced) };
    let read = driver.read().await.unwrap();
    assert_eq!(read, [V4, V6].map(|text| (prefix(text), exported)).into());
    // Once more, and by a later daemon: nothing is written.
    assert_eq!(self::driver(&bed).apply(&both(false)).await.unwrap().writes, 0);
    let report = driver.apply(&WantedRoutes::new()).await.unwrap();
    assert_placed(&report);
    monitor.count(2, false).await;
}

#[tokio::test]
async fn a_path_of_the_operator_s_blocks_and_stays() {
    let Some(bed) = Bed::make(&["gobgpd", "gobgp"]) else { return };
    let (_daemon, mut monitor, driver) = announced(&bed).await;
    let foreign = prefix("192.0.2.9/32");
    let gobgp = |words: &str| {
        let socket = format!("unix://{}", bed.path("gobgp.sock").display());
        let mut command = Command::new("gobgp");
        let output = command.arg("--target").arg(socket).args(words.split(' ')).output().unwrap();
        assert!(output.status.success(), "{words}: {output:?}");
    };
    gobgp("global rib add 192.0.2.9/32 origin igp nexthop 198.18.79.2");
    monitor.until(Came(foreign)).await;
    let mut more = both(false);
    more.insert(foreign, RoutePlacement::Drained);
    let report = driver.apply(&more).await.unwrap();
    assert_eq!((&report.statuses[&foreign], report.writes), (&PrefixStatus::Blocked, 0));
    driver.apply(&WantedRoutes::new()).await.unwrap();
    monitor.until(Went(prefix(V6))).await;
    assert_eq!(driver.read().await.unwrap(), [(foreign, PlacedRoute::foreign())].into());
    // One of ours that he removes is told.
    placed(&driver, &both(false)).await;
    let mut watch = driver.changes();
    soon(watch.changed()).await.unwrap();
    gobgp("global rib del 192.0.2.1/32 nexthop 0.0.0.0 origin igp");
    soon(watch.changed()).await.expect("the watch tells nothing");
    placed(&driver, &both(false)).await;
}

#[tokio::test]
async fn what_gobgpd_forgets_at_a_crash_is_told_and_put_again() {
    let Some(bed) = Bed::make(&["gobgpd"]) else { return };
    let (daemon, mut monitor, driver) = announced(&bed).await;
    let mut watch = driver.changes();
    soon(watch.changed()).await.expect("it does not watch");
    daemon.kill();
    soon(watch.changed()).await.expect("it does not tell that gobgpd went");
    monitor.count(2, false).await;
    let error = driver.apply(&both(false)).await.unwrap_err().to_string();
    assert!(error.contains("is gobgpd running, and with --api-hosts"), "{error}");
    let _again = gobgpd(&bed);
    soon(watch.changed()).await.expect("it does not tell that gobgpd came");
    placed(&driver, &both(false)).await;
    monitor.count(2, true).await;
}

#[tokio::test]
async fn five_hundred_go_in_one_call_and_one_of_them_touches_one() {
    let Some(bed) = Bed::make(&["gobgpd"]) else { return };
    let (_daemon, mut monitor, driver) = announced(&bed).await;
    let mut all = five_hundred();
    assert_placed(&driver.apply(&all).await.unwrap());
    monitor.count(499, true).await;
    seen(&mut monitor, &driver, &all).await;
    let one = prefix("2001:db8:99::64/128");
    all.remove(&one);
    driver.apply(&all).await.unwrap();
    assert_eq!(seen(&mut monitor, &driver, &all).await, [Went(one)]);
}
