//! The netlink driver with a real FRR that redistributes from the main table.

use std::fs;
use std::os::unix::fs::chown;
use std::path::PathBuf;
use std::process::Command;

use vpp_maglev::announce::{MAIN_TABLE, NetlinkDriver, NetlinkOptions, RouteDriver};
use vpp_maglev::domain::announce::placement::WantedRoutes;

use super::support::{Bed, Daemon, Monitor, RouteEvent, assert_placed, prefix, wanted};
use crate::support::probe::missing;

const V4: &str = "192.0.2.1/32";
const V6: &str = "2001:db8:99::1/128";

/// As docs/announce.md has it, with the test's neighbors.
const SITE: &str = "\
ip prefix-list MAGLEV4 seq 5 permit 192.0.2.0/24 ge 32
ipv6 prefix-list MAGLEV6 seq 5 permit 2001:db8:99::/48 ge 128
route-map MAGLEV4 permit 5
 match ip address prefix-list MAGLEV4
 match metric 2000
 set metric 0
 set origin igp
 set community 65535:0
 set as-path prepend 65001 65001
route-map MAGLEV4 permit 10
 match ip address prefix-list MAGLEV4
 set metric 0
 set origin igp
route-map MAGLEV6 permit 5
 match ipv6 address prefix-list MAGLEV6
 match metric 2000
 set metric 0
 set origin igp
 set community 65535:0
 set as-path prepend 65001 65001
route-map MAGLEV6 permit 10
 match ipv6 address prefix-list MAGLEV6
 set metric 0
 set origin igp
router bgp 65001
 bgp router-id 198.18.79.2
 no bgp ebgp-requires-policy
 bgp graceful-restart-disable
 neighbor 198.18.79.1 remote-as 65000
 neighbor 198.18.79.1 timers connect 1
 neighbor fd00:6d79::1 remote-as 65000
 neighbor fd00:6d79::1 timers connect 1
 address-family ipv4 unicast
  redistribute kernel route-map MAGLEV4
  no neighbor fd00:6d79::1 activate
 address-family ipv6 unicast
  redistribute kernel route-map MAGLEV6
  neighbor fd00:6d79::1 activate
";

/// zebra and bgpd without their init, in a directory of their user's.
pub(super) struct Frr {
    _zebra: Daemon,
    _bgpd: Daemon,
}

const PROGRAMS: [&str; 2] = ["/usr/lib/frr/zebra", "/usr/lib/frr/bgpd"];

pub(super) async fn frr(bed: &Bed) -> Frr {
    let directory = bed.path("frr");
    fs::create_dir(&directory).unwrap();
    let user = |flag: &str| {
        let output = Command::new("id").args([flag, "frr"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
    };
    chown(&directory, Some(user("-u")), Some(user("-g"))).unwrap();
    let path = |name: &str| -> PathBuf { directory.join(name) };
    let start = |program: &str, name: &str| {
        let words = format!(
            "{program} -A 127.0.0.1 -z {} --vty_socket {} -i {} --log stdout",
            path("zserv").display(),
            directory.display(),
            path(name).display()
        );
        Daemon::start(&bed.site, &words, &bed.path(name))
    };
    let zebra = start(PROGRAMS[0], "zebra.pid");
    zebra.answers(&path("zserv")).await;
    let bgpd = start(&format!("{} -p 179", PROGRAMS[1]), "bgpd.pid");
    bgpd.answers(&path("bgpd.vty")).await;
    let file = bed.path("frr.conf");
    fs::write(&file, SITE).unwrap();
    let mut vtysh = Command::new("vtysh");
    let output = vtysh.arg("--vty_socket").arg(&directory).arg("-f").arg(file).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    Frr { _zebra: zebra, _bgpd: bgpd }
}

pub(super) fn make() -> Option<Bed> {
    if !PROGRAMS.iter().all(|program| fs::exists(program).unwrap()) {
        missing("FRR is not installed");
        return None;
    }
    Bed::make(&["vtysh"])
}

pub(super) fn driver(bed: &Bed) -> RouteDriver {
    let namespace = Some(bed.site_namespace());
    let options = NetlinkOptions { table: MAIN_TABLE, namespace, ..NetlinkOptions::default() };
    RouteDriver::Netlink(NetlinkDriver::new(options))
}

fn both(is_drained: bool) -> WantedRoutes {
    wanted(&[(V4, is_drained), (V6, is_drained)])
}

/// Waits until the router's BIRD has the path of the prefix, or not.
async fn prepended(bed: &Bed, prefix: &str, is_prepended: bool) {
    use crate::support::wait::{DEADLINE, eventually};
    let shown = async || {
        let shown = bed.birdc("router", &format!("show route for {prefix} all"));
        shown.contains("BGP.as_path:")
            && shown.contains("BGP.as_path: 65001 65001 65001") == is_prepended
    };
    eventually(&format!("{prefix} prepended: {is_prepended}"), DEADLINE, shown).await;
}

#[tokio::test]
async fn vips_are_announced_drained_without_a_withdraw_and_withdrawn() {
    let Some(bed) = make() else { return };
    let mut monitor: Monitor = bed.monitor().await;
    let _frr = frr(&bed).await;
    let driver = driver(&bed);
    assert_placed(&driver.apply(&both(false)).await.unwrap());
    monitor.count(2, true).await;
    for is_drained in [true, false] {
        assert_placed(&driver.apply(&both(is_drained)).await.unwrap());
        prepended(&bed, V4, is_drained).await;
        prepended(&bed, V6, is_drained).await;
    }
    let last = prefix("192.0.2.250/32");
    let mut more = both(false);
    more.extend(wanted(&[("192.0.2.250/32", false)]));
    driver.apply(&more).await.unwrap();
    let (_, events) = monitor.until(RouteEvent::Came(last)).await;
    assert!(!events.iter().any(|it| matches!(it, RouteEvent::Went(_))), "{events:?}");
    driver.apply(&WantedRoutes::new()).await.unwrap();
    monitor.count(3, false).await;
}
