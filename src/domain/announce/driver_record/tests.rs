//! What of a driver's runs is news, and what is known after each.

use super::*;
use crate::domain::announce::placement::PlacedRoute;

fn prefix(number: u8) -> VipPrefix {
    VipPrefix::new([192, 0, 2, number].into())
}

/// A moment, so many seconds after the first.
struct Beginning(Instant);

impl Beginning {
    fn at(&self, seconds: u64) -> Moment {
        let passed = Duration::from_secs(seconds);
        Moment { monotonic: self.0 + passed, wall: SystemTime::UNIX_EPOCH + passed }
    }
}

fn read(routes: &[(u8, RoutePlacement)], statuses: &[(u8, PrefixStatus)]) -> DriverReport {
    let placed = routes.iter().map(|(number, it)| (prefix(*number), PlacedRoute::ours(*it)));
    let statuses = statuses.iter().map(|(number, it)| (prefix(*number), it.clone()));
    let placed = Some(placed.collect());
    DriverReport { placed, statuses: statuses.collect(), ..DriverReport::default() }
}

fn failed() -> PrefixStatus {
    PrefixStatus::Failed { reason: "EPERM".into() }
}

fn unread() -> DriverReport {
    DriverReport { error: Some("nobody listens".into()), ..DriverReport::default() }
}

fn words(news: &DriverNews) -> Vec<(u8, &'static str, &'static str)> {
    let number = |prefix: VipPrefix| match prefix.address() {
        std::net::IpAddr::V4(address) => address.octets()[3],
        std::net::IpAddr::V6(_) => 0,
    };
    news.changes.iter().map(|it| (number(it.prefix), it.from, it.to)).collect()
}

#[test]
fn what_was_there_at_first_is_no_news_and_each_change_is_told_once() {
    use RoutePlacement::{Announced, Drained};
    let (clock, mut record) = (Beginning(Instant::now()), DriverRecord::default());
    assert_eq!(record.note(read(&[(1, Announced)], &[]), clock.at(0)), DriverNews::default());
    let news = record.note(read(&[(1, Drained), (2, Announced)], &[]), clock.at(1));
    assert_eq!(words(&news), [(1, "announced", "drained"), (2, "withdrawn", "announced")]);
    let again = record.note(read(&[(1, Drained), (2, Announced)], &[]), clock.at(2));
    assert_eq!(again, DriverNews::default());
    assert_eq!(record.placed(prefix(1)).since, Some(clock.at(1).wall));
    let news = record.note(read(&[(2, Announced)], &[(2, failed())]), clock.at(3));
    assert_eq!(words(&news), [(1, "drained", "withdrawn"), (2, "announced", "failed")]);
    assert_eq!(news.changes[1].why, "EPERM");
    let view = record.placed(prefix(2));
    assert_eq!((view.state, view.problem), (PlacedState::Announced, Some(PlacedProblem::Failed)));
    assert!(!view.is_as(None) && view.is_as(Some(Announced)));
    let news = record.note(read(&[], &[(2, PrefixStatus::Withdrawn)]), clock.at(4));
    assert_eq!(words(&news), [(2, "failed", "withdrawn")]);
    assert!(record.placed(prefix(2)).is_as(None));
}

#[test]
fn what_could_not_be_read_is_unknown_and_changes_nothing_that_was_read_before() {
    use RoutePlacement::Announced;
    let (clock, mut record) = (Beginning(Instant::now()), DriverRecord::default());
    assert_eq!(record.placed(prefix(1)).state, PlacedState::Unknown);
    record.note(read(&[(1, Announced)], &[]), clock.at(0));
    let news = record.note(unread(), clock.at(1));
    assert_eq!(news.turn, Some(Some("nobody listens".into())));
    assert_eq!(news.changes, []);
    let view = record.placed(prefix(1));
    assert_eq!((view.state, view.reason.as_str()), (PlacedState::Unknown, "nobody listens"));
    assert!(!view.is_as(Some(Announced)) && !view.is_as(None));
    assert_eq!(record.note(unread(), clock.at(2)), DriverNews::default());
    let driver = record.view("netlink", clock.at(5).monotonic);
    assert_eq!(driver.error, Some(("nobody listens".into(), clock.at(1).wall)));
    assert_eq!((driver.read_ago, driver.failures), (Some(Duration::from_secs(5)), 2));
    let news = record.note(read(&[(1, Announced)], &[]), clock.at(6));
    assert_eq!((news.turn, news.changes), (Some(None), vec![]));
    assert_eq!(record.view("netlink", clock.at(6).monotonic).error, None);
}
