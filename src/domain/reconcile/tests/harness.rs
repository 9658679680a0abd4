//! A reconciliation between an operator and a VPP, both of which a test plays.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use crate::domain::balancing::maglev::mismatches;
use crate::domain::balancing::weights::{
    DesiredFrontend, DesiredServer, FlushSeq, TargetWeight, UnmanagedServers,
};
use crate::domain::config::{LbConf, LbSettings};
use crate::domain::dataplane::connection::{DataplaneError, Epoch, Observation, Outcome};
use crate::domain::dataplane::net::{Encap, Service, TableLength, Vip, Weight};
use crate::domain::dataplane::observed::{Observed, ObservedServers};
use crate::domain::dataplane::plan::{self, Desired, Flushed, Scope};
use crate::domain::dataplane::step::{Step, VipSpec};
use crate::domain::names::FrontendName;
use crate::domain::reconcile::{
    AwaitAnswer, CallId, DesiredSnapshot, DesiredUpdate, Generation, Moment, ReconcileEffect,
    ReconcileInput, ReconcileState, RequestId, SyncReport, TimerId,
};

/// Weights of a frontend's servers; `None`: it does not have that server.
pub(super) type Weights = [Option<u8>; 3];

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Done,
    Refused,
    /// The reply is lost, before or after VPP did it.
    LostBefore,
    LostAfter,
}

/// A call that was not answered yet, with what VPP held when it was made.
pub(super) struct OpenCall {
    pub(super) effect: ReconcileEffect,
    pub(super) at_issue: Observed,
    issued: u64,
}

/// See the module's description.
pub(super) struct Harness {
    pub(super) state: ReconcileState,
    pub(super) desired: Desired,
    pub(super) vpp: Observed,
    pub(super) epoch: u64,
    pub(super) is_connected: bool,
    pub(super) open: Vec<OpenCall>,
    pub(super) timers: BTreeSet<TimerId>,
    /// Steps in the order in which they were asked for, and whether urgently.
    pub(super) writes: Vec<(bool, Step)>,
    pub(super) reads: Vec<BTreeSet<Vip>>,
    pub(super) replies: BTreeMap<RequestId, Result<SyncReport, String>>,
    pub(super) requested: u64,
    answers: BTreeMap<RequestId, AwaitAnswer>,
    generation: Generation,
    begun: Instant,
    clock: u64,
    /// Since when VPP is not known, by the harness's own reckoning.
    unknown_since: Option<u64>,
}

pub(super) const CONF: LbConf = LbConf {
    ip4_src: Ipv4Addr::new(192, 0, 2, 1),
    ip6_src: Ipv6Addr::LOCALHOST,
    sticky_buckets_per_core: 1024,
    flow_timeout_s: 40,
};

pub(super) fn name(frontend: u8) -> FrontendName {
    format!("f{frontend:03}").as_str().into()
}

pub(super) fn vip(frontend: u8) -> Vip {
    let service = Service::Port { protocol: 6, port: 80.try_into().expect("not 0") };
    Vip::new(IpAddr::from(Ipv4Addr::new(192, 0, 2, frontend)).into(), service)
}

pub(super) fn server(place: u8) -> IpAddr {
    Ipv4Addr::new(10, 0, 0, place).into()
}

/// A frontend with servers of these weights.
pub(super) fn frontend(number: u8, weights: Weights, flush: FlushSeq) -> Arc<DesiredFrontend> {
    let servers = (1..).zip(weights).filter_map(|(place, weight)| {
        let weight = TargetWeight::Weight(Weight::try_from(i64::from(weight?)).expect("<= 100"));
        Some((server(place), DesiredServer { weight, flush: Some(flush) }))
    });
    let spec = VipSpec {
        vip: vip(number),
        encap: Encap::Gre4,
        src_ip_sticky: false,
        table_length: TableLength::DEFAULT,
    };
    let servers = servers.collect();
    Arc::new(DesiredFrontend { spec, servers, unmanaged: UnmanagedServers::Remove })
}

impl Harness {
    /// Nothing is desired yet, and VPP is empty and not connected.
    pub(super) fn new() -> Self {
        let vpp = Observed { conf: CONF, vips: BTreeMap::new(), strange: vec![] };
        Self::with_vpp(vpp)
    }

    pub(super) fn with_vpp(vpp: Observed) -> Self {
        Self {
            state: ReconcileState::default(),
            desired: Desired { conf: CONF, frontends: BTreeMap::new() },
            vpp,
            epoch: 0,
            is_connected: false,
            open: vec![],
            timers: BTreeSet::new(),
            writes: vec![],
            reads: vec![],
            replies: BTreeMap::new(),
            requested: 0,
            answers: BTreeMap::new(),
            generation: Generation::default(),
            begun: Instant::now(),
            clock: 0,
            unknown_since: Some(0),
        }
    }

    /// VPP holds what is desired of these frontends, and nothing is under way.
    pub(super) fn steady(frontends: &[Weights]) -> Self {
        let mut harness = Self::new();
        harness.replace(frontends);
        harness.fire(TimerId::StartupMinDelay);
        harness.connect();
        harness.drain();
        harness.writes.clear();
        harness.reads.clear();
        harness
    }

    /// These are all the frontends.
    pub(super) fn replace(&mut self, frontends: &[Weights]) {
        let frontends = (1..).zip(frontends);
        let frontends = frontends
            .map(|(number, weights)| (name(number), frontend(number, *weights, FlushSeq::NONE)));
        self.desired.frontends = frontends.collect();
        let settings = LbSettings {
            sync_interval: Duration::from_secs(30),
            startup_min_delay: Duration::ZERO,
            startup_max_delay: Duration::from_secs(30),
            conf: CONF,
        };
        self.generation = self.generation.next();
        let snapshot = DesiredSnapshot {
            desired: Arc::new(self.desired.clone()),
            settings: Arc::new(settings),
            generation: self.generation,
        };
        self.step(ReconcileInput::DesiredReplaced(snapshot));
    }

    /// Something else is desired of one frontend.
    pub(super) fn change(&mut self, number: u8, weights: Weights, flush: FlushSeq) {
        let frontend = frontend(number, weights, flush);
        self.desired.frontends.insert(name(number), Arc::clone(&frontend));
        self.generation = self.generation.next();
        self.step(ReconcileInput::DesiredChanged(DesiredUpdate {
            frontends: vec![(name(number), frontend)],
            decided: None,
            generation: self.generation,
        }));
    }

    pub(super) fn connect(&mut self) {
        if !self.is_connected {
            self.is_connected = true;
            self.epoch += 1;
            self.unknown_since = Some(self.clock);
            self.step(ReconcileInput::Connected(Epoch(self.epoch)));
        }
    }

    pub(super) fn lose(&mut self) {
        if self.is_connected {
            self.is_connected = false;
            self.unknown_since = Some(self.clock);
            self.step(ReconcileInput::Lost { epoch: Epoch(self.epoch), why: "gone".into() });
        }
    }

    pub(super) fn sync(&mut self, scope: Scope, dry_run: bool) -> RequestId {
        self.requested += 1;
        let id = RequestId(self.requested);
        self.step(ReconcileInput::SyncRequested { id, scope, dry_run });
        id
    }

    /// Waits for what was last desired of a frontend.
    pub(super) fn wait(&mut self, number: u8, within: Duration) -> RequestId {
        // Beside the numbers of syncs, which count their answers.
        let id = RequestId(1000 + self.clock);
        let (frontends, generation) = (vec![name(number)], self.generation);
        self.step(ReconcileInput::ProgressAwaited { id, frontends, generation, within });
        id
    }

    /// `written`, or why not yet; `None`: no answer yet.
    pub(super) fn answered(&self, id: RequestId) -> Option<&str> {
        self.answers.get(&id).map(|answer| match answer {
            AwaitAnswer::Written => "written",
            AwaitAnswer::NotYet(why) => why,
        })
    }

    pub(super) fn fire(&mut self, timer: TimerId) {
        if self.timers.remove(&timer) {
            self.step(ReconcileInput::TimerFired(timer));
        }
    }

    /// Answers the open call at this place. `late`: what was read is what VPP
    /// holds now, and not what it held when the call was made.
    pub(super) fn answer(&mut self, place: usize, fate: Fate, late: bool) {
        if self.open.is_empty() {
            return;
        }
        let OpenCall { effect, at_issue, issued } = self.open.remove(place % self.open.len());
        let seen = if late { self.vpp.clone() } else { at_issue };
        let input = match effect {
            ReconcileEffect::Observe(id) => self.answer_observe(id, fate, seen, issued),
            ReconcileEffect::Write { id, epoch, steps, .. } => {
                let outcomes = self.answer_write(epoch, &steps, fate);
                ReconcileInput::Written { id, outcomes }
            }
            ReconcileEffect::ReadServers { id, vips, .. } => {
                let servers = |vip: &Vip| ObservedServers {
                    servers: seen.vips.get(vip).map(|vip| vip.servers.clone()).unwrap_or_default(),
                    retired: vec![],
                };
                let found = vips.keys().map(|vip| (*vip, servers(vip))).collect();
                let lost = DataplaneError::Failed("lost".into());
                let result = if fate == Fate::Done { Ok(found) } else { Err(lost) };
                ReconcileInput::ServersRead { id, result }
            }
            ReconcileEffect::Yield => ReconcileInput::Resumed,
            other => panic!("{other:?} is no call"),
        };
        self.step(input);
    }

    fn answer_observe(
        &mut self,
        id: CallId,
        fate: Fate,
        observed: Observed,
        issued: u64,
    ) -> ReconcileInput {
        if !self.is_connected {
            let result = Err(DataplaneError::NotConnected("gone".into()));
            return ReconcileInput::Observed { id, result };
        }
        if fate != Fate::Done {
            let result = Err(DataplaneError::Failed("lost".into()));
            return ReconcileInput::Observed { id, result };
        }
        if self.unknown_since.is_some_and(|since| issued > since) {
            self.unknown_since = None;
        }
        let mismatches = mismatches(&observed);
        let observation = Observation { epoch: Epoch(self.epoch), observed, mismatches };
        ReconcileInput::Observed { id, result: Ok(observation) }
    }

    fn answer_write(
        &mut self,
        epoch: Epoch,
        steps: &[Step],
        fate: Fate,
    ) -> Result<Vec<Outcome>, DataplaneError> {
        if !self.is_connected || epoch != Epoch(self.epoch) {
            return Err(DataplaneError::reconnected());
        }
        let outcome = match fate {
            Fate::Done => Outcome::Done,
            Fate::Refused => Outcome::Refused("no".into()),
            Fate::LostBefore | Fate::LostAfter => Outcome::Unknown("lost".into()),
        };
        if matches!(fate, Fate::Done | Fate::LostAfter) {
            steps.iter().for_each(|step| plan::apply(&mut self.vpp, step));
        }
        if matches!(fate, Fate::LostBefore | Fate::LostAfter) {
            self.unknown_since = Some(self.clock);
        }
        Ok(vec![outcome; steps.len()])
    }

    /// Answers everything well until nothing is open, and lets all timers fire
    /// but the drift timer.
    pub(super) fn drain(&mut self) {
        for _ in 0..10_000 {
            if !self.open.is_empty() {
                self.answer(0, Fate::Done, true);
            } else if let Some(timer) = self.timers.iter().find(|it| **it != TimerId::Drift) {
                self.fire(*timer);
            } else {
                return;
            }
        }
        panic!("it never comes to rest: {:?}", self.state);
    }

    fn step(&mut self, input: ReconcileInput) {
        self.clock += 1;
        let monotonic = self.begun + Duration::from_millis(self.clock);
        let wall = SystemTime::UNIX_EPOCH + Duration::from_millis(self.clock);
        for effect in self.state.step(input, Moment { monotonic, wall }) {
            self.take(effect);
        }
    }

    fn take(&mut self, effect: ReconcileEffect) {
        match effect {
            ReconcileEffect::Write { epoch, ref steps, urgent, .. } => {
                assert_eq!(epoch, Epoch(self.epoch), "written over another connection");
                assert!(self.is_connected && self.unknown_since.is_none(), "VPP is unknown");
                self.writes.extend(steps.iter().map(|step| (urgent, step.clone())));
                self.call(effect);
            }
            ReconcileEffect::ReadServers { ref vips, .. } => {
                self.reads.push(vips.keys().copied().collect());
                self.call(effect);
            }
            ReconcileEffect::Observe(_) | ReconcileEffect::Yield => self.call(effect),
            ReconcileEffect::SetTimer { timer, .. } => {
                self.timers.insert(timer);
            }
            ReconcileEffect::Reply { id, result } => {
                let result = result.map_err(|error| error.to_string());
                let earlier = self.replies.insert(id, result);
                assert!(earlier.is_none(), "{id:?} is answered twice");
                assert!(id.0 <= self.requested, "{id:?} was never requested");
            }
            ReconcileEffect::Free(_)
            | ReconcileEffect::Publish(_)
            | ReconcileEffect::Log(_)
            | ReconcileEffect::Progress { .. } => {}
            ReconcileEffect::ReplyProgress { id, answer } => {
                self.timers.remove(&TimerId::Await(id));
                let earlier = self.answers.insert(id, answer);
                assert!(earlier.is_none(), "{id:?} is answered twice");
            }
        }
    }

    fn call(&mut self, effect: ReconcileEffect) {
        self.open.push(OpenCall { effect, at_issue: self.vpp.clone(), issued: self.clock });
    }

    /// Whether VPP is known, by the harness's own reckoning.
    pub(super) fn knows_vpp(&self) -> bool {
        self.is_connected && self.unknown_since.is_none()
    }

    /// The VIPs of open writes of this urgency.
    pub(super) fn being_written(&self, wanted: bool) -> BTreeSet<Vip> {
        let steps = self.open.iter().filter_map(|call| match &call.effect {
            ReconcileEffect::Write { steps, urgent, .. } if *urgent == wanted => Some(steps),
            _ => None,
        });
        steps.flatten().filter_map(Step::vip).collect()
    }

    /// What is still due, flushes aside.
    pub(super) fn due(&self) -> Vec<String> {
        let mut desired = self.desired.clone();
        for frontend in desired.frontends.values_mut() {
            let servers = &mut Arc::make_mut(frontend).servers;
            servers.values_mut().for_each(|server| server.flush = None);
        }
        let due = plan::plan(&desired, &self.vpp, &Flushed::new(), &Scope::All);
        due.iter().map(|planned| format!("{} {}", planned.step.action(), planned.step)).collect()
    }
}
