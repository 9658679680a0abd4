//! Values of several sections: numbers, durations, addresses, words.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU16;
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use crate::config::fault::{AddressFamily, Problem};
use crate::config::report::{ConfigPath, FaultReport};
use crate::domain::duration;

/// `given`, if it is in `range`, which must be within `T`.
pub(super) fn number<T: TryFrom<i64>>(
    given: i64,
    range: RangeInclusive<i64>,
    at: &ConfigPath<'_>,
    report: &mut FaultReport,
) -> Option<T> {
    let inside = Some(given).filter(|given| range.contains(given));
    inside.and_then(|given| T::try_from(given).ok()).or_else(|| {
        let (least, most) = range.into_inner();
        report.refuse(at, Problem::OutOfRange { given, least, most })
    })
}

pub(super) fn port(
    given: i64,
    at: &ConfigPath<'_>,
    report: &mut FaultReport,
) -> Option<NonZeroU16> {
    number(given, 1..=65_535, at, report).and_then(NonZeroU16::new)
}

/// `given`, if it is a power of two up to `most`.
pub(super) fn power_of_two(
    given: i64,
    most: u32,
    example: i64,
    at: &ConfigPath<'_>,
    report: &mut FaultReport,
) -> Option<u32> {
    match u32::try_from(given) {
        Ok(power) if power.is_power_of_two() && power <= most => Some(power),
        _ => {
            let most = i64::from(most);
            report.refuse(at, Problem::NotAPowerOfTwo { given, most, example })
        }
    }
}

pub(super) fn duration(
    given: &str,
    at: &ConfigPath<'_>,
    report: &mut FaultReport,
) -> Option<Duration> {
    duration::parse(given).map_or_else(
        |error| report.refuse(at, Problem::BadDuration { given: given.to_owned(), error }),
        Some,
    )
}

/// A duration above 0; the fault names `example`.
pub(super) fn some_time(
    given: &str,
    example: &'static str,
    at: &ConfigPath<'_>,
    report: &mut FaultReport,
) -> Option<Duration> {
    let duration = duration(given, at, report)?;
    if duration.is_zero() {
        return report.refuse(at, Problem::ZeroDuration { example });
    }
    Some(duration)
}

/// An IPv4 address, an IPv6 address, or either.
pub(super) trait FamilyAddress: Sized {
    /// For the fault.
    const FAMILY: AddressFamily;
    /// `None` for an address of another family.
    fn of(address: IpAddr) -> Option<Self>;
}

impl FamilyAddress for Ipv4Addr {
    const FAMILY: AddressFamily = AddressFamily::V4;
    fn of(address: IpAddr) -> Option<Self> {
        if let IpAddr::V4(v4) = address { Some(v4) } else { None }
    }
}

impl FamilyAddress for Ipv6Addr {
    const FAMILY: AddressFamily = AddressFamily::V6;
    fn of(address: IpAddr) -> Option<Self> {
        if let IpAddr::V6(v6) = address { Some(v6) } else { None }
    }
}

impl FamilyAddress for IpAddr {
    const FAMILY: AddressFamily = AddressFamily::Any;
    fn of(address: IpAddr) -> Option<Self> {
        Some(address)
    }
}

/// An address of the family that `A` asks for.
pub(super) fn address<A: FamilyAddress>(
    given: &str,
    at: &ConfigPath<'_>,
    report: &mut FaultReport,
) -> Option<A> {
    let wanted = A::FAMILY;
    let Ok(address) = given.parse() else {
        return report.refuse(at, Problem::NotAnAddress { given: given.to_owned(), wanted });
    };
    A::of(address).or_else(|| report.refuse(at, Problem::WrongFamily { address, wanted }))
}

/// `20%`, in whole per cent; `None` if it is something else.
pub(super) fn percent(given: &str) -> Option<u8> {
    let digits = given.strip_suffix('%')?;
    digits.bytes().all(|it| it.is_ascii_digit()).then(|| digits.parse().ok())?
}

/// The path of a file, from the root.
pub(super) fn absolute_path(
    given: &str,
    at: &ConfigPath<'_>,
    report: &mut FaultReport,
) -> Option<String> {
    if Path::new(given).is_absolute() && !given.contains('\0') {
        return Some(given.to_owned());
    }
    report.refuse(at, Problem::RelativePath { given: given.to_owned() })
}

/// One of `known` words, which are in capitals. Any case is accepted.
pub(super) fn word(
    given: &str,
    known: &'static [&'static str],
    at: &ConfigPath<'_>,
    report: &mut FaultReport,
) -> Option<String> {
    match known.iter().find(|word| word.eq_ignore_ascii_case(given)) {
        Some(word) => Some((*word).to_owned()),
        None => report.refuse(at, Problem::NotOneOf { given: given.to_owned(), known }),
    }
}

/// The value of an optional key: `default` without it.
pub(super) fn or_default<R, T>(
    given: Option<R>,
    default: T,
    resolve: impl FnOnce(R) -> Option<T>,
) -> Option<T> {
    given.map_or(Some(default), resolve)
}

/// The value of an optional key without a default.
pub(super) fn optional<R, T>(
    given: Option<R>,
    resolve: impl FnOnce(R) -> Option<T>,
) -> Option<Option<T>> {
    given.map_or(Some(None), |given| resolve(given).map(Some))
}
