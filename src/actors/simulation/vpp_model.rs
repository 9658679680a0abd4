//! The simulated VPP: a model of the plugin that refuses steps, restarts empty and takes
//! writes of others. After each step it checks that no VIP has stopped serving without a
//! reason.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::Duration;

use fastrand::Rng;
use tokio::time::Instant;

use crate::actors::simulation::counts::SimulationCounts;
use crate::actors::simulation::routes::SimulatedRoutes;
use crate::actors::vpp_connection::{
    Connected, DataplaneError, Epoch, Lost, Outcome, SubscribeConnection,
};
use crate::domain::balancing::weights::{DesiredFrontend, TargetWeight};
use crate::domain::config::LbConf;
use crate::domain::dataplane::dialect::LbDialect;
use crate::domain::dataplane::net::{Encap, TableLength, Vip, Weight};
use crate::domain::dataplane::observed::{
    Observed, ObservedEncap, ObservedServer, ObservedVip, RetiredServer,
};
use crate::domain::dataplane::plan::Desired;
use crate::domain::dataplane::step::{Step, VipSpec};
use crate::vpp::embedded::plugin::{
    Conf, NewVip, Plugin, PluginApi, PluginFault, PluginRefusal, PluginVipKey, from_ip, to_ip,
};

/// After a refusal VPP refuses nothing else of the same VIP for this time, which is
/// longer than the backoff.
const REFUSAL_PAUSE: Duration = Duration::from_secs(60);

/// The state of VPP, and what the checks need to know.
pub(super) struct VppModel {
    pub(super) plugin: Plugin,
    pub(super) rng: Rng,
    pub(super) counts: SimulationCounts,
    /// Steps are refused, and answers are delayed or lost.
    pub(super) faults: bool,
    /// After a crash it may come back as another release.
    pub(super) changes_release: bool,
    pub(super) writes: u64,
    /// Writes that break a rule. They are collected, since nothing would report a panic
    /// in an actor's task.
    pub(super) violations: Vec<String>,
    pub(super) epoch: Epoch,
    pub(super) is_up: bool,
    /// They are told what VPP serves.
    pub(super) routes: SimulatedRoutes,
    pub(super) subscriber: Option<SubscribeConnection>,
    /// VIPs that others have changed, or of which a step was refused, since they were
    /// last read: the daemon cannot know what they hold. With the number of the change.
    pub(super) uncertain: BTreeMap<Vip, u64>,
    pub(super) changes: u64,
    refused: BTreeMap<Vip, Instant>,
    /// The desired states of each VIP, each with its time; `None`: not configured.
    pub(super) desired: BTreeMap<Vip, Vec<(Instant, Option<DesiredFrontend>)>>,
    begun: Instant,
}

impl VppModel {
    pub(super) fn new(plugin: Plugin, seed: u64) -> Self {
        Self {
            plugin,
            rng: Rng::with_seed(seed),
            counts: SimulationCounts::default(),
            faults: true,
            changes_release: false,
            writes: 0,
            violations: vec![],
            epoch: Epoch(1),
            is_up: true,
            routes: SimulatedRoutes::new(seed),
            subscriber: None,
            uncertain: BTreeMap::new(),
            changes: 0,
            refused: BTreeMap::new(),
            desired: BTreeMap::new(),
            begun: Instant::now(),
        }
    }

    fn now(&self) -> u32 {
        u32::try_from(self.begun.elapsed().as_secs()).expect("a day is short")
    }

    pub(super) fn answers(&self, epoch: Epoch) -> Result<(), DataplaneError> {
        match (self.is_up, self.epoch == epoch) {
            (true, true) => Ok(()),
            (true, false) => Err(DataplaneError::reconnected()),
            (false, _) => Err(DataplaneError::NotConnected("restarting".into())),
        }
    }

    pub(super) fn notify_connected(&self) {
        if let Some(subscriber) = self.subscriber.as_ref().filter(|_| self.is_up) {
            subscriber.connected.do_send(Connected { epoch: self.epoch });
        }
    }

    pub(super) fn crash(&mut self) {
        if self.is_up {
            self.is_up = false;
            // Now and then it comes back as another release.
            let other = if self.changes_release && self.rng.u8(..4) == 0 {
                self.other_api()
            } else {
                self.plugin.api()
            };
            self.plugin = Plugin::new(other);
            self.routes.get().serves(&BTreeSet::new());
            if let Some(subscriber) = &self.subscriber {
                subscriber.lost.do_send(Lost { epoch: self.epoch, why: "VPP is gone".into() });
            }
        }
    }

    fn other_api(&self) -> PluginApi {
        match self.plugin.api() {
            PluginApi::V1_1 => PluginApi::V1_2,
            PluginApi::V1_2 => PluginApi::V1_1,
        }
    }

    /// Runs the collector of a VPP that has none of its own.
    pub(super) fn collect(&mut self, ip4_src: Ipv4Addr) {
        let now = self.now();
        if self.plugin.conf().ip4_src != ip4_src {
            self.violations.push(format!("a collection would set the address to {ip4_src}"));
        }
        self.plugin.collect_all(now);
    }

    /// Whether it has no weights, and the step sets one.
    fn is_of_the_other_dialect(&self, step: &Step) -> bool {
        let sets_weight = match step {
            Step::SetWeight { .. } => true,
            Step::AddServer { weight, .. } => *weight != Weight::MEMBER,
            _ => false,
        };
        self.plugin.api() == PluginApi::V1_1 && sets_weight
    }

    /// Does a step, or refuses it at random.
    pub(super) fn perform(
        &mut self,
        step: &Step,
        arrived: Instant,
        torn_down: &BTreeSet<Vip>,
    ) -> Outcome {
        self.writes += 1;
        self.judge_removal(step);
        if let Some(vip) = step.vip() {
            let refused_before =
                self.refused.get(&vip).is_some_and(|at| at.elapsed() < REFUSAL_PAUSE);
            if self.faults && !refused_before && self.rng.u8(..60) == 0 {
                self.counts.refused += 1;
                self.refused.insert(vip, Instant::now());
                self.mark_uncertain(vip);
                return Outcome::Refused("at random".into());
            }
        }
        if self.is_of_the_other_dialect(step) {
            self.violations.push(format!("{} {step} is of the other dialect", step.action()));
        }
        let served = step.vip().map(|vip| (vip, self.serves(vip)));
        let written = self.write(step);
        self.tell_serving();
        if let Err(fault) = written {
            if matches!(fault, PluginFault::Crash(_)) {
                self.violations.push(format!("{step} would crash VPP: {fault}"));
            }
            if let Some(vip) = step.vip() {
                let is_known = !self.uncertain.contains_key(&vip) && !self.is_beside_another(vip);
                if is_known && !self.may_be_collected(step) {
                    self.violations.push(format!("{} {step} is refused: {fault}", step.action()));
                }
                self.mark_uncertain(vip);
            }
            return Outcome::Refused(fault.to_string());
        }
        if let Some((vip, true)) = served
            && !self.serves(vip)
        {
            let is_allowed = torn_down.contains(&vip)
                || self.uncertain.contains_key(&vip)
                || self.may_be_empty(vip, arrived);
            if !is_allowed {
                self.violations.push(format!("{} {step} takes the last server", step.action()));
            }
            self.counts.emptied += 1;
        }
        Outcome::Done
    }

    /// Whether the step flushes a server whose row VPP may have collected meanwhile.
    fn may_be_collected(&self, step: &Step) -> bool {
        self.plugin.api() == PluginApi::V1_1
            && matches!(step, Step::RemoveServer { flush: true, .. })
    }

    /// Whether another VIP has the same prefix; no two frontends of the scenario do.
    fn is_beside_another(&self, vip: Vip) -> bool {
        let key = PluginVipKey::from(vip);
        let rows = self.plugin.vip_rows();
        rows.iter().any(|row| row.key != key && row.key.prefix == key.prefix)
    }

    fn serves(&mut self, vip: Vip) -> bool {
        let key = PluginVipKey::from(vip);
        self.plugin.server_rows().iter().any(|row| row.vip == key && row.used && row.weight > 0)
    }

    /// Whether at any time since `since` no server of this VIP should have had a weight
    /// above 0.
    fn may_be_empty(&self, vip: Vip, since: Instant) -> bool {
        let Some(history) = self.desired.get(&vip) else { return true };
        let ends = history.iter().skip(1).map(|(at, _)| Some(*at)).chain([None]);
        history.iter().zip(ends).any(|((_, desired), end)| {
            let counts = end.is_none_or(|end| end >= since);
            let has_one = desired.as_ref().is_some_and(|desired| {
                let mut servers = desired.servers.values();
                servers
                    .any(|s| matches!(s.weight, TargetWeight::Weight(weight) if weight.get() > 0))
            });
            counts && !has_one
        })
    }

    fn write(&mut self, step: &Step) -> Result<(), PluginFault> {
        let now = self.now();
        let plugin = &mut self.plugin;
        plugin.advance(now);
        match *step {
            Step::SetConf(conf) => plugin.set_conf(Conf {
                ip4_src: conf.ip4_src,
                ip6_src: conf.ip6_src,
                sticky_buckets_per_core: conf.sticky_buckets_per_core,
                flow_timeout: conf.flow_timeout_s,
            }),
            Step::AddVip(VipSpec { vip, encap, src_ip_sticky, table_length }) => {
                let encap = match encap {
                    Encap::Gre4 => 0,
                    Encap::Gre6 => 1,
                };
                let table_length = u32::from(table_length.get());
                let (dscp, srv_type, target_port) = (0, 0, 0);
                let new =
                    NewVip { encap, dscp, srv_type, target_port, table_length, src_ip_sticky };
                plugin.add_vip(vip.into(), new, now)
            }
            Step::RemoveVip(vip) => plugin.delete_vip(vip.into(), now),
            Step::AddServer { vip, server, weight } => {
                plugin.add_server(vip.into(), from_ip(server), weight.get(), false, now)
            }
            Step::SetWeight { .. } if plugin.api() == PluginApi::V1_1 => {
                Err(PluginRefusal::NoSuchEntry.into())
            }
            Step::SetWeight { vip, server, weight, flush } => {
                plugin.set_weight(vip.into(), from_ip(server), weight.get(), flush)
            }
            Step::RemoveServer { vip, server, flush } => {
                plugin.delete_server(vip.into(), from_ip(server), flush, now)
            }
        }
    }

    /// Does a step of something else than the daemon.
    pub(super) fn write_as_other(&mut self, step: &Step) {
        if self.is_up && self.write(step).is_ok() {
            self.counts.foreign_writes += 1;
            step.vip().into_iter().for_each(|vip| self.mark_uncertain(vip));
            self.tell_serving();
        }
    }

    fn mark_uncertain(&mut self, vip: Vip) {
        self.changes += 1;
        self.uncertain.insert(vip, self.changes);
    }

    pub(super) fn observed(&mut self) -> Observed {
        let now = self.now();
        self.plugin.advance(now);
        let Conf { ip4_src, ip6_src, sticky_buckets_per_core, flow_timeout } = self.plugin.conf();
        let conf =
            LbConf { ip4_src, ip6_src, sticky_buckets_per_core, flow_timeout_s: flow_timeout };
        let dialect = match self.plugin.api() {
            PluginApi::V1_1 => LbDialect::Membership,
            PluginApi::V1_2 => LbDialect::Weights,
        };
        let waits = self.plugin.server_rows().iter().any(|row| !row.used);
        let live: BTreeSet<u32> = self.plugin.vip_rows().iter().map(|row| row.slot).collect();
        let mut vips = BTreeMap::new();
        for row in self.plugin.vip_rows() {
            let seen = ObservedVip {
                encap: match row.encap {
                    0 => ObservedEncap::Gre(Encap::Gre4),
                    1 => ObservedEncap::Gre(Encap::Gre6),
                    other => ObservedEncap::Other(other),
                },
                table_length: TableLength::try_from(u64::from(row.table_length)).ok(),
                src_ip_sticky: Some(row.src_ip_sticky),
                servers: BTreeMap::new(),
                retired: vec![],
            };
            vips.insert(row.key.to_wire().to_vip().expect("a VIP that can be named"), seen);
        }
        for row in self.plugin.server_rows() {
            let vip = row.vip.to_wire().to_vip().expect("a VIP that can be named");
            let Some(seen) = vips.get_mut(&vip) else { continue };
            let address = to_ip(row.address);
            if row.used {
                let server = ObservedServer { weight: row.weight, buckets: row.buckets };
                seen.servers.insert(address, server);
            } else if dialect == LbDialect::Membership && live.contains(&row.slot) {
                let (removed_at_s, flows) = (Some(row.removed_at), Some(row.flows));
                seen.retired.push(RetiredServer { address, removed_at_s, weight: 1, flows });
            }
        }
        let is_uncollected = dialect == LbDialect::Membership && waits;
        Observed { vips, is_uncollected, ..Observed::empty(dialect, conf) }
    }

    /// Drops all desired states but the last of each VIP.
    pub(super) fn drop_history(&mut self) {
        for history in self.desired.values_mut() {
            history.drain(..history.len() - 1);
        }
    }

    pub(super) fn desire(&mut self, frontend: &DesiredFrontend) {
        let entry = (Instant::now(), Some(frontend.clone()));
        self.desired.entry(frontend.spec.vip).or_default().push(entry);
    }

    pub(super) fn desire_all(&mut self, desired: &Desired) {
        let ours: BTreeSet<_> = desired.frontends.values().map(|f| f.spec.vip).collect();
        for (_, history) in self.desired.iter_mut().filter(|(vip, _)| !ours.contains(vip)) {
            history.push((Instant::now(), None));
        }
        desired.frontends.values().for_each(|frontend| self.desire(frontend));
    }
}
