//! How long a withdraw takes from `apply` to the router's kernel. Prints figures for
//! docs/performance.md; run it alone on a quiet machine:
//! `cargo test --release --test integration announce::times -- --ignored --nocapture`

use std::time::{Duration, Instant};

use vpp_maglev::announce::RouteDriver;
use vpp_maglev::domain::announce::placement::WantedRoutes;

use super::support::{Bed, Monitor, RouteEvent, assert_placed, prefix, wanted};
use super::{bird_files, frr, gobgp, netlink_bird};
use crate::support::wait::{DEADLINE, eventually};

const ROUNDS: usize = 50;

/// Announces and withdraws, and prints how long each took.
async fn measure(name: &str, text: &str, driver: &RouteDriver, monitor: &mut Monitor) {
    let (one, routes) = (prefix(text), wanted(&[(text, false)]));
    // The session is to stand.
    let placed = async || driver.apply(&routes).await.is_ok_and(|report| report.placed.is_some());
    eventually("a daemon", DEADLINE, placed).await;
    monitor.until(RouteEvent::Came(one)).await;
    let (mut announced, mut withdrawn) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let start = Instant::now();
        assert_placed(&driver.apply(&WantedRoutes::new()).await.unwrap());
        withdrawn.push(monitor.until(RouteEvent::Went(one)).await.0 - start);
        let start = Instant::now();
        assert_placed(&driver.apply(&routes).await.unwrap());
        announced.push(monitor.until(RouteEvent::Came(one)).await.0 - start);
    }
    driver.apply(&WantedRoutes::new()).await.unwrap();
    monitor.until(RouteEvent::Went(one)).await;
    for (what, mut times) in [("announce", announced), ("withdraw", withdrawn)] {
        times.sort();
        let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)];
        let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
        let (median, late) = (milliseconds(at(50)), milliseconds(at(99)));
        println!("{name:<16} {what} {text:<20} median {median:6.2} ms  p99 {late:6.2} ms");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures"]
async fn from_apply_to_the_router() {
    let families = ["192.0.2.1/32", "2001:db8:99::1/128"];
    if let Some(bed) = Bed::make(&[]) {
        let mut monitor = bed.monitor().await;
        let _bird = bed.bird(&bed.site, "site", netlink_bird::SITE);
        for text in families {
            measure("netlink, BIRD", text, &netlink_bird::driver(&bed), &mut monitor).await;
        }
    }
    if let Some(bed) = Bed::make(&["gobgpd"]) {
        let mut monitor = bed.monitor().await;
        let _gobgpd = gobgp::gobgpd(&bed);
        for text in families {
            measure("gobgp", text, &gobgp::driver(&bed), &mut monitor).await;
        }
    }
    if let Some(bed) = Bed::make(&[]) {
        let mut monitor = bed.monitor().await;
        std::fs::create_dir(bed.path("run")).unwrap();
        let _bird = bed.bird(&bed.site, "site", &bird_files::site(&bed));
        for text in families {
            measure("bird, files", text, &bird_files::driver(&bed), &mut monitor).await;
        }
    }
    if let Some(bed) = frr::make() {
        let mut monitor = bed.monitor().await;
        let _frr = frr::frr(&bed).await;
        for text in families {
            measure("netlink, FRR", text, &frr::driver(&bed), &mut monitor).await;
        }
    }
}
