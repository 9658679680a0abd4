//! DNS names as they are asked for.

use hickory_resolver::proto::rr::Name;

use crate::domain::dns;

/// The name with its labels as they are; `None` for what is no DNS name. hickory's own
/// parsers refuse some names that exist, such as `a_b.test`.
pub(super) fn dns_name(name: &str) -> Option<Name> {
    let labels = dns::labels(name)?;
    let mut parsed = Name::from_labels(labels.into_iter().map(str::as_bytes)).ok()?;
    parsed.set_fqdn(name.ends_with('.'));
    Some(parsed)
}
