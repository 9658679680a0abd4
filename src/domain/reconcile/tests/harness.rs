//! Runs a [`ReconcileState`] between simulated operators and a simulated VPP, and
//! asserts along the way that nothing is written while VPP is unknown, and that no
//! request is answered twice.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

pub(super) use super::calls::{CallOutcome, OpenCall};
use super::fixtures::{CONF, Weights, frontend, name};
use crate::domain::balancing::weights::{DesiredFrontend, FlushSeq};
use crate::domain::config::LbSettings;
use crate::domain::dataplane::connection::Epoch;
use crate::domain::dataplane::dialect::LbDialect;
use crate::domain::dataplane::net::Vip;
use crate::domain::dataplane::observed::Observed;
use crate::domain::dataplane::plan::{Desired, Scope};
use crate::domain::dataplane::step::Step;
use crate::domain::events::DataplaneKind;
use crate::domain::moment::Moment;
use crate::domain::reconcile::{
    AnnouncedVips, AwaitAnswer, DesiredSnapshot, DesiredUpdate, FrontendProgress, Generation,
    ReconcileEffect, ReconcileInput, ReconcileState, RequestId, SyncReport, TimerId,
};

/// See the module's description.
pub(super) struct Harness {
    pub(super) state: ReconcileState,
    pub(super) desired: Desired,
    pub(super) vpp: Observed,
    pub(super) epoch: u64,
    pub(super) is_connected: bool,
    pub(super) open: Vec<OpenCall>,
    pub(super) timers: BTreeSet<TimerId>,
    /// When removals that wait are due.
    pub(super) removal_at: u64,
    pub(super) announced: AnnouncedVips,
    /// All steps in the order of their writes, and whether they were urgent.
    pub(super) writes: Vec<(bool, Step)>,
    pub(super) reads: Vec<BTreeSet<Vip>>,
    pub(super) replies: BTreeMap<RequestId, Result<SyncReport, String>>,
    pub(super) requested: u64,
    answers: BTreeMap<RequestId, AwaitAnswer>,
    pub(super) progress: Vec<FrontendProgress>,
    pub(super) served: Vec<BTreeSet<IpAddr>>,
    pub(super) published: Vec<DataplaneKind>,
    /// How often VPP was made to run its collector.
    pub(super) collections: usize,
    generation: Generation,
    begun: Instant,
    pub(super) clock: u64,
    /// The time since which VPP is unknown, tracked independently of the state.
    pub(super) unknown_since: Option<u64>,
}

impl Harness {
    /// Nothing is desired yet; VPP is empty and not connected.
    pub(super) fn new() -> Self {
        Self::with_vpp(Observed::empty(LbDialect::Weights, CONF))
    }

    /// The same with a VPP of this dialect.
    pub(super) fn on(dialect: LbDialect) -> Self {
        Self::with_vpp(Observed::empty(dialect, CONF))
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
            removal_at: 0,
            announced: AnnouncedVips::default(),
            writes: vec![],
            reads: vec![],
            replies: BTreeMap::new(),
            requested: 0,
            answers: BTreeMap::new(),
            progress: vec![],
            served: vec![],
            published: vec![],
            collections: 0,
            generation: Generation::default(),
            begun: Instant::now(),
            clock: 0,
            unknown_since: Some(0),
        }
    }

    /// VPP holds these frontends, and nothing is in progress.
    pub(super) fn steady(frontends: &[Weights]) -> Self {
        Self::steady_on(LbDialect::Weights, frontends)
    }

    /// The same with a VPP of this dialect.
    pub(super) fn steady_on(dialect: LbDialect, frontends: &[Weights]) -> Self {
        let mut harness = Self::on(dialect);
        harness.replace(frontends);
        harness.fire(TimerId::StartupMinDelay);
        harness.connect();
        harness.drain();
        harness.writes.clear();
        harness.reads.clear();
        harness
    }

    /// Replaces all frontends.
    pub(super) fn replace(&mut self, frontends: &[Weights]) {
        self.reload(frontends, false);
    }

    pub(super) fn reload(&mut self, frontends: &[Weights], force: bool) {
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
            announced: self.announced.clone(),
            force,
        };
        self.step(ReconcileInput::DesiredReplaced(snapshot));
    }

    /// Changes one frontend.
    pub(super) fn change(&mut self, number: u8, weights: Weights, flush: FlushSeq) {
        self.change_to(number, Arc::unwrap_or_clone(frontend(number, weights, flush)));
    }

    pub(super) fn change_to(&mut self, number: u8, frontend: DesiredFrontend) {
        let frontend = Arc::new(frontend);
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
        self.request_sync(scope, dry_run, false)
    }

    pub(super) fn request_sync(&mut self, scope: Scope, dry_run: bool, force: bool) -> RequestId {
        self.requested += 1;
        let id = RequestId(self.requested);
        self.step(ReconcileInput::SyncRequested { id, scope, dry_run, force });
        id
    }

    /// Awaits the progress of a frontend's last change.
    pub(super) fn wait(&mut self, number: u8, within: Duration) -> RequestId {
        // Apart from the ids of syncs, whose answers are counted.
        let id = RequestId(1000 + self.clock);
        let (frontends, generation) = (vec![name(number)], self.generation);
        self.step(ReconcileInput::ProgressAwaited { id, frontends, generation, within });
        id
    }

    /// `written`, or the reason why not yet; `None` if there is no answer yet.
    pub(super) fn answered(&self, id: RequestId) -> Option<&str> {
        self.answers.get(&id).map(|answer| match answer {
            AwaitAnswer::Written => "written",
            AwaitAnswer::NotYet(why) => why,
        })
    }

    pub(super) fn pass_seconds(&mut self, seconds: u64) {
        self.clock += 1000 * seconds;
    }

    pub(super) fn fire(&mut self, timer: TimerId) {
        if self.timers.remove(&timer) {
            if timer == TimerId::Removal {
                self.clock = self.clock.max(self.removal_at);
            }
            self.step(ReconcileInput::TimerFired(timer));
        }
    }

    /// Answers every call with success and fires every timer but the drift timer, until
    /// neither is left.
    pub(super) fn drain(&mut self) {
        for _ in 0..10_000 {
            if !self.open.is_empty() {
                self.answer(0, CallOutcome::Done, true);
            } else if let Some(timer) = self.timers.iter().find(|it| **it != TimerId::Drift) {
                self.fire(*timer);
            } else {
                return;
            }
        }
        panic!("it never comes to rest: {:?}", self.state);
    }

    pub(super) fn step(&mut self, input: ReconcileInput) {
        self.clock += 1;
        let monotonic = self.begun + Duration::from_millis(self.clock);
        let wall = SystemTime::UNIX_EPOCH + Duration::from_millis(self.clock);
        for effect in self.state.step(input, Moment { monotonic, wall }) {
            self.execute(effect);
        }
    }

    fn execute(&mut self, effect: ReconcileEffect) {
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
            ReconcileEffect::Collect { epoch, ip4_src } => {
                assert_eq!((epoch, self.vpp.dialect), (Epoch(self.epoch), LbDialect::Membership));
                assert_eq!(self.vpp.conf.sources().map(|sources| sources.0), Some(ip4_src));
                self.collections += 1;
                self.vpp.is_uncollected = false;
            }
            ReconcileEffect::SetTimer { timer, after } => {
                if timer == TimerId::Removal {
                    self.removal_at = self.clock + u64::try_from(after.as_millis()).unwrap();
                }
                self.timers.insert(timer);
            }
            ReconcileEffect::Reply { id, result } => {
                let result = result.map_err(|error| error.to_string());
                let earlier = self.replies.insert(id, result);
                assert!(earlier.is_none(), "{id:?} is answered twice");
                assert!(id.0 <= self.requested, "{id:?} was never requested");
            }
            ReconcileEffect::Publish(change) => self.published.push(change.kind),
            ReconcileEffect::Free(_) | ReconcileEffect::Log(_) | ReconcileEffect::PassEnded(_) => {}
            ReconcileEffect::Progress { changes, .. } => self.progress.extend(changes),
            ReconcileEffect::Served(addresses) => self.served.push(addresses),
            // While VPP is lost by the state alone, the harness still has its connection.
            ReconcileEffect::Presence(is_present) => {
                assert!(!is_present || self.is_connected, "VPP is away");
            }
            ReconcileEffect::ReplyProgress { id, answer } => {
                self.timers.remove(&TimerId::Await(id));
                let earlier = self.answers.insert(id, answer);
                assert!(earlier.is_none(), "{id:?} is answered twice");
            }
        }
    }

    fn call(&mut self, effect: ReconcileEffect) {
        let (vpp_at_call, called) = (self.vpp.clone(), self.clock);
        self.open.push(OpenCall { effect, vpp_at_call, called });
    }

    /// Whether VPP is known, tracked independently of the state.
    pub(super) fn knows_vpp(&self) -> bool {
        self.is_connected && self.unknown_since.is_none()
    }

    /// The VIPs of open writes of this urgency.
    pub(super) fn being_written(&self, is_urgent: bool) -> BTreeSet<Vip> {
        let steps = self.open.iter().filter_map(|call| match &call.effect {
            ReconcileEffect::Write { steps, urgent, .. } if *urgent == is_urgent => Some(steps),
            _ => None,
        });
        steps.flatten().filter_map(Step::vip).collect()
    }
}
