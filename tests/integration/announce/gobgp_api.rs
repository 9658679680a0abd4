//! The GoBGP driver's calls to both versions of the API, which the test serves.

use prost::Message;
use tonic::Status;
use vpp_maglev::announce::gobgp_pb::{v3, v4};
use vpp_maglev::announce::{DriverError, GobgpDriver, GobgpOptions, RouteDriver};
use vpp_maglev::domain::announce::placement::{
    Exported, PlacedRoute, PrefixStatus, RoutePlacement, WantedRoutes,
};

use super::fake_gobgp::{FakeGobgp, OWN_AS};
use super::support::{assert_placed, five_hundred, prefix, wanted};
use crate::support::soon;

const VERSIONS: [u8; 2] = [3, 4];
const MARKER: u32 = (64512 << 16) | 4242;
const GRACEFUL_SHUTDOWN: u32 = 65535 << 16;

fn driver(gobgp: &FakeGobgp) -> RouteDriver {
    let address = gobgp.address.clone();
    RouteDriver::Gobgp(GobgpDriver::new(GobgpOptions { address, ..GobgpOptions::default() }))
}

fn both() -> WantedRoutes {
    wanted(&[("192.0.2.1/32", false), ("2001:db8::1/128", true)])
}

/// Communities and AS path of a path, in either version.
fn attributes(gobgp: &FakeGobgp, prefix: &str) -> (Vec<u32>, Vec<u32>) {
    let table = gobgp.table();
    let (mut communities, mut numbers) = (Vec::new(), Vec::new());
    for any in table.of_3.get(prefix).iter().flat_map(|path| &path.pattrs) {
        let value = any.value.as_slice();
        match any.type_url.rsplit('.').next().unwrap() {
            "CommunitiesAttribute" => {
                communities = v3::CommunitiesAttribute::decode(value).unwrap().communities;
            }
            "AsPathAttribute" => {
                let path = v3::AsPathAttribute::decode(value).unwrap();
                numbers = path.segments.into_iter().flat_map(|it| it.numbers).collect();
            }
            _ => {}
        }
    }
    let of_4 = table.of_4.get(prefix).into_iter().flat_map(|path| &path.pattrs);
    for attribute in of_4.flat_map(|it| &it.attr) {
        match attribute {
            v4::attribute::Attr::Communities(it) => communities.clone_from(&it.communities),
            v4::attribute::Attr::AsPath(it) => {
                numbers = it.segments.iter().flat_map(|it| &it.numbers).copied().collect();
            }
            _ => {}
        }
    }
    (communities, numbers)
}

#[tokio::test]
async fn both_versions_are_written_and_read() {
    for version in VERSIONS {
        let gobgp = FakeGobgp::start(version).await;
        let driver = driver(&gobgp);
        let report = driver.apply(&both()).await.unwrap();
        assert_placed(&report);
        assert_eq!((report.writes, gobgp.table().messages), (2, 1), "one call");
        assert_eq!(attributes(&gobgp, "192.0.2.1/32"), (vec![MARKER], vec![]));
        let drained = (vec![MARKER, GRACEFUL_SHUTDOWN], vec![OWN_AS; 2]);
        assert_eq!(attributes(&gobgp, "2001:db8::1/128"), drained);
        let of =
            |placement| PlacedRoute { exported: Exported::Yes, ..PlacedRoute::ours(placement) };
        let expected = [
            (prefix("192.0.2.1/32"), of(RoutePlacement::Announced)),
            (prefix("2001:db8::1/128"), of(RoutePlacement::Drained)),
        ];
        assert_eq!(driver.read().await.unwrap(), expected.into());

        assert_eq!(driver.apply(&both()).await.unwrap().writes, 0);
        assert_eq!(gobgp.table().messages, 1);
        assert_placed(&driver.apply(&WantedRoutes::new()).await.unwrap());
        assert_eq!(driver.read().await.unwrap(), Default::default());
        let table = gobgp.table();
        assert!(table.of_3.is_empty() && table.of_4.is_empty());
    }
}

#[tokio::test]
async fn paths_without_the_marker_are_left_alone_and_learned_ones_are_nobody_s() {
    for version in VERSIONS {
        let gobgp = FakeGobgp::start(version).await;
        let driver = driver(&gobgp);
        driver.apply(&wanted(&[("192.0.2.1/32", false), ("192.0.2.2/32", false)])).await.unwrap();
        {
            // One of the operator's, and one that a neighbor sent, marker and all.
            let mut table = gobgp.table();
            if let Some(path) = table.of_3.get_mut("192.0.2.1/32") {
                path.pattrs.retain(|it| !it.type_url.ends_with("CommunitiesAttribute"));
            }
            if let Some(path) = table.of_4.get_mut("192.0.2.1/32") {
                path.pattrs
                    .retain(|it| !matches!(it.attr, Some(v4::attribute::Attr::Communities(_))));
            }
            if let Some(path) = table.of_3.get_mut("192.0.2.2/32") {
                path.neighbor_ip = "198.18.79.1".into();
            }
            if let Some(path) = table.of_4.get_mut("192.0.2.2/32") {
                path.neighbor_ip = "198.18.79.1".into();
            }
        }
        let (one, two) = (prefix("192.0.2.1/32"), prefix("192.0.2.2/32"));
        assert_eq!(driver.read().await.unwrap(), [(one, PlacedRoute::foreign())].into());
        driver.apply(&WantedRoutes::new()).await.unwrap();
        let report = driver.apply(&wanted(&[("192.0.2.1/32", true)])).await.unwrap();
        assert_eq!((&report.statuses[&one], report.writes), (&PrefixStatus::Blocked, 0));
        let report = driver.apply(&wanted(&[("192.0.2.2/32", false)])).await.unwrap();
        assert!(matches!(report.statuses[&two], PrefixStatus::Placed { .. }), "{report:?}");
    }
}

#[tokio::test]
async fn without_a_session_nothing_is_exported_and_an_own_as_is_not_prepended_inside() {
    for version in VERSIONS {
        let gobgp = FakeGobgp::start(version).await;
        gobgp.table().neighbors = vec![(65000, false), (OWN_AS, false)];
        let report = driver(&gobgp).apply(&both()).await.unwrap();
        for status in report.statuses.values() {
            let is_placed = matches!(status, PrefixStatus::Placed { exported: Exported::No, .. });
            assert!(is_placed, "{status:?}");
        }
        let drained = (vec![MARKER, GRACEFUL_SHUTDOWN], vec![]);
        assert_eq!(attributes(&gobgp, "2001:db8::1/128"), drained);
    }
}

#[tokio::test]
async fn a_refusal_is_told_of_each_prefix_and_the_next_pass_mends_it() {
    for version in VERSIONS {
        let gobgp = FakeGobgp::start(version).await;
        let driver = driver(&gobgp);
        gobgp.table().refusal = Some(Status::unknown("bgp server hasn't started yet"));
        let report = driver.apply(&both()).await.unwrap();
        let reason = "writing to GoBGP: Unknown: bgp server hasn't started yet; see the log of \
                      gobgpd";
        let failed = PrefixStatus::Failed { reason: reason.into() };
        assert!(report.statuses.values().all(|status| *status == failed), "{report:?}");
        assert_placed(&driver.apply(&both()).await.unwrap());
    }
}

#[tokio::test]
async fn a_set_is_one_call() {
    for version in VERSIONS {
        let gobgp = FakeGobgp::start(version).await;
        let driver = driver(&gobgp);
        let mut all = five_hundred();
        assert_placed(&driver.apply(&all).await.unwrap());
        assert_eq!(gobgp.table().messages, 1);
        all.remove(&prefix("2001:db8:99::64/128"));
        assert_eq!(driver.apply(&all).await.unwrap().writes, 1);
    }
}

#[tokio::test]
async fn the_watch_tells_of_events_and_of_the_end() {
    for version in VERSIONS {
        let gobgp = FakeGobgp::start(version).await;
        let mut watch = driver(&gobgp).changes();
        soon(watch.changed()).await.expect("it does not watch");
        gobgp.is_watched().await;
        gobgp.tell();
        soon(watch.changed()).await.expect("it does not tell of the event");
    }
}

#[tokio::test]
async fn what_is_not_gobgp_or_hangs_is_told() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let of = |address: String| {
        RouteDriver::Gobgp(GobgpDriver::new(GobgpOptions { address, ..GobgpOptions::default() }))
    };
    let hung = of(address.clone());
    let error = hung.apply(&both()).await.unwrap_err();
    assert!(matches!(error, DriverError::TimedOut { .. }), "{error}");
    drop(silent);
    let error = hung.apply(&both()).await.unwrap_err().to_string();
    let start = format!("connecting to GoBGP at {address}: ");
    assert!(error.starts_with(&start) && error.contains("refused"), "{error}");
    assert!(
        error.ends_with("is gobgpd running, and with --api-hosts for this address?"),
        "{error}"
    );
}
