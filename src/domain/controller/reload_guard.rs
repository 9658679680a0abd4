//! Decides whether a new configuration takes away too much to be meant.
//!
//! What counts is what clients and VPP lose. A frontend is in service unless it is known
//! to be down, and is removed if no new frontend has its VIP. A backend is in service
//! while a frontend sends it flows, or may: its target weight is above 0, or is the one
//! that VPP has. It is removed if no new frontend uses its address. So a rename removes
//! nothing, and what was drained before (paused, disabled, weight 0, down) may go.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use thiserror::Error;

use super::{BackendRecord, ControllerState};
use crate::domain::balancing::weights::{FrontendState, TargetWeight};
use crate::domain::config::{Backend, Config};
use crate::domain::dataplane::net::{Vip, Weight};
use crate::domain::names::BackendName;
use crate::domain::removals::{FirstNames, are_most};

/// Why a configuration without a fault is not used unless an operator forces it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "it would leave {}; if that is meant: maglevc config reload force",
    .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; and ")
)]
pub struct ExcessiveChange(Vec<ExcessiveRemoval>);

/// A part of the configuration, and what of it would be removed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ExcessiveRemoval {
    /// The key in the file.
    section: &'static str,
    removed: Vec<String>,
    /// How many were in service; `None`: the section is empty now.
    of: Option<usize>,
}

impl fmt::Display for ExcessiveRemoval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { section, removed, of } = self;
        let (count, names) = (removed.len(), FirstNames(removed));
        match of {
            None => write!(f, "no {section}, and remove {names}"),
            Some(of) => {
                let left = of - count;
                write!(f, "{left} of {of} {section} in service, and remove {names}")
            }
        }
    }
}

impl ControllerState {
    /// Compares a new configuration with what is in service.
    ///
    /// # Errors
    /// It would take away too much to be meant.
    pub fn judge_reload(&self, config: &Config) -> Result<(), ExcessiveChange> {
        let before = &self.config;
        let emptied = [
            emptied("healthchecks", &before.checks, &config.checks),
            emptied("backends", &before.backends, &config.backends),
            emptied("frontends", &before.frontends, &config.frontends),
        ];
        let mut excess: Vec<_> = emptied.into_iter().flatten().collect();
        if excess.is_empty() {
            excess.extend(self.removed_frontends(config));
            excess.extend(self.removed_backends(config));
        }
        if excess.is_empty() { Ok(()) } else { Err(ExcessiveChange(excess)) }
    }

    fn removed_frontends(&self, config: &Config) -> Option<ExcessiveRemoval> {
        let after: BTreeSet<Vip> = config.frontends.values().map(|it| it.vip).collect();
        let in_service = self.frontends.iter().filter(|(_, frontend)| is_in_service(frontend));
        let in_service: Vec<_> = in_service.collect();
        let removed = in_service.iter().filter(|(_, it)| !after.contains(&it.desired.spec.vip));
        most("frontends", removed.map(|(name, _)| name), in_service.len())
    }

    fn removed_backends(&self, config: &Config) -> Option<ExcessiveRemoval> {
        let pools = config.frontends.values().flat_map(|frontend| &frontend.pools);
        let members = pools.flat_map(|pool| pool.backends.keys());
        let after = UsedAddresses::of(members.filter_map(|it| config.backends.get_key_value(it)));
        let in_service: Vec<_> = self.serving_backends().into_iter().collect();
        let removed = in_service.iter().filter(|(name, record)| !after.has(name, record));
        most("backends", removed.map(|(name, _)| name), in_service.len())
    }

    /// The backends that get flows, or may. Of several at one address it has one.
    fn serving_backends(&self) -> BTreeMap<&BackendName, &BackendRecord> {
        let frontends = self.frontends.values().filter(|frontend| is_in_service(frontend));
        let targets = frontends.flat_map(|frontend| frontend.decision.effective.iter().flatten());
        let serving = targets.filter(|(_, weight)| match weight {
            TargetWeight::Weight(weight) => *weight > Weight::ZERO,
            TargetWeight::Keep => true,
        });
        let mut addresses = BTreeSet::new();
        let names: BTreeSet<_> = serving.map(|(name, _)| name).collect();
        let records = names.into_iter().filter_map(|name| self.backends.get_key_value(name));
        let records = records.map(|(name, record)| (name, &**record));
        records
            .filter(|(_, record)| record.address.is_none_or(|address| addresses.insert(address)))
            .collect()
    }
}

/// VPP may be sending flows to a frontend whose state is unknown.
fn is_in_service(frontend: &super::FrontendRecord) -> bool {
    frontend.decision.state != FrontendState::Down
}

fn emptied<K: ToString, V>(
    section: &'static str,
    before: &BTreeMap<K, V>,
    after: &BTreeMap<K, V>,
) -> Option<ExcessiveRemoval> {
    let removed: Vec<_> = before.keys().map(ToString::to_string).collect();
    let is_emptied = after.is_empty() && !removed.is_empty();
    is_emptied.then_some(ExcessiveRemoval { section, removed, of: None })
}

fn most<T: ToString>(
    section: &'static str,
    removed: impl Iterator<Item = T>,
    of: usize,
) -> Option<ExcessiveRemoval> {
    let removed: Vec<_> = removed.map(|name| name.to_string()).collect();
    are_most(removed.len(), of).then_some(ExcessiveRemoval { section, removed, of: Some(of) })
}

/// The addresses that the frontends of a configuration use.
#[derive(Default)]
struct UsedAddresses<'a> {
    fixed: BTreeSet<std::net::IpAddr>,
    /// Host names, whose addresses the configuration does not have.
    hosts: BTreeSet<&'a str>,
    /// The backends that have a host name.
    named: BTreeSet<&'a BackendName>,
}

impl<'a> UsedAddresses<'a> {
    fn of(backends: impl Iterator<Item = (&'a BackendName, &'a std::sync::Arc<Backend>)>) -> Self {
        let mut used = Self::default();
        for (name, backend) in backends {
            used.fixed.extend(backend.address.fixed());
            if let Some(host) = backend.address.name() {
                used.hosts.insert(&host.name);
                used.named.insert(name);
            }
        }
        used
    }

    /// Whether a backend's address is still used, as far as that is known before host
    /// names are resolved.
    fn has(&self, name: &BackendName, record: &BackendRecord) -> bool {
        record.address.is_some_and(|address| self.fixed.contains(&address))
            || record.settings.address.name().is_some_and(|host| self.hosts.contains(&*host.name))
            || self.named.contains(name)
    }
}
