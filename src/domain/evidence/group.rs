//! Probes that share their way out of this machine.

use std::fmt;
use std::net::IpAddr;

use crate::domain::resolution::IpFamily;

/// Probes that take the same way out of this machine. All leave from one namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProbeGroup {
    pub family: IpFamily,
    /// The check's source address; `None`: the kernel chooses.
    pub source: Option<IpAddr>,
}

impl ProbeGroup {
    /// Whether probes to `address` can take this way.
    #[must_use]
    pub fn has(&self, address: IpAddr) -> bool {
        address.is_ipv4() == (self.family == IpFamily::V4)
    }
}

/// `ipv4`, or `ipv6 from 2001:db8::1`
impl fmt::Display for ProbeGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let family = match self.family {
            IpFamily::V4 => "ipv4",
            IpFamily::V6 => "ipv6",
        };
        match self.source {
            None => f.write_str(family),
            Some(source) => write!(f, "{family} from {source}"),
        }
    }
}
