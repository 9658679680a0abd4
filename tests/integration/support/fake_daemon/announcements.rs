//! What the fake daemon announces.

use vpp_maglev::pb::*;

use super::data::{NOW_NS, ago, text};

const SECOND_NS: i64 = 1_000_000_000;

fn placed(driver: &str, state: &str, problem: &str, reason: &str) -> PlacedAnnouncementInfo {
    PlacedAnnouncementInfo {
        driver: text(driver),
        state: text(state),
        problem: text(problem),
        reason: text(reason),
        exported: (driver == "bird").then_some(problem.is_empty()),
        since_unix_ns: ago(630),
    }
}

pub(super) fn of_web() -> AnnouncementInfo {
    AnnouncementInfo {
        prefix: text("192.0.2.80/32"),
        frontend_names: vec![text("everything"), text("web")],
        wanted: text("announced"),
        why: text("of the weight of web's servers 10 of 100 is up: 50% is needed"),
        since_unix_ns: ago(2 * 86_400),
        held: text("it may be over soon"),
        held_left_ns: Some(1_500_000_000),
        changes: 1,
        placed: vec![
            placed("bird", "withdrawn", "failed", "bird.conf:3:1 syntax error"),
            placed("netlink", "announced", "", ""),
        ],
        ..AnnouncementInfo::default()
    }
}

fn order(prefix: &str, value: &str, left_ns: Option<i64>) -> OverrideInfo {
    OverrideInfo {
        kind: text("announcement"),
        prefix: text(prefix),
        value: text(value),
        configured: text("rules"),
        who: text("alice 192.0.2.7:41822"),
        why: text("router upgrade"),
        since_unix_ns: ago(59),
        until_unix_ns: left_ns.map_or(0, |left| NOW_NS + left),
        age_ns: 59 * SECOND_NS,
        left_ns,
        ..OverrideInfo::default()
    }
}

fn of_dns(value: &str, left_ns: Option<i64>) -> AnnouncementInfo {
    let (wanted, ordered) = match value {
        "drain" => ("drained", Some(order("2001:db8::53/128", value, left_ns))),
        "withdraw" => ("withdrawn", Some(order("2001:db8::53/128", value, left_ns))),
        _ => ("announced", None),
    };
    AnnouncementInfo {
        prefix: text("2001:db8::53/128"),
        frontend_names: vec![text("dns")],
        wanted: text(wanted),
        why: match &ordered {
            Some(_) => format!("alice 192.0.2.7:41822 ordered: {value}"),
            None => text("enough of its servers are up, and VPP serves them"),
        },
        since_unix_ns: ago(59),
        changes: 4,
        withdraws: 2,
        placed: vec![placed("bird", wanted, "", ""), placed("netlink", wanted, "", "")],
        order: ordered,
        ..AnnouncementInfo::default()
    }
}

fn drivers() -> Vec<AnnounceDriverInfo> {
    let driver = |name: &str| AnnounceDriverInfo {
        name: text(name),
        read_ago_ns: Some(3 * SECOND_NS),
        ..AnnounceDriverInfo::default()
    };
    let refusal = text("having BIRD read its configuration: bird.conf:3:1 syntax error");
    vec![AnnounceDriverInfo { failures: 7, refusal, ..driver("bird") }, driver("netlink")]
}

pub(super) fn all(empty: bool, wanted: &GetAnnouncementsRequest) -> Announcements {
    if empty {
        return Announcements { now_unix_ns: NOW_NS, ..Announcements::default() };
    }
    let drained = of_dns("drain", Some(3_541 * SECOND_NS));
    let mut announcements = vec![of_web(), drained];
    announcements.retain(|it| match wanted.frontend_name.as_str() {
        "" => true,
        name => it.frontend_names.iter().any(|its| its == name),
    });
    let unsettled = "192.0.2.80/32 is to be announced, and is withdrawn at bird: bird.conf:3:1 \
                     syntax error";
    let is_its = announcements.iter().any(|it| it.prefix == "192.0.2.80/32");
    Announcements {
        announcements,
        drivers: drivers(),
        order_for_all: None,
        unsettled: if is_its { vec![text(unsettled)] } else { vec![] },
        now_unix_ns: NOW_NS,
    }
}

/// What an order comes to.
pub(super) fn ordered(order: &str, for_ns: i64) -> Announcements {
    let left = (for_ns > 0).then_some(for_ns - 1_000_000);
    Announcements {
        announcements: vec![of_dns(order, left)],
        drivers: drivers(),
        now_unix_ns: NOW_NS,
        ..Announcements::default()
    }
}

/// Something else is wanted of an announcement.
pub(super) fn withdrawn() -> AnnouncementEvent {
    AnnouncementEvent {
        kind: text("wanted"),
        prefix: text("192.0.2.80/32"),
        frontend_names: vec![text("web")],
        from: text("announced"),
        to: text("withdrawn"),
        why: text("VPP is away"),
        at_unix_ns: ago(1),
        ..AnnouncementEvent::default()
    }
}
