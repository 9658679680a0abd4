//! The netlink driver and the kernel alone, in a namespace.

use std::process::Command;

use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities};
use vpp_maglev::announce::{MAIN_TABLE, NetlinkDriver, NetlinkOptions, RouteDriver};
use vpp_maglev::domain::announce::DriverSettings;
use vpp_maglev::domain::announce::placement::{
    Exported, PlacedRoute, PrefixStatus, RoutePlacement, WantedRoutes,
};
use vpp_maglev::probe::Namespace;

use super::support::{assert_placed, five_hundred, ip, prefix, wanted};
use crate::support::probe::{is_installed, skipped};
use crate::support::soon;

/// One namespace, removed at the end.
struct Table(String);

impl Table {
    fn make(name: &str) -> Option<Self> {
        if !is_installed("ip") {
            return None;
        }
        let name = format!("maglev-{name}-{}", std::process::id());
        let made = Command::new("ip").args(["netns", "add", &name]).output().unwrap();
        if !made.status.success() {
            skipped("no permission to make a network namespace");
            return None;
        }
        ip(&format!("-n {name} link set lo up"));
        Some(Self(name))
    }

    fn driver(&self, table: u32) -> RouteDriver {
        let namespace = Some(Namespace::enter(&self.0).unwrap());
        let options = NetlinkOptions { table, namespace, ..NetlinkOptions::default() };
        RouteDriver::Netlink(NetlinkDriver::new(options))
    }

    fn add(&self, route: &str) {
        ip(&format!("-n {} route add {route}", self.0));
    }

    fn shown(&self, arguments: &str) -> Vec<String> {
        let words = format!("-n {} {arguments}", self.0);
        let output = Command::new("ip").args(words.split(' ')).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "delete", &self.0]).output();
    }
}

#[tokio::test]
async fn routes_are_as_documented_and_go_with_the_wish() {
    let Some(table) = Table::make("documented") else { return };
    for number in [4242, MAIN_TABLE] {
        let driver = table.driver(number);
        let routes = wanted(&[("192.0.2.1/32", false), ("2001:db8:99::1/128", true)]);
        let report = driver.apply(&routes).await.unwrap();
        assert_placed(&report);
        let show = |family: &str| table.shown(&format!("{family} route show table {number}"));
        assert_eq!(show("-4"), ["blackhole 192.0.2.1 proto 76 metric 1000"]);
        let sixth = "blackhole 2001:db8:99::1 dev lo proto 76 metric 2000 pref medium";
        assert!(show("-6").iter().any(|line| line == sixth), "{:?}", show("-6"));
        assert_eq!(driver.apply(&routes).await.unwrap().writes, 0);
        driver.apply(&WantedRoutes::new()).await.unwrap();
        assert_eq!(show("-4"), [""; 0]);
        assert_eq!(driver.read().await.unwrap(), Default::default());
    }
}

#[tokio::test]
async fn what_others_have_is_left_to_them() {
    let Some(table) = Table::make("others") else { return };
    let driver = table.driver(4242);
    // Of the same metric, of another metric, ours in another table, a larger prefix,
    // and one that is none of a kind that we have.
    for route in [
        "blackhole 192.0.2.1 table 4242 proto 99 metric 1000",
        "blackhole 2001:db8:99::1 table 4242 proto 99 metric 1000",
        "blackhole 192.0.2.2 table 4242 proto 99 metric 7",
        "blackhole 192.0.2.3 table 4243 proto 76 metric 1000",
        "blackhole 192.0.2.0/24 table 4242 proto 76 metric 1000",
        "unreachable 192.0.2.4 table 4242 proto 76 metric 1000",
        "blackhole 192.0.2.5 table 4242 proto 76 metric 3000",
    ] {
        table.add(route);
    }
    let before = table.shown("route show table all");
    let routes: WantedRoutes = wanted(&[
        ("192.0.2.1/32", false),
        ("192.0.2.2/32", false),
        ("192.0.2.4/32", false),
        ("192.0.2.5/32", true),
        ("2001:db8:99::1/128", false),
    ]);
    let report = driver.apply(&routes).await.unwrap();
    assert_eq!(report.writes, 0);
    assert!(report.statuses.values().all(|status| *status == PrefixStatus::Blocked), "{report:?}");
    // One that comes while ours is there stays, and ours goes.
    let one = prefix("192.0.2.9/32");
    let announced = wanted(&[("192.0.2.9/32", false)]);
    assert_placed(&driver.apply(&announced).await.unwrap());
    table.add("blackhole 192.0.2.9 table 4242 proto 99 metric 7");
    let both = PlacedRoute { foreign: true, ..PlacedRoute::ours(RoutePlacement::Announced) };
    assert_eq!(driver.read().await.unwrap()[&one], both);
    let report = driver.apply(&announced).await.unwrap();
    let placed = PrefixStatus::Placed {
        placement: RoutePlacement::Announced,
        exported: Exported::Unknown,
        foreign: true,
    };
    assert_eq!((&report.statuses[&one], report.writes), (&placed, 0));
    assert_placed(&driver.apply(&WantedRoutes::new()).await.unwrap());
    assert_eq!(driver.read().await.unwrap()[&one], PlacedRoute::foreign());
    ip(&format!("-n {} route del blackhole 192.0.2.9 table 4242 proto 99 metric 7", table.0));
    assert_eq!(table.shown("route show table all"), before);
}

#[tokio::test]
async fn a_route_of_the_same_metric_in_the_main_table_is_named() {
    let Some(table) = Table::make("main") else { return };
    let driver = table.driver(MAIN_TABLE);
    // Of the main table, only ours are read: others are met when ours is added.
    table.add("blackhole 192.0.2.1 proto 99 metric 1000");
    let report = driver.apply(&wanted(&[("192.0.2.1/32", false)])).await.unwrap();
    let expected = "adding 192.0.2.1/32 to table 254: there is a route of somebody else with the \
                    same metric; `ip route show table 254` shows it";
    let expected = PrefixStatus::Failed { reason: expected.into() };
    assert_eq!(report.statuses[&prefix("192.0.2.1/32")], expected);
    // Drained has another metric, and the way back fails without a withdraw.
    let drained = wanted(&[("192.0.2.1/32", true)]);
    assert_placed(&driver.apply(&drained).await.unwrap());
    let report = driver.apply(&wanted(&[("192.0.2.1/32", false)])).await.unwrap();
    assert_eq!(report.statuses[&prefix("192.0.2.1/32")], expected);
    let still = PlacedRoute::ours(RoutePlacement::Drained);
    assert_eq!(report.placed.unwrap()[&prefix("192.0.2.1/32")], still);
}

#[tokio::test]
async fn a_namespace_that_is_made_later_is_entered_then() {
    let netns = Some(format!("maglev-later-{}", std::process::id()));
    let settings = DriverSettings::Netlink { table: 4242, protocol: 76, netns };
    let driver = RouteDriver::of(&settings);
    let error = driver.read().await.unwrap_err().to_string();
    assert!(error.contains("there is no network namespace"), "{error}");
    let Some(table) = Table::make("later") else { return };
    assert_placed(&driver.apply(&wanted(&[("192.0.2.1/32", false)])).await.unwrap());
    let shown = table.shown("-4 route show table 4242");
    assert_eq!(shown, ["blackhole 192.0.2.1 proto 76 metric 1000"]);
}

#[tokio::test]
async fn five_hundred_are_written_once() {
    let Some(table) = Table::make("many") else { return };
    let driver = table.driver(4242);
    let report = driver.apply(&five_hundred()).await.unwrap();
    assert_placed(&report);
    assert_eq!((report.writes, report.statuses.len()), (500, 500));
    assert_eq!(driver.apply(&five_hundred()).await.unwrap().writes, 0);
    assert_eq!(driver.apply(&WantedRoutes::new()).await.unwrap().writes, 500);
}

#[tokio::test]
async fn what_overflows_a_watch_counts_as_a_change() {
    let Some(table) = Table::make("overflow") else { return };
    let mut watch = table.driver(4242).changes();
    soon(watch.changed()).await.expect("it does not watch");
    // None of them is of one address, so that only their loss is told.
    let route = |number: u32| {
        let (high, low) = (number >> 8, number & 255);
        format!("route add blackhole 10.{high}.{low}.0/24 table 4242\n")
    };
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("routes");
    std::fs::write(&file, (0..20_000).map(route).collect::<String>()).unwrap();
    ip(&format!("-n {} -batch {}", table.0, file.display()));
    soon(watch.changed()).await.expect("nothing was lost, or it was not told");
}

#[tokio::test]
async fn without_rights_it_is_said_which_and_reading_works() {
    let Some(table) = Table::make("rights") else { return };
    table.add("blackhole 192.0.2.9 table 4242 proto 99");
    let driver = table.driver(4242);
    let (report, read) = std::thread::spawn(move || {
        // Of this thread alone.
        let none = CapabilitySet::empty();
        set_capabilities(
            None,
            CapabilitySets { effective: none, permitted: none, inheritable: none },
        )
        .unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let report = driver.apply(&wanted(&[("192.0.2.1/32", false)])).await.unwrap();
            (report, driver.read().await.unwrap())
        })
    })
    .join()
    .unwrap();
    let reason = "adding 192.0.2.1/32 to table 4242: not permitted; give maglevd CAP_NET_ADMIN: \
                  the drop-in announce-netlink.conf does for systemd";
    let failed = PrefixStatus::Failed { reason: reason.into() };
    assert_eq!(report.statuses[&prefix("192.0.2.1/32")], failed);
    assert!(read.contains_key(&prefix("192.0.2.9/32")));
}
