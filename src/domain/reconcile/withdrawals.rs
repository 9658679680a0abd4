//! Has a VIP that is to be removed serve on until routers send it no more packets: until
//! the drivers of announcements have withdrawn its address, and a while longer.
//!
//! The wait is bounded: a routing daemon that hangs does not keep a VIP for ever.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a removal waits for drivers to withdraw the address, at most.
pub const WITHDRAW_LIMIT: Duration = Duration::from_secs(5);

/// What the configuration says of announcements, as far as removals depend on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnnouncedVips {
    /// The addresses that frontends announce. They are not withdrawn because one of their
    /// VIPs is removed.
    pub addresses: BTreeSet<IpAddr>,
    /// `announce.leave`: how long a VIP serves on once its address was withdrawn.
    pub leave: Duration,
    /// There are drivers, which tell what they have placed.
    pub has_drivers: bool,
}

/// The addresses that the drivers have placed; `None`: not all of them were read yet, or
/// nothing was decided yet.
pub type PlacedAddresses = Option<Arc<BTreeSet<IpAddr>>>;

/// See the module's description.
#[derive(Debug, Default)]
pub(super) struct Withdrawals {
    announced: AnnouncedVips,
    placed: PlacedAddresses,
    /// As it was known last.
    last_placed: Arc<BTreeSet<IpAddr>>,
    /// When each address was withdrawn; forgotten when `leave` is over.
    withdrawn: BTreeMap<IpAddr, Instant>,
    waits: BTreeMap<IpAddr, RemovalWait>,
}

#[derive(Clone, Copy, Debug)]
struct RemovalWait {
    /// When the drivers are waited for no longer.
    limit: Instant,
    /// It is over, and the address is announced all the same.
    is_given_up: bool,
}

/// What [`Withdrawals::wait`] finds.
#[derive(Debug, Default)]
pub(super) struct WaitingRemovals {
    /// Of the VIPs that are not to be removed yet.
    pub(super) addresses: BTreeSet<IpAddr>,
    /// Those of them that did not wait before.
    pub(super) begun: BTreeSet<IpAddr>,
    /// Those whose time is over although they are announced, each once.
    pub(super) given_up: Vec<IpAddr>,
}

impl Withdrawals {
    /// The configuration has changed.
    pub(super) fn announce(&mut self, announced: AnnouncedVips) {
        self.announced = announced;
    }

    /// The drivers were read.
    pub(super) fn placed(&mut self, placed: PlacedAddresses, now: Instant) {
        if let Some(placed) = &placed {
            let before = std::mem::replace(&mut self.last_placed, Arc::clone(placed));
            self.withdrawn.retain(|address, _| !placed.contains(address));
            self.withdrawn.extend(before.difference(placed).map(|address| (*address, now)));
        }
        let leave = self.announced.leave;
        self.withdrawn.retain(|_, at| *at + leave > now);
        self.placed = placed;
    }

    /// Begins, or continues, to wait with the removal of the VIPs of these addresses, and
    /// of no others. While nothing was read, `startup` is waited longer.
    pub(super) fn wait(
        &mut self,
        addresses: BTreeSet<IpAddr>,
        startup: Duration,
        now: Instant,
    ) -> WaitingRemovals {
        let mut waiting = WaitingRemovals::default();
        let mut before = std::mem::take(&mut self.waits);
        for address in addresses {
            let known = before.remove(&address);
            let mut wait = known.unwrap_or_else(|| {
                let allowance = if self.placed.is_none() { startup } else { Duration::ZERO };
                RemovalWait { limit: now + allowance + WITHDRAW_LIMIT, is_given_up: false }
            });
            if self.until(address, wait).is_some_and(|until| until > now) {
                waiting.addresses.insert(address);
                waiting.begun.extend(known.is_none().then_some(address));
            } else if !self.is_announced(address) {
                continue;
            } else if !std::mem::replace(&mut wait.is_given_up, true) {
                waiting.given_up.push(address);
            }
            self.waits.insert(address, wait);
        }
        waiting
    }

    /// When the first of the waits is over; `None`: nothing waits.
    pub(super) fn next(&self, now: Instant) -> Option<Instant> {
        let waits = self.waits.iter().filter(|(_, wait)| !wait.is_given_up);
        waits.map(|(address, wait)| self.until(*address, *wait).unwrap_or(now)).min()
    }

    /// Until when the VIPs of this address stay; `None`: they may be removed.
    fn until(&self, address: IpAddr, wait: RemovalWait) -> Option<Instant> {
        if self.is_announced(address) {
            return Some(wait.limit);
        }
        let withdrawn = self.withdrawn.get(&address)?;
        Some(*withdrawn + self.announced.leave)
    }

    /// It is announced, or may be, and is not to stay so.
    fn is_announced(&self, address: IpAddr) -> bool {
        let is_placed = match &self.placed {
            Some(placed) => placed.contains(&address),
            None => self.announced.has_drivers,
        };
        is_placed && !self.announced.addresses.contains(&address)
    }
}
