//! The netlink driver with a real BIRD that learns from the table.

use vpp_maglev::announce::{NetlinkDriver, NetlinkOptions, RouteDriver};
use vpp_maglev::domain::announce::placement::{PrefixStatus, WantedRoutes};

use super::support::{
    Bed, Daemon, Monitor, RouteEvent, assert_placed, five_hundred, ip, prefix, seen, wanted,
};
use crate::support::soon;
use RouteEvent::{Came, Went};

/// As docs/announce.md has it, with the test's neighbors. Scans are so seldom that
/// no test could wait for one.
pub(crate) const SITE: &str = "\
router id 198.18.79.2;
protocol device { }
ipv4 table maglev4t;
ipv6 table maglev6t;
protocol kernel maglev4k { learn; kernel table 4242; scan time 3600;
  ipv4 { table maglev4t; import where net ~ [ 192.0.2.0/24{32,32} ]; export none; }; }
protocol kernel maglev6k { learn; kernel table 4242; scan time 3600;
  ipv6 { table maglev6t; import where net ~ [ 2001:db8:99::/48{128,128} ]; export none; }; }
protocol pipe maglev4 { table master4; peer table maglev4t; import all; export none; }
protocol pipe maglev6 { table master6; peer table maglev6t; import all; export none; }
filter maglev_out {
  if proto !~ \"maglev*\" then reject;
  if krt_metric = 2000 then {
    bgp_path.prepend(65001); bgp_path.prepend(65001); bgp_community.add((65535,0));
  }
  accept;
}
template bgp up { local as 65001; connect delay time 1; connect retry time 1;
  error wait time 1,1; graceful restart off; }
protocol bgp r4 from up { neighbor 198.18.79.1 as 65000;
  ipv4 { import none; export filter maglev_out; next hop self; }; }
protocol bgp r6 from up { neighbor fd00:6d79::1 as 65000;
  ipv6 { import none; export filter maglev_out; next hop self; }; }
";

const V4: &str = "192.0.2.1/32";
const V6: &str = "2001:db8:99::1/128";

pub(super) fn driver(bed: &Bed) -> RouteDriver {
    let namespace = Some(bed.site_namespace());
    RouteDriver::Netlink(NetlinkDriver::new(NetlinkOptions { namespace, ..Default::default() }))
}

/// A site whose routes have come to the router, and the router's monitor.
async fn announced(bed: &Bed) -> (Daemon, Monitor, RouteDriver) {
    let mut monitor = bed.monitor().await;
    let bird = bed.bird(&bed.site, "site", SITE);
    let driver = driver(bed);
    let report = driver.apply(&both(false)).await.unwrap();
    assert_placed(&report);
    assert_eq!(report.writes, 2);
    monitor.count(2, true).await;
    (bird, monitor, driver)
}

fn both(is_drained: bool) -> WantedRoutes {
    wanted(&[(V4, is_drained), (V6, is_drained)])
}

#[tokio::test]
async fn vips_are_announced_drained_without_a_withdraw_and_withdrawn() {
    let Some(bed) = Bed::make(&[]) else { return };
    let (_bird, mut monitor, driver) = announced(&bed).await;
    for is_drained in [true, false] {
        let report = driver.apply(&both(is_drained)).await.unwrap();
        assert_placed(&report);
        let events = seen(&mut monitor, &driver, &both(is_drained)).await;
        assert!(!events.iter().any(|it| matches!(it, Went(_))), "{events:?}");
        for prefix in [V4, V6] {
            let shown = bed.birdc("router", &format!("show route for {prefix} all"));
            let is_prepended = shown.contains("BGP.as_path: 65001 65001 65001");
            assert_eq!(is_prepended, is_drained, "{shown}");
        }
    }
    let report = driver.apply(&WantedRoutes::new()).await.unwrap();
    assert_eq!(
        report.statuses,
        [V4, V6].map(|text| (prefix(text), PrefixStatus::Withdrawn)).into()
    );
    monitor.count(2, false).await;
    assert_eq!(driver.read().await.unwrap(), Default::default());
}

#[tokio::test]
async fn a_later_daemon_adopts_what_is_there_and_routers_see_nothing() {
    let Some(bed) = Bed::make(&[]) else { return };
    let (_bird, mut monitor, first) = announced(&bed).await;
    let before = first.read().await.unwrap();
    drop(first);
    let second = driver(&bed);
    assert_eq!(second.read().await.unwrap(), before);
    let report = second.apply(&both(false)).await.unwrap();
    assert_placed(&report);
    assert_eq!(report.writes, 0);
    assert_eq!(seen(&mut monitor, &second, &both(false)).await, []);
}

#[tokio::test]
async fn a_route_that_somebody_removes_is_told_and_comes_back() {
    let Some(bed) = Bed::make(&[]) else { return };
    let (_bird, mut monitor, driver) = announced(&bed).await;
    let mut watch = driver.changes();
    soon(watch.changed()).await.unwrap();
    ip(&format!("-n {} route flush table 4242", bed.site));
    monitor.until(Went(prefix(V4))).await;
    soon(watch.changed()).await.expect("the watch tells nothing");
    let report = driver.apply(&both(false)).await.unwrap();
    assert_placed(&report);
    monitor.until(Came(prefix(V4))).await;
}

#[tokio::test]
async fn bird_announces_again_by_itself_after_a_crash() {
    let Some(bed) = Bed::make(&[]) else { return };
    let (bird, mut monitor, _driver) = announced(&bed).await;
    bird.kill();
    monitor.count(2, false).await;
    let _again = bed.bird(&bed.site, "site", SITE);
    monitor.count(2, true).await;
}

#[tokio::test]
async fn five_hundred_at_once_lose_nothing_and_one_of_them_touches_one() {
    let Some(bed) = Bed::make(&[]) else { return };
    let (_bird, mut monitor, driver) = announced(&bed).await;
    let mut all = five_hundred();
    let report = driver.apply(&all).await.unwrap();
    assert_placed(&report);
    // One was there.
    monitor.count(499, true).await;
    seen(&mut monitor, &driver, &all).await;
    let one = prefix("2001:db8:99::64/128");
    all.remove(&one);
    driver.apply(&all).await.unwrap();
    assert_eq!(seen(&mut monitor, &driver, &all).await, [Went(one)]);
    driver.apply(&WantedRoutes::new()).await.unwrap();
    monitor.count(499, false).await;
}
