//! What a scenario is made of, and how much may break in most of them.

use std::time::Duration;

use super::bed::Bed;
use super::configuration::Configuration;
use super::row::{Bound, HELD};

/// One row of the table.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// For people.
    pub(crate) what: &'static str,
    pub(crate) configuration: Configuration,
    /// Before the client comes.
    pub(crate) prepare: fn(&mut Bed),
    /// While the client is there.
    pub(crate) act: fn(&mut Bed),
    /// Beyond what nobody could have kept.
    pub(crate) bound: Bound,
    /// Connections that the client holds to the end.
    pub(crate) held: u64,
    /// Whether a second VPP stands by.
    pub(crate) has_second: bool,
    /// Whether it takes a VPP of the other kind: one without weights, or one with.
    pub(crate) needs_other: bool,
}

/// Nothing may break: a new connection every 20 ms has a success in between.
const NOTHING: Bound = bound(0, 0, 750, 100);
/// Established ones of a server are flushed, and with them those new ones that
/// have said one of their two lines.
pub(crate) const FLUSHED: Bound = bound(0, 15, 750, 100);
pub(crate) const POOL_FLUSHED: Bound = bound(0, 45, 750, 100);
/// What came while the first server was alone would stay on it.
pub(crate) const SHARED: Bound = bound(0, 75, 750, 50);
/// VPP is back and has no VIP yet: dial, read, write.
pub(crate) const PROGRAMMED: Bound = bound(0, 75, 1500, 100);
/// The same, and the table is another one.
pub(crate) const SHARED_ANEW: Bound = bound(100, 75, 1500, 100);
/// Nothing answers; what was sent meanwhile is in VPP's queues.
pub(crate) const FROZEN: Bound = bound(0, 125, 2500, 100);

pub(crate) const PLAIN: Scenario = Scenario {
    name: "",
    what: "",
    configuration: Configuration::QUICK,
    prepare: |_| {},
    act: |_| {},
    bound: NOTHING,
    held: HELD,
    has_second: false,
    needs_other: false,
};

const fn bound(broken: u64, failed: u64, gap: u64, fullest: u64) -> Bound {
    Bound { broken, failed, gap: Duration::from_millis(gap), fullest }
}
