//! Notes when each frontend was last written to VPP and read back, and since when VPP is
//! connected: what explanations tell, and nothing is decided by.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::SystemTime;

use crate::domain::balancing::weights::DesiredFrontend;
use crate::domain::dataplane::dialect::LbDialect;
use crate::domain::dataplane::observed::Observed;
use crate::domain::dataplane::step::Step;
use crate::domain::moment::Moment;
use crate::domain::names::FrontendName;

/// A step that VPP confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastWrite {
    /// `as-weight`
    pub action: &'static str,
    /// The weight that was written, and the one before; `None`: the step has none, or VPP
    /// has no weights.
    pub weight: Option<u8>,
    pub before: Option<u8>,
    /// No change of ours explains that it was due.
    pub is_drift: bool,
    pub at: SystemTime,
}

/// What happened to one frontend in VPP since the daemon started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FrontendTrace {
    /// The last write of its VIP as a whole.
    pub vip: Option<LastWrite>,
    /// The last write of each of its servers.
    pub servers: BTreeMap<IpAddr, LastWrite>,
    /// When VPP refused the step that it refuses at present.
    pub refused_at: Option<SystemTime>,
    /// Since when VPP has confirmed all that is desired; `None`: it has not.
    pub programmed_at: Option<SystemTime>,
    /// When VPP was last read with all that was desired then.
    pub read_at: Option<SystemTime>,
}

/// Since when VPP is connected, or is not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LinkTrace {
    /// It was never connected.
    #[default]
    Never,
    Connected(SystemTime),
    Lost {
        at: SystemTime,
        why: String,
    },
}

/// The traces of all frontends.
#[derive(Debug, Default)]
pub(super) struct Traces {
    pub(super) link: LinkTrace,
    frontends: BTreeMap<FrontendName, FrontendTrace>,
}

impl Traces {
    pub(super) fn connected(&mut self, now: Moment) {
        self.link = LinkTrace::Connected(now.wall);
    }

    pub(super) fn lost(&mut self, why: &str, now: Moment) {
        self.link = LinkTrace::Lost { at: now.wall, why: why.into() };
    }

    /// VPP confirmed a step; `observed` is without it yet, and `desired` is what it is for.
    pub(super) fn written(
        &mut self,
        frontend: &FrontendName,
        step: &Step,
        observed: Option<&Observed>,
        desired: Option<&DesiredFrontend>,
        is_drift: bool,
        now: Moment,
    ) {
        let (server, weight) = match step {
            Step::AddServer { server, weight, .. } | Step::SetWeight { server, weight, .. } => {
                (Some(*server), Some(weight.get()))
            }
            Step::RemoveServer { server, .. } => (Some(*server), None),
            Step::SetConf(_) | Step::AddVip(_) | Step::RemoveVip(_) => (None, None),
        };
        let has_weights = observed.is_none_or(|it| it.dialect == LbDialect::Weights);
        let weight = weight.filter(|_| has_weights);
        let before = weight
            .and(server)
            .zip(step.vip())
            .and_then(|(server, vip)| Some(observed?.vips.get(&vip)?.servers.get(&server)?.weight));
        let write = LastWrite { action: step.action(), weight, before, is_drift, at: now.wall };
        let trace = self.frontends.entry(frontend.clone()).or_default();
        trace.refused_at = None;
        match (server, step) {
            // A VPP without weights takes one out of the table by removing it.
            (Some(server), Step::RemoveServer { .. })
                if desired.is_none_or(|it| !it.servers.contains_key(&server)) =>
            {
                trace.servers.remove(&server);
            }
            (Some(server), _) => {
                trace.servers.insert(server, write);
            }
            (None, _) => trace.vip = Some(write),
        }
    }

    pub(super) fn refused(&mut self, frontend: &FrontendName, now: Moment) {
        let trace = self.frontends.entry(frontend.clone()).or_default();
        trace.refused_at.get_or_insert(now.wall);
    }

    /// VPP was read with all that is desired of the frontend.
    pub(super) fn read(&mut self, frontend: &FrontendName, now: Moment) {
        self.frontends.entry(frontend.clone()).or_default().read_at = Some(now.wall);
    }

    pub(super) fn programmed(&mut self, frontend: &FrontendName, is_programmed: bool, now: Moment) {
        let trace = self.frontends.entry(frontend.clone()).or_default();
        let since = trace.programmed_at.unwrap_or(now.wall);
        trace.programmed_at = is_programmed.then_some(since);
    }

    pub(super) fn of(&self, frontend: &FrontendName) -> FrontendTrace {
        self.frontends.get(frontend).cloned().unwrap_or_default()
    }

    /// Forgets the servers that a frontend no longer has.
    pub(super) fn desired(&mut self, frontend: &FrontendName, desired: &DesiredFrontend) {
        if let Some(trace) = self.frontends.get_mut(frontend) {
            trace.servers.retain(|server, _| desired.servers.contains_key(server));
        }
    }

    /// Forgets the frontends that are no longer configured.
    pub(super) fn retain(&mut self, configured: impl Fn(&FrontendName) -> bool) {
        self.frontends.retain(|frontend, _| configured(frontend));
    }
}
