//! The BIRD driver with a real BIRD that includes its files.

use std::fs;

use rustix::process::Signal;
use vpp_maglev::announce::{BirdDriver, BirdOptions, DriverError, RouteDriver};
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

/// As docs/announce.md has it, with the test's neighbors and directory.
pub(super) fn site(bed: &Bed) -> String {
    SITE.replace("RUNDIR", bed.path("run").to_str().unwrap())
}

const SITE: &str = "\
router id 198.18.79.2;
protocol device { }
protocol static maglev4 { ipv4;
include \"RUNDIR/v4*.conf\";
}
protocol static maglev6 { ipv6;
include \"RUNDIR/v6*.conf\";
}
filter maglev_out {
  if proto !~ \"maglev*\" then reject;
  if (64512,2000) ~ bgp_community then {
    bgp_community.delete((64512,2000));
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

pub(super) fn driver(bed: &Bed) -> RouteDriver {
    RouteDriver::Bird(BirdDriver::new(BirdOptions {
        socket: bed.path("site.ctl"),
        directory: bed.path("run"),
        ..BirdOptions::default()
    }))
}

fn both(is_drained: bool) -> WantedRoutes {
    wanted(&[(V4, is_drained), (V6, is_drained)])
}

async fn announced(bed: &Bed) -> (Daemon, Monitor, RouteDriver) {
    let mut monitor = bed.monitor().await;
    fs::create_dir(bed.path("run")).unwrap();
    let bird = bed.bird(&bed.site, "site", &site(bed));
    bird.answers(&bed.path("site.ctl")).await;
    let driver = driver(bed);
    assert_placed(&driver.apply(&both(false)).await.unwrap());
    monitor.count(2, true).await;
    (bird, monitor, driver)
}

#[tokio::test]
async fn vips_are_announced_drained_without_a_withdraw_and_withdrawn() {
    let Some(bed) = Bed::make(&[]) else { return };
    let (_bird, mut monitor, driver) = announced(&bed).await;
    for is_drained in [true, false] {
        assert_placed(&driver.apply(&both(is_drained)).await.unwrap());
        let events = seen(&mut monitor, &driver, &both(is_drained)).await;
        assert!(!events.iter().any(|it| matches!(it, Went(_))), "{events:?}");
        for prefix in [V4, V6] {
            let shown = bed.birdc("router", &format!("show route for {prefix} all"));
            let is_prepended = shown.contains("BGP.as_path: 65001 65001 65001");
            assert_eq!(is_prepended, is_drained, "{shown}");
            assert!(!shown.contains("64512"), "{shown}");
        }
    }
    let exported =
        PlacedRoute { exported: Exported::Yes, ..PlacedRoute::ours(RoutePlacement::Announced) };
    let read = driver.read().await.unwrap();
    assert_eq!(read, [V4, V6].map(|text| (prefix(text), exported)).into());
    assert_eq!(self::driver(&bed).apply(&both(false)).await.unwrap().writes, 0);
    assert_placed(&driver.apply(&WantedRoutes::new()).await.unwrap());
    monitor.count(2, false).await;
}

#[tokio::test]
async fn a_broken_configuration_blocks_a_withdraw_until_it_is_mended() {
    let Some(bed) = Bed::make(&[]) else { return };
    let (_bird, mut monitor, driver) = announced(&bed).await;
    fs::write(bed.path("site.conf"), format!("{}protocol nonsense;\n", site(&bed))).unwrap();
    let report = driver.apply(&WantedRoutes::new()).await.unwrap();
    let PrefixStatus::Failed { reason } = &report.statuses[&prefix(V4)] else {
        panic!("{report:?}");
    };
    assert!(reason.contains("site.conf:") && reason.contains("syntax error"), "{reason}");
    fs::write(bed.path("site.conf"), site(&bed)).unwrap();
    assert_placed(&driver.apply(&WantedRoutes::new()).await.unwrap());
    monitor.count(2, false).await;
}

#[tokio::test]
async fn a_bird_that_hangs_or_was_killed_is_told_and_takes_up_the_files() {
    let Some(bed) = Bed::make(&[]) else { return };
    let (bird, mut monitor, driver) = announced(&bed).await;
    let mut watch = driver.changes();
    soon(watch.changed()).await.expect("it does not watch");
    bird.signal(Signal::STOP);
    let error = driver.apply(&both(true)).await.unwrap_err();
    assert!(matches!(error, DriverError::TimedOut { .. }), "{error}");
    bird.signal(Signal::CONT);
    let recovers = async || driver.apply(&both(false)).await.is_ok();
    eventually("an answer of BIRD", DEADLINE, recovers).await;
    bird.kill();
    soon(watch.changed()).await.expect("it does not tell that BIRD went");
    monitor.count(2, false).await;
    let error = driver.apply(&wanted(&[(V6, false)])).await.unwrap_err().to_string();
    assert!(error.contains("has left its socket"), "{error}");
    let _again = bed.bird(&bed.site, "site", &site(&bed));
    soon(watch.changed()).await.expect("it does not tell that BIRD came");
    let (_, before) = monitor.until(Came(prefix(V6))).await;
    assert_eq!(before, [], "what was withdrawn meanwhile is not announced");
}

#[tokio::test]
async fn one_of_five_hundred_touches_one() {
    let Some(bed) = Bed::make(&[]) else { return };
    let (_bird, mut monitor, driver) = announced(&bed).await;
    let mut all = five_hundred();
    assert_placed(&driver.apply(&all).await.unwrap());
    monitor.count(499, true).await;
    seen(&mut monitor, &driver, &all).await;
    let one = prefix("2001:db8:99::64/128");
    all.remove(&one);
    driver.apply(&all).await.unwrap();
    assert_eq!(seen(&mut monitor, &driver, &all).await, [Went(one)]);
}
