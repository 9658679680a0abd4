//! What VPP's forwarding table (FIB) does with a VIP, and with the packets to a server.
//!
//! `lb` is one of several sources that an entry may have, and VPP follows the one of
//! the lowest priority alone. An address of an interface goes before `lb`: packets to
//! a VIP that stands on an interface never reach it, and nothing of `lb` shows that.

use std::collections::BTreeSet;

/// The name of `lb`'s source in VPP.
const LB: &str = "lb";
/// The name of the source that an interface's addresses have.
const INTERFACE: &str = "interface";

/// The entry of a prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FibEntry {
    /// There is none of this very prefix.
    Absent,
    Present {
        /// The name of the source that VPP follows: `lb`, `interface`, `CLI`, ….
        source: String,
        /// The interface of its first path, if it has one.
        interface: Option<String>,
    },
}

impl FibEntry {
    /// Whether packets to the prefix reach `lb`.
    #[must_use]
    pub fn leads_to_lb(&self) -> bool {
        matches!(self, Self::Present { source, .. } if source == LB)
    }

    /// Whether an address of an interface goes before `lb`.
    #[must_use]
    pub fn is_of_interface(&self) -> bool {
        matches!(self, Self::Present { source, .. } if source == INTERFACE)
    }
}

/// An interface through which packets leave.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Egress {
    /// Its name in VPP.
    pub interface: String,
    /// Bytes of the longest packet of the server's family; `None`: not set.
    pub mtu: Option<u32>,
}

/// Through which interfaces packets to a server leave; empty: VPP has no route to it.
pub type Egresses = BTreeSet<Egress>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_source_that_vpp_follows_counts() {
        let of = |source: &str| FibEntry::Present { source: source.into(), interface: None };
        assert!(of("lb").leads_to_lb() && !of("lb").is_of_interface());
        assert!(!of("interface").leads_to_lb() && of("interface").is_of_interface());
        assert!(!of("lb2").leads_to_lb());
        assert!(!FibEntry::Absent.leads_to_lb() && !FibEntry::Absent.is_of_interface());
    }
}
