//! DNS response codes and their names.

use std::borrow::Cow;

use crate::domain::dns::RCODES;

/// The code that is followed by records.
pub(super) const NOERROR: u8 = 0;

/// The name of a code, or its number.
pub(super) fn name(rcode: u8) -> Cow<'static, str> {
    match RCODES.get(usize::from(rcode)) {
        Some(name) => (*name).into(),
        None => format!("RCODE{rcode}").into(),
    }
}
