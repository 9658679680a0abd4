//! `announce` and `frontends.<name>.announce`: which VIPs are announced, and to whom.

use std::net::SocketAddr;
use std::time::Duration;

use ipnet::IpNet;

use super::settings::netns;
use super::values::{absolute_path, duration, number, optional, or_default, percent};
use crate::config::fault::Problem;
use crate::config::raw;
use crate::config::report::{ConfigPath, FaultReport};
use crate::domain::announce::{
    AnnounceSettings, AnnouncerSettings, DriverSettings, HealthyShare, SharedBy,
};

pub(super) fn announcer(
    raw: Option<&raw::RawAnnounce>,
    at: &ConfigPath<'_>,
    report: &mut FaultReport,
) -> Option<AnnouncerSettings> {
    let default = AnnouncerSettings::default();
    let Some(raw) = raw else { return Some(default) };
    let netlink = optional(raw.netlink.as_ref(), |raw| netlink(raw, &at.key("netlink"), report));
    let gobgp = optional(raw.gobgp.as_ref(), |raw| gobgp(raw, &at.key("gobgp"), report));
    let bird = optional(raw.bird.as_ref(), |raw| bird(raw, &at.key("bird"), report));
    let command = optional(raw.command.as_deref(), |raw| command(raw, &at.key("command"), report));
    let mut time = |key, given: Option<&str>, default| {
        or_default(given, default, |given| duration(given, &at.key(key), report))
    };
    let hold_vpp = time("hold-vpp", raw.hold_vpp.as_deref(), default.hold_vpp);
    let leave = time("leave", raw.leave.as_deref(), default.leave);
    let drivers = [netlink?, gobgp?, bird?, command?].into_iter().flatten().collect();
    Some(AnnouncerSettings { drivers, hold_vpp: hold_vpp?, leave: leave? })
}

fn netlink(
    raw: &raw::RawNetlink,
    at: &ConfigPath<'_>,
    report: &mut FaultReport,
) -> Option<DriverSettings> {
    let table = or_default(raw.table.as_deref(), DriverSettings::TABLE, |given| match given {
        "main" => Some(DriverSettings::MAIN_TABLE),
        // 253 and 255 are `default` and `local`.
        _ => given.parse().ok().filter(|table| !matches!(table, 0 | 253 | 255)).or_else(|| {
            report.refuse(&at.key("table"), Problem::BadTable { given: given.to_owned() })
        }),
    });
    let protocol = or_default(raw.protocol, DriverSettings::PROTOCOL, |given| {
        let at = at.key("protocol");
        match number::<u8>(given, 0..=255, &at, report)? {
            // Those of the kernel and of routing daemons, which do not announce them.
            0..=4 | 11 | 12 | 186..=197 => report.refuse(&at, Problem::BadRouteProtocol { given }),
            protocol => Some(protocol),
        }
    });
    let netns = optional(raw.netns.as_deref(), |given| netns(given, &at.key("netns"), report));
    Some(DriverSettings::Netlink { table: table?, protocol: protocol?, netns: netns? })
}

fn gobgp(
    raw: &raw::RawGobgp,
    at: &ConfigPath<'_>,
    report: &mut FaultReport,
) -> Option<DriverSettings> {
    let address_at = at.key("address");
    let give = "where gobgpd's API listens, such as 127.0.0.1:50051";
    let address = report.require(&address_at, raw.address.as_deref(), give).and_then(|given| {
        let parsed = given.parse().ok().filter(|address: &SocketAddr| address.port() > 0);
        parsed.or_else(|| {
            report.refuse(&address_at, Problem::BadSocketAddress { given: given.to_owned() })
        })
    });
    let community = or_default(raw.community.as_deref(), DriverSettings::COMMUNITY, |given| {
        let halves = given.split_once(':');
        let parsed = halves.and_then(|(high, low)| Some((high.parse().ok()?, low.parse().ok()?)));
        parsed.or_else(|| {
            let given = given.to_owned();
            report.refuse(&at.key("community"), Problem::BadCommunity { given })
        })
    });
    Some(DriverSettings::Gobgp { address: address?, community: community? })
}

fn bird(
    raw: &raw::RawBird,
    at: &ConfigPath<'_>,
    report: &mut FaultReport,
) -> Option<DriverSettings> {
    let mut path = |key, given: Option<&str>, default| {
        or_default(given, String::from(default), |given| absolute_path(given, &at.key(key), report))
    };
    let socket = path("socket", raw.socket.as_deref(), DriverSettings::BIRD_SOCKET);
    let directory = path("directory", raw.directory.as_deref(), DriverSettings::BIRD_DIRECTORY);
    Some(DriverSettings::Bird { socket: socket?, directory: directory? })
}

fn command(
    raw: &[String],
    at: &ConfigPath<'_>,
    report: &mut FaultReport,
) -> Option<DriverSettings> {
    let Some(program) = raw.first() else {
        return report.refuse(at, Problem::Missing { give: "a program and its arguments" });
    };
    absolute_path(program, &at.index(0), report)?;
    Some(DriverSettings::Command { argv: raw.to_vec() })
}

/// What a frontend says; `prefix`: that of its VIP, if it has no fault.
pub(super) fn of_frontend(
    raw: &raw::RawFrontendAnnounce,
    prefix: Option<IpNet>,
    at: &ConfigPath<'_>,
    report: &mut FaultReport,
) -> Option<AnnounceSettings> {
    let default = AnnounceSettings::default();
    let mut held = |key, given: Option<&str>, default: Duration| {
        or_default(given, default, |given| duration(given, &at.key(key), report))
    };
    let hold_down = held("hold-down", raw.hold_down.as_deref(), default.hold_down);
    let hold_up = held("hold-up", raw.hold_up.as_deref(), default.hold_up);
    let mut shared = |key, given: Option<&str>, default| {
        or_default(given, default, |given| share(given, &at.key(key), report))
    };
    let min_healthy = shared("min-healthy", raw.min_healthy.as_deref(), default.min_healthy);
    let recover = shared("recover", raw.recover.as_deref(), min_healthy.unwrap_or(default.recover));
    let by = match raw.shared {
        None => default.shared,
        Some(raw::RawSharedBy::Any) => SharedBy::Any,
        Some(raw::RawSharedBy::All) => SharedBy::All,
    };
    let (min_healthy, recover) = (min_healthy?, recover?);
    if recover < min_healthy {
        return report.refuse(&at.key("recover"), Problem::SharesCross { min_healthy, recover });
    }
    if let Some(prefix) = prefix.filter(|prefix| prefix.prefix_len() < prefix.max_prefix_len()) {
        return report.refuse(at, Problem::AnnounceOfMany { prefix });
    }
    let (hold_down, hold_up) = (hold_down?, hold_up?);
    Some(AnnounceSettings { min_healthy, recover, hold_down, hold_up, shared: by })
}

/// `20%`, in whole per cent.
fn share(given: &str, at: &ConfigPath<'_>, report: &mut FaultReport) -> Option<HealthyShare> {
    let share = percent(given).and_then(HealthyShare::new);
    share.or_else(|| report.refuse(at, Problem::BadHealthyShare { given: given.to_owned() }))
}
