//! Decides the effects of name resolution, for backends that are given by name.

use super::*;
use crate::domain::resolution::{HostName, Resolution};

impl ControllerState {
    /// The names to look up, by backend.
    #[must_use]
    pub fn names(&self) -> BTreeMap<BackendName, HostName> {
        let backends = self.backends.iter();
        let named = backends.filter_map(|(name, record)| {
            Some((name.clone(), record.settings.address.name()?.clone()))
        });
        named.collect()
    }

    /// Processes a changed resolution of a backend's name. It is ignored if the
    /// backend no longer has this name.
    ///
    /// The verdict is kept when the address changes: the new server replaces the old
    /// one in VPP until its own probes say otherwise. Starting from unknown would
    /// first take the backend out of service.
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
        if record.state == State::Unknown {
            let served = self.served.may_have(Some(address));
            effects.push(ControllerEffect::Served(name.clone(), served));
        }
        effects.push(ControllerEffect::Readdress(name.clone(), address));
        effects.extend(self.shared_address(name, address, &frontends));
        self.recompute(&frontends, &format!("{name} is at {address}"), at, &mut effects);
        effects
    }

    /// Reports another backend at the same address in a frontend of `name`. The
    /// configuration's check for this does not know the addresses of names.
    fn shared_address(
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
