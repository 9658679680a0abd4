//! Backends that are named: where their names lead, and when that changes.

use super::*;
use crate::domain::resolution::{HostName, Resolution};

impl ControllerState {
    /// The names to look up, by the backends that have them.
    #[must_use]
    pub fn names(&self) -> BTreeMap<BackendName, HostName> {
        let backends = self.backends.iter();
        let named = backends.filter_map(|(name, record)| {
            Some((name.clone(), record.settings.address.name()?.clone()))
        });
        named.collect()
    }

    /// News of the name of a backend. One that has another name by now, or
    /// none, is not concerned.
    ///
    /// The verdict stays with a changed address: the new server takes the
    /// place of the old one in VPP, and is judged there by its own probes. To
    /// begin from unknown would take it out of service first.
    pub fn resolved(
        &mut self,
        name: &BackendName,
        host: &HostName,
        resolution: Resolution,
        at: SystemTime,
    ) -> Vec<ControllerEffect> {
        let mut effects = Vec::new();
        let Some(record) = self.backends.get_mut(name) else { return effects };
        if record.settings.address.name() != Some(host) {
            return effects;
        }
        let address = match resolution {
            Resolution::Failing(why) => {
                record.unresolved = Some(why);
                return effects;
            }
            Resolution::At(address) => address,
        };
        record.unresolved = None;
        if record.address == Some(address) {
            return effects;
        }
        record.address = Some(address);
        let frontends = record.frontends.clone();
        effects.push(ControllerEffect::Readdress(name.clone(), address));
        effects.extend(self.neighbour(name, address, &frontends));
        self.recompute(&frontends, &format!("{name} is at {address}"), at, &mut effects);
        effects
    }

    /// Tells of a backend at the same address in a frontend of `name`. The
    /// file's own rule against that cannot see where names lead.
    fn neighbour(
        &self,
        name: &BackendName,
        address: IpAddr,
        frontends: &[FrontendName],
    ) -> Option<ControllerEffect> {
        let settings = frontends.iter().filter_map(|name| self.config.frontends.get(name));
        let mut members = settings.flat_map(|it| &it.pools).flat_map(|pool| pool.backends.keys());
        let other = members.find(|other| {
            let at = self.backends.get(*other).and_then(|other| other.address);
            *other != name && at == Some(address)
        })?;
        Some(ControllerEffect::AddressShared {
            backend: name.clone(),
            other: other.clone(),
            address,
        })
    }
}
