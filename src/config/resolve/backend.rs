//! `backends`: the servers.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::values;
use crate::config::fault::{AddressFlaw, Problem};
use crate::config::raw::{self, RawKind};
use crate::config::report::{ConfigPath, FaultReport};
use crate::config::warnings::WarningKind;
use crate::domain::config::Backend;
use crate::domain::dns;
use crate::domain::names::CheckName;
use crate::domain::resolution::{BackendAddress, HostName, IpFamily};

/// Every backend of the file by name; `None` where the address has a fault, which
/// is reported once and not for each frontend.
pub(super) type Addresses<'a> = BTreeMap<&'a str, Option<BackendAddress>>;

/// The address. Apart from the rest, so that frontends can be checked against the
/// address of a backend that has another fault.
pub(super) fn address(
    raw: &raw::RawBackend,
    at: &ConfigPath<'_>,
    report: &mut FaultReport,
) -> Option<BackendAddress> {
    let resolve_at = at.key("resolve");
    let at = at.key("address");
    let given = report.require(
        &at,
        raw.address.as_deref(),
        "the server's IP address, such as 192.0.2.10 or 2001:db8::10",
    )?;
    match (given.parse(), raw.resolve) {
        (Ok(address), Some(_)) => {
            report.fault(&resolve_at, Problem::ResolveOfAddress { address });
        }
        (Err(_), Some(family)) => {
            let name = given.to_owned();
            if dns::labels(given).is_none() {
                return report.refuse(&at, Problem::BadQuery { given: name });
            }
            if !dns::is_host_name(given) {
                return report.refuse(&at, Problem::BadHostName { name });
            }
            let family = match family {
                raw::RawResolve::Ipv4 => IpFamily::V4,
                raw::RawResolve::Ipv6 => IpFamily::V6,
            };
            return Some(BackendAddress::Name(HostName { name, family }));
        }
        // A text that can be neither is reported as a wrong address.
        (Err(_), None) if dns::is_host_name(given) && given.contains(char::is_alphabetic) => {
            return report.refuse(&at, Problem::NameWithoutFamily { name: given.to_owned() });
        }
        (_, None) => {}
    }
    let address = values::address::<IpAddr>(given, &at, report)?;
    match AddressFlaw::of(address) {
        None => Some(BackendAddress::Ip(address)),
        Some(flaw) => report.refuse(&at, Problem::UnusableAddress { address, flaw }),
    }
}

/// The whole backend. Its check must be one of `checks`.
pub(super) fn backend(
    raw: &raw::RawBackend,
    address: Option<BackendAddress>,
    checks: &BTreeMap<String, raw::RawCheck>,
    at: &ConfigPath<'_>,
    report: &mut FaultReport,
) -> Option<Arc<Backend>> {
    let check = values::optional(raw.healthcheck.as_deref(), |name| {
        if checks.contains_key(name) {
            return Some(CheckName::from(name));
        }
        report.refuse(&at.key("healthcheck"), Problem::UnknownCheck { name: name.to_owned() })
    });
    let port_at = at.key("port");
    let port = values::optional(raw.port, |given| {
        let kind = raw.healthcheck.as_ref().and_then(|name| checks.get(name)?.kind);
        match kind {
            Some(RawKind::Icmp) => report.refuse(&port_at, Problem::PortOfIcmp),
            _ => values::port(given, &port_at, report),
        }
    });
    if raw.port.is_some() && raw.healthcheck.is_none() {
        report.warn(&port_at, WarningKind::PortWithoutCheck);
    }
    let enabled = raw.enabled.unwrap_or(true);
    Some(Arc::new(Backend { address: address?, check: check?, port: port?, enabled }))
}
