//! A router and a site in namespaces of their own, with a BGP session of each
//! family between them, and what is seen in the router's kernel.

mod bed;
mod monitor;
mod process;
mod sites;

use vpp_maglev::announce::{ApplyReport, RouteDriver};
use vpp_maglev::domain::announce::placement::{
    PrefixStatus, RoutePlacement, VipPrefix, WantedRoutes,
};

pub(crate) use bed::{Bed, ip};
pub(crate) use monitor::{Monitor, RouteEvent};
pub(crate) use process::Daemon;
pub(crate) use sites::{Sites, VIP};

pub(crate) fn prefix(text: &str) -> VipPrefix {
    text.parse().unwrap()
}

/// Routes, and whether each is drained.
pub(crate) fn wanted(routes: &[(&str, bool)]) -> WantedRoutes {
    let placement = |is_drained| match is_drained {
        true => RoutePlacement::Drained,
        false => RoutePlacement::Announced,
    };
    routes.iter().map(|(text, is_drained)| (prefix(text), placement(*is_drained))).collect()
}

/// 500 IPv6 addresses.
pub(crate) fn five_hundred() -> WantedRoutes {
    let addresses = (1..=500).map(|number| format!("2001:db8:99::{number:x}/128"));
    addresses.map(|text| (prefix(&text), RoutePlacement::Announced)).collect()
}

/// Every wanted prefix is placed as it is wanted.
pub(crate) fn assert_placed(report: &ApplyReport) {
    for (prefix, status) in &report.statuses {
        let is_done = matches!(status, PrefixStatus::Placed { .. } | PrefixStatus::Withdrawn);
        assert!(is_done, "{prefix}: {status:?}");
    }
}

/// Everything that the router saw until now, while `wanted` was applied: one more
/// prefix of each family comes and goes behind it.
pub(crate) async fn seen(
    monitor: &mut Monitor,
    driver: &RouteDriver,
    wanted: &WantedRoutes,
) -> Vec<RouteEvent> {
    let mut seen = Vec::new();
    for last in [prefix("192.0.2.250/32"), prefix("2001:db8:99:1::1/128")] {
        let mut more = wanted.clone();
        more.insert(last, RoutePlacement::Announced);
        driver.apply(&more).await.unwrap();
        seen.append(&mut monitor.until(RouteEvent::Came(last)).await.1);
        driver.apply(wanted).await.unwrap();
        seen.append(&mut monitor.until(RouteEvent::Went(last)).await.1);
    }
    seen
}
