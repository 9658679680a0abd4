//! The few messages of rtnetlink that the driver needs (linux/netlink.h,
//! linux/rtnetlink.h). Numbers are in the machine's byte order.

#[cfg(test)]
mod tests;

use std::net::IpAddr;

use crate::domain::announce::placement::VipPrefix;

pub(super) const NEW_ROUTE: u16 = 24;
pub(super) const DEL_ROUTE: u16 = 25;
const GET_ROUTE: u16 = 26;
const ERROR: u16 = 2;
const DONE: u16 = 3;

const REQUEST: u16 = 0x1;
const ACK: u16 = 0x4;
const DUMP_INTERRUPTED: u16 = 0x10;
const DUMP: u16 = 0x300;
const EXCLUSIVE: u16 = 0x200;
const CREATE: u16 = 0x400;

const TO: u16 = 1;
const PRIORITY: u16 = 6;
const TABLE: u16 = 15;

const TYPE_BLACKHOLE: u8 = 6;
const SCOPE_NOWHERE: u8 = 255;
/// A route whose metric is 0 has no attribute for it.
const NO_METRIC: u32 = 0;

pub(super) const INET: u8 = 2;
pub(super) const INET6: u8 = 10;

/// A route to one address, as far as it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KernelRoute {
    pub(super) prefix: VipPrefix,
    pub(super) table: u32,
    pub(super) protocol: u8,
    pub(super) metric: u32,
    pub(super) is_blackhole: bool,
}

/// One message of the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Received {
    /// A route to one address that is there, or that came or went.
    Route(KernelRoute),
    /// The answer to the request of this number: 0, or an errno.
    Answer { sequence: u32, errno: i32 },
    /// The end of a dump, and its errno. The table may have changed meanwhile.
    Done { errno: i32, is_interrupted: bool },
    /// Something else, such as a route to a larger prefix.
    Other { is_interrupted: bool },
}

/// Appends the request to add a route (which fails if there is one) or to delete it.
pub(super) fn put_request(to: &mut Vec<u8>, kind: u16, sequence: u32, route: &KernelRoute) {
    let more = if kind == NEW_ROUTE { CREATE | EXCLUSIVE } else { 0 };
    let scope = if kind == NEW_ROUTE { 0 } else { SCOPE_NOWHERE };
    put_message(to, kind, REQUEST | ACK | more, sequence, |body| {
        let family = if route.prefix.is_ipv6() { INET6 } else { INET };
        let (length, protocol) = (route.prefix.length(), route.protocol);
        let kind = if route.is_blackhole { TYPE_BLACKHOLE } else { 0 };
        body.extend([family, length, 0, 0, 0, protocol, scope, kind, 0, 0, 0, 0]);
        match route.prefix.address() {
            IpAddr::V4(address) => put_attribute(body, TO, &address.octets()),
            IpAddr::V6(address) => put_attribute(body, TO, &address.octets()),
        }
        put_attribute(body, PRIORITY, &route.metric.to_ne_bytes());
        put_attribute(body, TABLE, &route.table.to_ne_bytes());
    });
}

/// A request for every route of `table`; with `protocol`, for those of it alone. The
/// socket has to be strict, or the kernel sends every table.
pub(super) fn dump_request(sequence: u32, family: u8, table: u32, protocol: Option<u8>) -> Vec<u8> {
    let mut message = Vec::new();
    put_message(&mut message, GET_ROUTE, REQUEST | DUMP, sequence, |body| {
        body.extend([family, 0, 0, 0, 0, protocol.unwrap_or(0), 0, 0, 0, 0, 0, 0]);
        put_attribute(body, TABLE, &table.to_ne_bytes());
    });
    message
}

fn put_message(
    to: &mut Vec<u8>,
    kind: u16,
    flags: u16,
    sequence: u32,
    body: impl FnOnce(&mut Vec<u8>),
) {
    let start = to.len();
    to.extend([0; 4]);
    to.extend(kind.to_ne_bytes());
    to.extend(flags.to_ne_bytes());
    to.extend(sequence.to_ne_bytes());
    to.extend([0; 4]);
    body(to);
    let length = u32::try_from(to.len() - start).unwrap_or(u32::MAX);
    to[start..start + 4].copy_from_slice(&length.to_ne_bytes());
}

/// All of ours are whole numbers of four bytes long.
fn put_attribute(to: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let length = u16::try_from(value.len() + 4).unwrap_or(u16::MAX);
    to.extend(length.to_ne_bytes());
    to.extend(kind.to_ne_bytes());
    to.extend(value);
}

/// The messages of one datagram. `Err`: it is cut off, or lies about its lengths.
pub(super) fn received(datagram: &[u8]) -> Result<Vec<Received>, CutOff> {
    let mut found = Vec::new();
    let mut rest = datagram;
    while !rest.is_empty() {
        let length = usize::try_from(number(rest, 0)?).map_err(|_| CutOff)?;
        let message = rest.get(..length).filter(|_| length >= 16).ok_or(CutOff)?;
        found.push(one(message)?);
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(found)
}

/// A datagram whose bytes end too early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CutOff;

fn one(message: &[u8]) -> Result<Received, CutOff> {
    let (kind, flags) = (short(message, 4)?, short(message, 6)?);
    let is_interrupted = flags & DUMP_INTERRUPTED != 0;
    // The errno is negated.
    let errno =
        || number(message, 16).map(|value| i32::from_ne_bytes(value.to_ne_bytes()).wrapping_neg());
    match kind {
        ERROR => Ok(Received::Answer { sequence: number(message, 8)?, errno: errno()? }),
        DONE => Ok(Received::Done { errno: errno().unwrap_or(0), is_interrupted }),
        NEW_ROUTE | DEL_ROUTE => {
            let route = route(message.get(16..).ok_or(CutOff)?)?;
            let other = Received::Other { is_interrupted };
            Ok(route.filter(|_| !is_interrupted).map_or(other, Received::Route))
        }
        _ => Ok(Received::Other { is_interrupted }),
    }
}

fn route(body: &[u8]) -> Result<Option<KernelRoute>, CutOff> {
    let header: [u8; 12] = body.get(..12).and_then(|it| it.try_into().ok()).ok_or(CutOff)?;
    let [family, length, _, _, table, protocol, _, kind, ..] = header;
    let (mut address, mut metric, mut table) = (None, NO_METRIC, u32::from(table));
    let mut rest = &body[12..];
    while rest.len() >= 4 {
        let (size, kind) = (usize::from(short(rest, 0)?), short(rest, 2)?);
        let value = rest.get(4..size).ok_or(CutOff)?;
        match (kind, value.len()) {
            (TO, 4) => address = <[u8; 4]>::try_from(value).ok().map(IpAddr::from),
            (TO, 16) => address = <[u8; 16]>::try_from(value).ok().map(IpAddr::from),
            (PRIORITY, 4) => metric = number(value, 0)?,
            (TABLE, 4) => table = number(value, 0)?,
            _ => {}
        }
        rest = rest.get(size.next_multiple_of(4)..).unwrap_or_default();
    }
    let is_known = family == INET || family == INET6;
    let prefix = address.map(VipPrefix::new).filter(|it| is_known && it.length() == length);
    let is_blackhole = kind == TYPE_BLACKHOLE;
    Ok(prefix.map(|prefix| KernelRoute { prefix, table, protocol, metric, is_blackhole }))
}

fn number(bytes: &[u8], at: usize) -> Result<u32, CutOff> {
    let bytes = bytes.get(at..at + 4).and_then(|it| it.try_into().ok()).ok_or(CutOff)?;
    Ok(u32::from_ne_bytes(bytes))
}

fn short(bytes: &[u8], at: usize) -> Result<u16, CutOff> {
    let bytes = bytes.get(at..at + 2).and_then(|it| it.try_into().ok()).ok_or(CutOff)?;
    Ok(u16::from_ne_bytes(bytes))
}
