//! A Reconciler with a fake VPP, and the tests' operations on both.

use std::cell::{RefCell, RefMut};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::fake::{self, FakeState, server, spec};
use super::*;
use crate::actors::broadcaster::{Broadcaster, Limits};
use crate::actors::reconciler::{DesiredChanged, DesiredReplaced};
use crate::actors::vpp_connection::{Connected, Lost};
use crate::domain::balancing::weights::{
    DesiredFrontend, DesiredServer, TargetWeight, UnmanagedServers,
};
use crate::domain::config::LbConf;
use crate::domain::dataplane::net::Weight;
use crate::domain::reconcile::{AnnouncedVips, DesiredSnapshot, DesiredUpdate, Generation};
use crate::host::logging::LogDemand;

pub(super) const CONF: LbConf = LbConf {
    ip4_src: Ipv4Addr::new(192, 0, 2, 1),
    ip6_src: Ipv6Addr::LOCALHOST,
    sticky_buckets_per_core: 1024,
    flow_timeout_s: 40,
};
pub(super) const SYNC_INTERVAL: Duration = Duration::from_secs(30);

pub(super) struct ReconcilerTestBed {
    pub(super) reconciler: Addr<Reconciler>,
    vpp: Rc<RefCell<FakeState>>,
    desired: Desired,
}

/// `f<number>` with the servers `s1`, `s2`, … of these weights.
pub(super) fn frontend(number: u8, weights: &[i64]) -> (FrontendName, Arc<DesiredFrontend>) {
    flushing(number, weights, None)
}

/// The same, with a flush of every server.
pub(super) fn flushing(
    number: u8,
    weights: &[i64],
    flush: Option<FlushSeq>,
) -> (FrontendName, Arc<DesiredFrontend>) {
    let servers = (1..).zip(weights).map(|(number, weight)| {
        let weight = TargetWeight::Weight(Weight::try_from(*weight).unwrap());
        (server(number), DesiredServer { weight, flush })
    });
    let frontend = DesiredFrontend {
        spec: spec(number),
        servers: servers.collect(),
        unmanaged: UnmanagedServers::Remove,
    };
    (format!("f{number:03}").as_str().into(), Arc::new(frontend))
}

/// A change of these frontends.
pub(super) fn changed(
    frontends: Vec<(FrontendName, Arc<DesiredFrontend>)>,
    decided: Option<Instant>,
) -> DesiredChanged {
    DesiredChanged(DesiredUpdate { frontends, decided, generation: Generation::default() })
}

/// Waits until no task has anything to do: paused time only advances when all tasks wait.
pub(super) async fn idle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

impl ReconcilerTestBed {
    /// A Reconciler without a desired state and without a connection.
    pub(super) fn new() -> Self {
        tokio::time::pause();
        let (vpp, handle) = fake::start(CONF);
        let broadcaster = Broadcaster::new(1, Limits::default(), LogDemand::default()).start();
        let reconciler = Reconciler::new(handle, EventBatcher::new(&broadcaster)).start();
        Self { reconciler, vpp, desired: Desired { conf: CONF, frontends: BTreeMap::new() } }
    }

    /// A Reconciler whose VPP holds these frontends.
    pub(super) async fn steady(frontends: &[(FrontendName, Arc<DesiredFrontend>)]) -> Self {
        let mut bed = Self::new();
        bed.replace(frontends, Duration::ZERO).await;
        bed.connect(1).await;
        bed.take_log();
        bed
    }

    /// Replaces all frontends.
    pub(super) async fn replace(
        &mut self,
        frontends: &[(FrontendName, Arc<DesiredFrontend>)],
        startup_min_delay: Duration,
    ) {
        self.desired.frontends = frontends.iter().cloned().collect();
        let settings = LbSettings {
            sync_interval: SYNC_INTERVAL,
            startup_min_delay,
            startup_max_delay: startup_min_delay,
            conf: CONF,
        };
        let desired = Arc::new(self.desired.clone());
        let settings = Arc::new(settings);
        self.reconciler.do_send(DesiredReplaced(DesiredSnapshot {
            desired,
            settings,
            generation: Generation::default(),
            announced: AnnouncedVips::default(),
            force: false,
        }));
        idle().await;
    }

    pub(super) async fn change(&self, frontends: &[(FrontendName, Arc<DesiredFrontend>)]) {
        self.reconciler.do_send(changed(frontends.to_vec(), None));
        idle().await;
    }

    pub(super) async fn connect(&self, epoch: u64) {
        let epoch = Epoch(epoch);
        self.vpp().epoch = epoch;
        self.reconciler.do_send(Connected { epoch });
        idle().await;
    }

    pub(super) async fn lose(&self, epoch: u64) {
        self.reconciler.do_send(Lost { epoch: Epoch(epoch), why: "gone".into() });
        idle().await;
    }

    /// Requests a sync; the caller awaits its answer.
    pub(super) fn begin_sync(
        &self,
        scope: Scope,
        dry_run: bool,
    ) -> tokio::task::JoinHandle<Result<SyncReport, SyncError>> {
        let sent = self.reconciler.send(Sync { scope, dry_run, force: false });
        tokio::task::spawn_local(async move { sent.await.unwrap() })
    }

    pub(super) async fn sync(&self, scope: Scope, dry_run: bool) -> Result<Vec<String>, SyncError> {
        let report = self.begin_sync(scope, dry_run).await.unwrap()?;
        assert_eq!(report.applied, !dry_run);
        let text = |result: &StepResult| {
            let error = if result.error.is_some() { " failed" } else { "" };
            fake::text(&result.planned.step) + error
        };
        Ok(report.results.iter().map(text).collect())
    }

    pub(super) fn vpp(&self) -> RefMut<'_, FakeState> {
        self.vpp.borrow_mut()
    }

    /// The requests to VPP since the last call.
    pub(super) fn take_log(&self) -> Vec<String> {
        std::mem::take(&mut self.vpp().log)
    }

    /// The read-backs since the last call.
    pub(super) fn take_read_back(&self) -> Vec<String> {
        std::mem::take(&mut self.vpp().read_back)
    }

    /// Releases the oldest held answer.
    pub(super) async fn release(&self) {
        let answer = self.vpp().held_answers.pop_front();
        let _ = answer.expect("an answer is held").send(());
        idle().await;
    }

    /// Releases all held answers, and holds none from now on.
    pub(super) async fn release_all(&self) {
        self.vpp().hold_answers = false;
        self.vpp().held_answers.clear();
        idle().await;
    }
}
