//! Follows drains: when VPP's flows are read for them, what the counts mean for each,
//! and what ends them. See [`drain`](crate::domain::drain).
//!
//! One reading serves all drains. It counts only for backends whose weight of 0 VPP has
//! confirmed before: until then new flows may come.

use super::inheritance::Inheritances;
use super::*;
use crate::domain::balancing::weights::TargetWeight;
use crate::domain::drain::{
    Drain, DrainId, DrainOrder, DrainPhase, FlowCounts, FlowTimer, FollowedDrain, FrontendFlows,
    PacketReading, SHORTEST_WAIT,
};
use crate::domain::events::DrainChange;
use crate::domain::moment::Moment;
use crate::domain::overrides::{Overridden, OverrideOrigin};

/// From a change to the reading that shows what came of it.
const SOON: Duration = Duration::from_secs(1);

/// From a start to the earliest timeout: what is drained already shows by its counts before.
const FIRST_COUNTS: Duration = Duration::from_secs(60);

impl ControllerState {
    /// Follows the flows that remain of a backend that was just paused. A drain of it that
    /// is under way is replaced.
    pub(super) fn begin_drain(
        &mut self,
        name: &str,
        order: DrainOrder,
        who: &str,
        now: Moment,
    ) -> Vec<ControllerEffect> {
        let drain = Drain::new(self.drains.next_id(), order, who, now.wall, now.monotonic);
        let left = order.timeout.map(|timeout| timeout.after);
        self.follow_drain(name.into(), drain, left, who, now.wall)
    }

    /// Goes on with the drains that an earlier daemon was ordered, of which the overrides
    /// tell: each since it began, by the same operator, with the same timeout.
    pub(super) fn resume_drains(&mut self, now: Moment) -> Vec<ControllerEffect> {
        let mut effects = Vec::new();
        for entry in self.overrides.clone().entries() {
            let OverrideOrigin { who, term, drain, .. } = &*entry.origin;
            let (Overridden::Admin { backend, .. }, Some(order)) = (entry.what, *drain) else {
                continue;
            };
            let (id, lasted) = (self.drains.next_id(), term.age(now.monotonic));
            let drain = Drain::new(id, order, who, term.since, now.monotonic);
            let left = order.timeout.map(|timeout| timeout.after.saturating_sub(lasted));
            let left = left.map(|left| left.max(FIRST_COUNTS));
            let why = format!("maglevd has restarted; ordered by {who}");
            let drain = drain.begun_before(lasted);
            effects.extend(self.follow_drain(backend, drain, left, &why, now.wall));
        }
        effects
    }

    /// `left`: until its timeout; `None`: it has none.
    fn follow_drain(
        &mut self,
        backend: BackendName,
        drain: Drain,
        left: Option<Duration>,
        why: &str,
        at: SystemTime,
    ) -> Vec<ControllerEffect> {
        let mut effects = vec![changed(&backend, &drain, Some(DrainPhase::Draining), why, at)];
        effects.extend(left.map(|left| ControllerEffect::SetDrainTimer(drain.id, left)));
        self.drains.by_backend.insert(backend, FollowedDrain { drain, address: None });
        effects.extend(self.read_flows_in(SOON));
        effects
    }

    /// The drain of a backend.
    pub(super) fn drain_of(&self, name: &str) -> Option<&Drain> {
        self.drains.by_backend.get(name).map(|it| &it.drain)
    }

    /// The wait for a reading is over.
    pub fn flow_timer_fired(&mut self, timer: FlowTimer) -> Vec<ControllerEffect> {
        if !self.drains.is_due(timer) {
            return Vec::new();
        }
        if !self.drains.are_followed() {
            self.drains.rest();
            return Vec::new();
        }
        let (mut ready, mut packets_of) = (BTreeSet::new(), BTreeSet::new());
        for (name, followed) in &mut self.drains.by_backend {
            let Some(record) = self.backends.get(name) else { continue };
            match why_not_yet(record, &self.frontends) {
                Some(why) => followed.drain.not_counted(why),
                None => {
                    ready.insert(followed.drain.id);
                    packets_of.extend(record.address);
                }
            }
        }
        if ready.is_empty() {
            return self.read_flows_in(SHORTEST_WAIT);
        }
        self.drains.begin(ready);
        vec![ControllerEffect::ReadFlows { packets_of }]
    }

    /// Processes what VPP was read to count, which took so long, or why it was not read.
    pub fn flows_read(
        &mut self,
        counts: &Result<FlowCounts, String>,
        took: Duration,
        now: Moment,
    ) -> Vec<ControllerEffect> {
        let Some(ready) = self.drains.end() else { return Vec::new() };
        let mut effects = Vec::new();
        let flow_timeout = Duration::from_secs(self.config.lb.conf.flow_timeout_s.into());
        let ended = now.monotonic;
        let begun = ended.checked_sub(took).unwrap_or(ended);
        for (name, followed) in &mut self.drains.by_backend {
            let Some(record) = self.backends.get(name) else { continue };
            let FollowedDrain { drain, address } = followed;
            if !ready.contains(&drain.id) {
                continue;
            }
            if std::mem::replace(address, record.address) != record.address
                && drain.flows().is_some()
            {
                drain.restart_counting();
            }
            let counted = counts.as_ref().map_err(Clone::clone);
            match counted.and_then(|it| flows_of(record, &self.config, &self.frontends, it)) {
                Err(why) => drain.not_counted(why),
                Ok(flows) => {
                    let packets = counts.as_ref().ok().zip(record.address);
                    let packets = packets.and_then(|(counts, address)| counts.packets_to(address));
                    let reading = PacketReading { packets, flow_timeout, begun, ended };
                    if let Some(last) = drain.count(flows, reading) {
                        let (phase, why) = (Some(DrainPhase::Drained), last.to_string());
                        effects.push(changed(name, drain, phase, &why, now.wall));
                    }
                }
            }
        }
        if self.drains.are_followed() {
            let wait = self.drains.pace.wait_after(took, counts.is_err());
            effects.extend(self.read_flows_in(wait));
        }
        effects
    }

    /// The time that a drain was given is over.
    pub fn drain_timed_out(&mut self, id: DrainId, now: Moment) -> Vec<ControllerEffect> {
        let mut all = self.drains.by_backend.iter_mut();
        let Some((name, followed)) = all.find(|(_, it)| it.drain.id == id) else {
            return Vec::new();
        };
        let Some(phase) = followed.drain.time_out() else { return Vec::new() };
        let name = name.clone();
        let why = match followed.drain.order().timeout {
            Some(timeout) => format!("the timeout of {:?} is over", timeout.after),
            None => String::new(),
        };
        let event = changed(&name, &followed.drain, Some(phase), &why, now.wall);
        let mut effects = vec![event];
        if phase == DrainPhase::Flushing
            && let Some(record) = self.backends.get_mut(&name)
        {
            record.flush = record.flush.next();
            record.drain_flushes = true;
            let frontends = record.frontends.clone();
            let why = format!("drain of {name}: {why}");
            self.recompute(&frontends, &why, now.wall, &mut effects);
            effects.extend(self.read_flows_in(SOON));
        }
        effects
    }

    fn read_flows_in(&mut self, after: Duration) -> Vec<ControllerEffect> {
        let wait = self.drains.read_in(after);
        wait.map(|(timer, after)| ControllerEffect::SetFlowTimer(timer, after))
            .into_iter()
            .collect()
    }

    /// Ends the drain of a backend, if there is one, however far it is.
    pub(super) fn end_drain(
        &mut self,
        name: &str,
        why: &str,
        at: SystemTime,
    ) -> Vec<ControllerEffect> {
        let Some((name, followed)) = self.drains.by_backend.remove_entry(name) else {
            return Vec::new();
        };
        let mut effects = vec![changed(&name, &followed.drain, None, why, at)];
        if let Some(record) = self.backends.get_mut(&name)
            && std::mem::take(&mut record.drain_flushes)
        {
            let frontends = record.frontends.clone();
            self.recompute(&frontends, why, at, &mut effects);
        }
        effects
    }

    /// Ends the drains of backends that a reload removed or put to use, and takes the
    /// others along to new names.
    pub(super) fn follow_reload(
        &mut self,
        inheritances: &Inheritances,
        at: SystemTime,
        effects: &mut Vec<ControllerEffect>,
    ) {
        let names: Vec<_> = self.drains.by_backend.keys().cloned().collect();
        for name in names {
            let renamed = inheritances.renames.get(&name).and_then(|names| names.first()).cloned();
            let now = match renamed {
                Some(new) if !self.backends.contains_key(&name) => new,
                _ => name.clone(),
            };
            let stays = self.backends.get(&now).is_some_and(|it| it.admin == Admin::Paused);
            if !stays {
                effects.extend(self.end_drain(name.as_str(), "configuration reloaded", at));
            } else if now != name
                && let Some(followed) = self.drains.by_backend.remove(&name)
            {
                let phase = Some(followed.drain.phase());
                let why = format!("renamed from {name}");
                effects.push(changed(&now, &followed.drain, phase, &why, at));
                self.drains.by_backend.insert(now, followed);
            }
        }
    }
}

/// Why the flows of a backend would say nothing yet: new ones may come.
fn why_not_yet(
    record: &BackendRecord,
    frontends: &BTreeMap<FrontendName, FrontendRecord>,
) -> Option<String> {
    let address = match record.address {
        Some(address) => address,
        None => return Some("its DNS name was never resolved".into()),
    };
    let mut used = record.frontends.iter().filter_map(|name| Some((name, frontends.get(name)?)));
    used.find_map(|(name, frontend)| {
        let server = frontend.desired.servers.get(&address);
        let takes_flows = |weight| match weight {
            TargetWeight::Weight(weight) => weight > Weight::ZERO,
            TargetWeight::Keep => true,
        };
        if server.is_some_and(|server| takes_flows(server.weight)) {
            return Some(format!("in frontend {name} another backend at its address takes flows"));
        }
        (!frontend.programmed)
            .then(|| format!("VPP has not confirmed yet that it gets no new flows of {name}"))
    })
}

/// The flows of a backend in each of its frontends.
///
/// # Errors
/// New ones may come, or one of them is not known.
fn flows_of(
    record: &BackendRecord,
    config: &Config,
    frontends: &BTreeMap<FrontendName, FrontendRecord>,
    counts: &FlowCounts,
) -> Result<FrontendFlows, String> {
    if let Some(why) = why_not_yet(record, frontends) {
        return Err(why);
    }
    let of_frontend = |name: &FrontendName| {
        let vip = config.frontends.get(name).map(|settings| settings.vip);
        let flows = vip.zip(record.address).and_then(|(vip, address)| counts.of(vip, address));
        let flows = flows.ok_or_else(|| {
            format!("VPP's listing of frontend {name} in `show lb vips verbose` is not understood")
        });
        Ok((name.clone(), flows?))
    };
    record.frontends.iter().map(of_frontend).collect()
}

/// The event of a drain. `phase`: `None` where it ended otherwise than by its last flow.
fn changed(
    backend: &BackendName,
    drain: &Drain,
    phase: Option<DrainPhase>,
    why: &str,
    at: SystemTime,
) -> ControllerEffect {
    let change = DrainChange {
        backend: backend.clone(),
        phase,
        flows: drain.flows(),
        since: drain.since(),
        who: drain.who().into(),
        why: why.into(),
        at,
    };
    ControllerEffect::Publish(Event::Drain(change.into()))
}
