//! Decides how long backends without a verdict are waited for, and which of them VPP
//! may be serving.
//!
//! The backends that the daemon starts with are waited for until `startup-max-delay` is
//! over. Those that a reload brings are waited for as long, from that reload on, where
//! VPP serves their address already: a backend that only has another name goes on
//! serving. Where VPP does not serve it, there is nothing to keep, and no other pool
//! waits for it.

use super::*;
use crate::domain::balancing::weights::TargetWeight;

impl ControllerState {
    /// Ends the startup grace: from now on unknown backends that the daemon started
    /// with count as down.
    pub fn expire_startup_grace(&mut self, at: SystemTime) -> Vec<ControllerEffect> {
        self.grace = StartupGrace::Over;
        self.recompute_all("startup-max-delay is over", at)
    }

    /// Ends the grace of the backends that this reload brought.
    pub fn expire_reload_grace(&mut self, id: ReloadId, at: SystemTime) -> Vec<ControllerEffect> {
        let waiting = self.backends.values_mut().filter(|record| record.waits_since == Some(id));
        let mut waited = false;
        for record in waiting {
            record.waits_since = None;
            waited = true;
        }
        if !waited {
            return Vec::new();
        }
        self.recompute_all("startup-max-delay after the reload is over", at)
    }

    /// Notes that there is a VPP, which was not read yet and may serve every backend. The
    /// answer has an effect for each backend without a verdict.
    pub fn await_vpp(&mut self) -> Vec<ControllerEffect> {
        self.doubts.set_vpp_present(false);
        self.set_served(ServedAddresses::Unknown)
    }

    /// Processes what VPP serves, read for the first time over a connection. The answer
    /// has an effect for each backend without a verdict.
    pub fn vpp_serves(&mut self, addresses: BTreeSet<IpAddr>) -> Vec<ControllerEffect> {
        self.set_served(ServedAddresses::Known(addresses))
    }

    fn set_served(&mut self, served: ServedAddresses) -> Vec<ControllerEffect> {
        self.served = served;
        let unknown = self.backends.iter().filter(|(_, record)| record.state == State::Unknown);
        let effects = unknown.map(|(name, record)| {
            ControllerEffect::Served(name.clone(), self.served.may_have(record.address))
        });
        effects.collect()
    }

    /// The next reload's number, for the backends that it brings.
    pub(super) fn next_reload(&mut self) -> ReloadId {
        self.last_reload.0 += 1;
        self.last_reload
    }

    /// The servers of each VIP that get flows, or may get them.
    pub(super) fn served_by_vip(&self) -> BTreeMap<Vip, BTreeSet<IpAddr>> {
        let desired = self.frontends.values().map(|frontend| &frontend.desired);
        let served = desired.map(|desired| {
            let servers = desired.servers.iter();
            let served = servers.filter(|(address, server)| match server.weight {
                TargetWeight::Weight(weight) => weight > Weight::ZERO,
                TargetWeight::Keep => self.served.may_have(Some(**address)),
            });
            (desired.spec.vip, served.map(|(address, _)| *address).collect())
        });
        served.collect()
    }

    /// Notes which servers got flows before a reload that brought backends.
    pub(super) fn note_served(&mut self, served: &BTreeMap<Vip, BTreeSet<IpAddr>>) {
        if let ServedAddresses::Known(known) = &mut self.served {
            if self.backends.values().all(|record| record.address.is_some()) {
                known.clear();
            }
            // What VPP serves may be where a name leads that is not resolved yet.
            known.extend(served.values().flatten());
        }
        for (name, settings) in &self.config.frontends {
            let Some(frontend) = self.frontends.get_mut(name) else { continue };
            let mut members = settings.pools.iter().flat_map(|pool| pool.backends.keys());
            let waits =
                |name| self.backends.get(name).is_some_and(|record| record.waits_since.is_some());
            frontend.served = match served.get(&settings.vip) {
                Some(served) if members.any(waits) => served.clone(),
                _ => BTreeSet::new(),
            };
        }
    }

    fn recompute_all(&mut self, why: &str, at: SystemTime) -> Vec<ControllerEffect> {
        let mut effects = Vec::new();
        let all: Vec<_> = self.frontends.keys().cloned().collect();
        self.recompute(&all, why, at, &mut effects);
        effects
    }
}
