//! `healthchecks`: how often a backend is probed, what is sent, what passes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::{NonZeroU16, NonZeroU32};
use std::time::Duration;

use super::values::{FamilyAddress, address, number, optional, or_default, port, some_time};
use crate::config::fault::{AddressFlaw, Problem};
use crate::config::raw::{self, RawKind};
use crate::config::report::{ConfigPath, FaultReport};
use crate::domain::config::{CheckKind, HealthCheck, Timing};
use crate::domain::health::damping::FlapDamping;

mod http_params;
mod params;
mod steps;
mod tls;

const RISE: NonZeroU32 = NonZeroU32::MIN.saturating_add(1);
const FALL: NonZeroU32 = NonZeroU32::MIN.saturating_add(2);
const DNS_PORT: i64 = 53;
const DAMPING_WINDOW: Duration = Duration::from_secs(600);
const MAX_DELAY: Duration = Duration::from_secs(300);

/// A shorter interval would measure the scheduler, and load a backend more than
/// its clients do.
const LEAST_INTERVAL: Duration = Duration::from_millis(10);

pub(super) fn check(
    raw: &raw::RawCheck,
    at: &ConfigPath<'_>,
    report: &mut FaultReport,
) -> Option<HealthCheck> {
    let kind = report
        .require(&at.key("type"), raw.kind, "icmp, tcp, udp, http, https, dns or grpc")
        .and_then(|kind| self::kind(kind, raw, at, report));
    let timing = timing(raw, at, report);
    let source_v4 = optional(raw.probe_ipv4_src.as_deref(), |given| {
        source::<Ipv4Addr>(given, &at.key("probe-ipv4-src"), report)
    });
    let source_v6 = optional(raw.probe_ipv6_src.as_deref(), |given| {
        source::<Ipv6Addr>(given, &at.key("probe-ipv6-src"), report)
    });
    let proxy = or_default(raw.kind, None, |kind| {
        params::proxy(kind, &raw.params, &at.key("params"), report)
    });
    Some(HealthCheck {
        kind: kind?,
        timing: timing?,
        source_v4: source_v4?,
        source_v6: source_v6?,
        proxy: proxy?,
    })
}

/// An address that probes can leave from. Whether it is this machine's is known when
/// they do.
fn source<A: FamilyAddress + Copy + Into<IpAddr>>(
    given: &str,
    at: &ConfigPath<'_>,
    report: &mut FaultReport,
) -> Option<A> {
    let source = address::<A>(given, at, report)?;
    let address = source.into();
    match AddressFlaw::of_source(address) {
        None => Some(source),
        Some(flaw) => report.refuse(at, Problem::UnusableSource { address, flaw }),
    }
}

fn kind(
    kind: RawKind,
    raw: &raw::RawCheck,
    at: &ConfigPath<'_>,
    report: &mut FaultReport,
) -> Option<CheckKind> {
    let port = match (kind, raw.port) {
        (RawKind::Icmp, None) => None,
        (RawKind::Icmp, Some(_)) => report.refuse(&at.key("port"), Problem::PortOfIcmp),
        (RawKind::Dns, given) => check_port(Some(given.unwrap_or(DNS_PORT)), at, report),
        (_, given) => check_port(given, at, report),
    };
    let at = at.key("params");
    let params = &raw.params;
    params::refuse_foreign_keys(kind, params, &at, report);
    match kind {
        RawKind::Icmp => Some(CheckKind::Icmp),
        RawKind::Tcp => {
            let tls = tls::tls(params, params.ssl.unwrap_or(false), "set ssl: true", &at, report);
            let steps = or_default(params.steps.as_deref(), Vec::new(), |given| {
                steps::steps(given, false, &at.key("steps"), report)
            });
            Some(CheckKind::Tcp { port: port?, tls: tls?, steps: steps? })
        }
        RawKind::Udp => {
            let at = at.key("steps");
            let steps = report
                .require(&at, params.steps.as_deref(), "what to send and to expect")
                .and_then(|given| steps::steps(given, true, &at, report));
            Some(CheckKind::Udp { port: port?, steps: steps? })
        }
        RawKind::Http | RawKind::Https => {
            let tls = tls::tls(params, kind == RawKind::Https, "set type: https", &at, report);
            let exchange = http_params::http(kind, params, &at, report);
            let over_http2 = params.http2 == Some(true);
            let tls = tls.map(|tls| if over_http2 { tls.map(tls::over_http2) } else { tls });
            Some(CheckKind::Http { port: port?, tls: tls?, exchange: exchange? })
        }
        RawKind::Grpc => {
            let wanted = params.ssl.unwrap_or(false);
            let tls = tls::tls(params, wanted, "set ssl: true", &at, report);
            let tls = tls.map(|tls| tls.map(tls::over_http2));
            let exchange = http_params::grpc(params, &at, report);
            Some(CheckKind::Grpc { port: port?, tls: tls?, exchange: exchange? })
        }
        RawKind::Dns => {
            let exchange = params::dns(params, &at, report);
            Some(CheckKind::Dns { port: port?, exchange: exchange? })
        }
    }
}

fn check_port(
    given: Option<i64>,
    at: &ConfigPath<'_>,
    report: &mut FaultReport,
) -> Option<NonZeroU16> {
    let at = at.key("port");
    let given = report.require(&at, given, "the port to probe")?;
    port(given, &at, report)
}

fn timing(raw: &raw::RawCheck, at: &ConfigPath<'_>, report: &mut FaultReport) -> Option<Timing> {
    let interval_at = at.key("interval");
    let interval = report
        .require(&interval_at, raw.interval.as_deref(), "the time between two probes, such as 5s")
        .and_then(|given| interval_of(given, &interval_at, report));
    let fast = optional(raw.fast_interval.as_deref(), |given| {
        interval_of(given, &at.key("fast-interval"), report)
    });
    let down = optional(raw.down_interval.as_deref(), |given| {
        interval_of(given, &at.key("down-interval"), report)
    });
    let timeout_at = at.key("timeout");
    let timeout = report
        .require(&timeout_at, raw.timeout.as_deref(), "the time a probe may take, such as 2s")
        .and_then(|given| some_time(given, "2s", &timeout_at, report));
    let rise = or_default(raw.rise, RISE, |given| consecutive(given, &at.key("rise"), report));
    let fall = or_default(raw.fall, FALL, |given| consecutive(given, &at.key("fall"), report));
    let damping = optional(raw.flap_damping.as_ref(), |given| {
        damping(given, &at.key("flap-damping"), report)
    });
    let interval = interval?;
    Some(Timing {
        interval,
        fast_interval: fast?.unwrap_or(interval),
        down_interval: down?.unwrap_or(interval),
        timeout: timeout?,
        rise: rise?,
        fall: fall?,
        damping: damping?,
    })
}

fn damping(
    raw: &raw::RawFlapDamping,
    at: &ConfigPath<'_>,
    report: &mut FaultReport,
) -> Option<FlapDamping> {
    let delay_at = at.key("delay");
    let delay = report
        .require(&delay_at, raw.delay.as_deref(), "what the second return waits, such as 10s")
        .and_then(|given| some_time(given, "10s", &delay_at, report));
    let window = or_default(raw.window.as_deref(), DAMPING_WINDOW, |given| {
        some_time(given, "10m", &at.key("window"), report)
    });
    let max_at = at.key("max-delay");
    let max = optional(raw.max_delay.as_deref(), |given| some_time(given, "5m", &max_at, report));
    let (delay, max) = (delay?, max?);
    let max_delay = max.unwrap_or_else(|| MAX_DELAY.max(delay));
    if max_delay < delay {
        return report.refuse(&max_at, Problem::DampingDelaysCross { delay, max: max_delay });
    }
    Some(FlapDamping { window: window?, delay, max_delay })
}

fn interval_of(given: &str, at: &ConfigPath<'_>, report: &mut FaultReport) -> Option<Duration> {
    let given = some_time(given, "5s", at, report)?;
    if given < LEAST_INTERVAL {
        return report.refuse(at, Problem::TooShort { given, least: LEAST_INTERVAL });
    }
    Some(given)
}

/// The number of results in a row that decide.
fn consecutive(given: i64, at: &ConfigPath<'_>, report: &mut FaultReport) -> Option<NonZeroU32> {
    number(given, 1..=1000, at, report).and_then(NonZeroU32::new)
}
