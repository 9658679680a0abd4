//! What is known of the servers that VPP serves.

use std::collections::BTreeSet;
use std::net::IpAddr;

/// The servers that VPP sends flows to, as far as is known.
#[derive(Debug)]
pub(super) enum ServedAddresses {
    /// VPP was not read yet: it may serve every backend.
    Unknown,
    /// As VPP was last read anew, or as was desired before the last reload; none without
    /// a VPP.
    Known(BTreeSet<IpAddr>),
}

impl ServedAddresses {
    /// Whether VPP may serve this address. For a name that is not resolved yet (`None`)
    /// this is asked again when it is.
    pub(super) fn may_have(&self, address: Option<IpAddr>) -> bool {
        match (self, address) {
            (Self::Unknown, _) => true,
            (Self::Known(served), Some(address)) => served.contains(&address),
            (Self::Known(_), None) => false,
        }
    }
}
