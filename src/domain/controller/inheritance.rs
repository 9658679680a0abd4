//! Decides whose verdict a backend takes over at a reload: that of whatever was probed at
//! its address, under whatever name.
//!
//! A backend that stays at its address keeps its own, unless another was probed there as
//! it is from now on. One that is new there takes over the verdict that the address has
//! under the same check settings. If the address was
//! probed in another way, and nothing by the old name stays there, it takes over that
//! verdict as a backend does whose check changes: until its own probes say otherwise.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use super::{BackendRecord, check_of};
use crate::domain::balancing::weights::FlushSeq;
use crate::domain::config::{Backend, Config, HealthCheck};
use crate::domain::dataplane::net::Vip;
use crate::domain::names::BackendName;
use crate::domain::resolution::{BackendAddress, HostName};

type Records = BTreeMap<BackendName, Box<BackendRecord>>;

/// What a backend takes over.
#[derive(Clone, Debug)]
pub(super) struct Inheritance {
    pub(super) from: BackendName,
    /// `from` as it was before the reload.
    pub(super) record: Box<BackendRecord>,
    /// It is `from` by another name, which is no longer configured.
    pub(super) is_renamed: bool,
    pub(super) has_same_check: bool,
}

/// What the backends of a new configuration take over, by their names.
#[derive(Debug, Default)]
pub(super) struct Inheritances {
    by_heir: BTreeMap<BackendName, Inheritance>,
    /// The new names of backends that are no longer configured by their own.
    pub(super) renames: BTreeMap<BackendName, Vec<BackendName>>,
    /// The last flush requested for each address, under whatever name.
    flushes: BTreeMap<IpAddr, FlushSeq>,
}

impl Inheritances {
    pub(super) fn of(records: &Records, before: &Config, after: &Config) -> Self {
        let mut all = Self::default();
        for record in records.values() {
            let Some(address) = record.address else { continue };
            let flush = all.flushes.entry(address).or_default();
            *flush = record.flush.max(*flush);
        }
        let donors = Donors::of(records, before, after);
        for (name, settings) in &after.backends {
            let old = records.get(name).map(|record| &record.settings);
            let stays = old.filter(|old| old.address == settings.address);
            if stays.is_some_and(|old| probed_by(before, old) == probed_by(after, settings)) {
                continue;
            }
            let Some((from, has_same_check)) = donors.of_backend(name, settings) else { continue };
            if stays.is_some() && !has_same_check {
                continue;
            }
            let is_renamed = old.is_none() && !after.backends.contains_key(from);
            if is_renamed {
                all.renames.entry(from.clone()).or_default().push(name.clone());
            }
            let (from, record) = (from.clone(), records[from].clone());
            let inheritance = Inheritance { from, record, is_renamed, has_same_check };
            all.by_heir.insert(name.clone(), inheritance);
        }
        all
    }

    pub(super) fn has(&self, heir: &BackendName) -> bool {
        self.by_heir.contains_key(heir)
    }

    pub(super) fn take(&mut self, heir: &BackendName) -> Option<Inheritance> {
        self.by_heir.remove(heir)
    }

    /// The last flush requested for an address. What is new there goes on counting from
    /// it, so that its flushes are not taken for earlier ones.
    pub(super) fn last_flush(&self, address: Option<IpAddr>) -> FlushSeq {
        address.and_then(|address| self.flushes.get(&address)).copied().unwrap_or_default()
    }
}

/// The backends of the old configuration, by what they probe.
struct Donors<'a> {
    records: &'a Records,
    before: &'a Config,
    after: &'a Config,
    by_address: BTreeMap<IpAddr, Vec<&'a BackendName>>,
    by_host: BTreeMap<&'a str, Vec<&'a BackendName>>,
    /// The VIPs that use each backend of the new configuration.
    vips: BTreeMap<&'a BackendName, BTreeSet<Vip>>,
}

impl<'a> Donors<'a> {
    fn of(records: &'a Records, before: &'a Config, after: &'a Config) -> Self {
        let mut by_address = BTreeMap::<_, Vec<_>>::new();
        let mut by_host = BTreeMap::<_, Vec<_>>::new();
        for (name, record) in records {
            if let Some(address) = record.address {
                by_address.entry(address).or_default().push(name);
            }
            if let Some(host) = record.settings.address.name() {
                by_host.entry(host.name.as_str()).or_default().push(name);
            }
        }
        let mut vips = BTreeMap::<_, BTreeSet<_>>::new();
        for frontend in after.frontends.values() {
            for name in frontend.pools.iter().flat_map(|pool| pool.backends.keys()) {
                vips.entry(name).or_default().insert(frontend.vip);
            }
        }
        Self { records, before, after, by_address, by_host, vips }
    }

    /// The backend whose verdict this one takes over, and whether it has the same check
    /// settings. Of several it is one that serves the same VIPs.
    fn of_backend(
        &self,
        name: &BackendName,
        settings: &Backend,
    ) -> Option<(&'a BackendName, bool)> {
        let candidates = match &settings.address {
            BackendAddress::Ip(address) => self.by_address.get(address),
            BackendAddress::Name(host) => self.by_host.get(host.name.as_str()),
        };
        let is_there = |record: &BackendRecord| match &settings.address {
            BackendAddress::Ip(_) => true,
            address => record.settings.address == *address,
        };
        let check = probed_by(self.after, settings);
        let vips = self.vips.get(name);
        let candidates = candidates.into_iter().flatten().filter_map(|&from| {
            let record = self.records.get(from)?;
            let has_same_check = probed_by(self.before, &record.settings) == check;
            let stays = self.after.backends.get(from).map(|it| &it.address)
                == Some(&record.settings.address);
            let usable = is_there(record) && (has_same_check || !stays);
            let shared = record.frontends.iter().filter(|frontend| {
                let vip = self.before.frontends.get(*frontend).map(|frontend| frontend.vip);
                vip.is_some_and(|vip| vips.is_some_and(|vips| vips.contains(&vip)))
            });
            let rank = (has_same_check, shared.count(), !stays);
            usable.then_some((rank, from, has_same_check))
        });
        // Of equals the first by name.
        let best = candidates.reduce(|best, next| if next.0 > best.0 { next } else { best });
        best.map(|(_, from, has_same_check)| (from, has_same_check))
    }
}

/// The check as probes make it; `None`: without probes.
fn probed_by(config: &Config, backend: &Backend) -> Option<Arc<HealthCheck>> {
    let check = check_of(config, backend)?;
    let of_host = |host: &HostName| Arc::new(check.of_host(host));
    Some(backend.address.name().map_or_else(|| Arc::clone(&check), of_host))
}
