//! Which routes the drivers have placed, or may have.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Announcer, Keeper};
use crate::actors::reconciler::RoutesPlaced;
use crate::domain::reconcile::PlacedAddresses;

impl Announcer {
    /// Has the Reconciler remove no VIP that is announced.
    pub(super) fn tell_placed(&mut self) {
        let placed = self.placed();
        if let Some(reconciler) = &self.reconciler
            && self.told_placed != placed
        {
            self.told_placed.clone_from(&placed);
            reconciler.send(RoutesPlaced(placed));
        }
    }

    /// Those of all drivers, also of those that are told to withdraw everything; `None`
    /// before the first decision, and while one was not read.
    fn placed(&self) -> PlacedAddresses {
        self.wanted.as_ref()?;
        let mut all = BTreeSet::new();
        for Keeper { addresses, .. } in self.keepers.values().chain(self.ending.values()) {
            all.extend(addresses.known()?);
        }
        Some(Arc::new(all))
    }
}
