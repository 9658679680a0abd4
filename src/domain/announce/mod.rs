//! Decides which VIPs routing daemons are to announce, so that a site draws the traffic
//! that it can serve, and no other.
//!
//! What is announced is a VIP's address alone, its *prefix*: /32 or /128. Frontends of one
//! address share it. [`AnnounceState`] holds what was decided for each prefix, takes what
//! is known at one moment, and returns what is wanted, what has changed, and when to decide
//! again. In this order:
//!
//! 1. Until VPP was read and every backend has a verdict, nothing is decided: what an
//!    earlier daemon has placed stays, but for what an operator has ordered withdrawn.
//! 2. An operator's `withdraw` is done at once.
//! 3. What VPP does not serve is not announced. A prefix that was stays for `hold-vpp`,
//!    into which a restart of VPP fits.
//! 4. An operator's `announce` is done.
//! 5. Too little of the servers' weight up withdraws a prefix after `hold-down`, unless
//!    that was believed without a witness: then it is held as it is, since what fails may
//!    be this machine's way to see. Enough of it up announces it after `hold-up`.
//! 6. An operator's `drain` lowers the preference of what would be announced.

mod driver_addresses;
mod driver_record;
mod facts;
mod listing;
mod report;
mod settings;
mod state;
mod verdict;

pub mod driver_loop;
pub mod orders;
pub mod placement;

pub use driver_addresses::DriverAddresses;
pub use driver_record::{
    DriverNews, DriverRecord, DriverView, PlacedChange, PlacedProblem, PlacedState, PlacedView,
};
pub use facts::{AnnounceFacts, AnnounceUpdate, AnnouncedFrontend, PrefixFacts};
pub use listing::{AnnouncementListing, AnnouncementReport};
pub use report::DriverReport;
pub use settings::{AnnounceSettings, AnnouncerSettings, DriverSettings, HealthyShare, SharedBy};
pub use state::{
    AnnounceDecision, AnnounceState, AnnouncementChange, AnnouncementView, VipStanding,
};
pub use verdict::{AnnounceReason, HoldReason};

#[cfg(test)]
mod tests;
