//! DNS response codes and their names.

use std::borrow::Cow;

/// The names of response codes, by number (IANA, "DNS RCODEs").
pub(crate) const NAMES: [&str; 11] = [
    "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET",
    "NXRRSET", "NOTAUTH", "NOTZONE",
];

/// The code that is followed by records.
pub(super) const NOERROR: u8 = 0;

/// The name of a code, or its number.
pub(super) fn name(rcode: u8) -> Cow<'static, str> {
    match NAMES.get(usize::from(rcode)) {
        Some(name) => (*name).into(),
        None => format!("RCODE{rcode}").into(),
    }
}
