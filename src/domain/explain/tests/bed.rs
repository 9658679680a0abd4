//! A backend, its frontend and VPP, of which all is well, and what can be wrong with them.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::super::facts::*;
use super::super::{Explanation, backend, frontend};
use crate::domain::balancing::fail_open::{FailOpenDecision, FailOpenThreshold, UpWeight};
use crate::domain::balancing::weights::{FrontendState, TargetWeight};
use crate::domain::dataplane::dialect::LbDialect;
use crate::domain::dataplane::net::{Encap, Service, TableLength, Vip, Weight};
use crate::domain::dataplane::observed::{
    ObservedEncap, ObservedServer, ObservedVip, RetiredServer,
};
use crate::domain::events::Transition;
use crate::domain::health::doubt::DoubtView;
use crate::domain::health::probe_history::ProbeOutcome;
use crate::domain::health::probe_result::{ProbeResult, ResultCode};
use crate::domain::health::{Admin, State};
use crate::domain::moment::Moment;
use crate::domain::overrides::{OverrideOrigin, OverrideTerm, Reason};
use crate::domain::reconcile::{
    DataplaneTrace, FrontendTrace, LastWrite, LinkTrace, VipObservation,
};

pub(super) fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_772_366_400)
}

pub(super) fn ago(seconds: u64) -> SystemTime {
    now() - Duration::from_secs(seconds)
}

pub(super) struct Bed {
    pub(super) backend: BackendSituation,
    pub(super) probes: ProbeSituation,
    pub(super) vpp: VppSituation,
}

const MEMBERS: [(&str, u8); 3] = [("web1", 1), ("web2", 2), ("spare1", 3)];

fn address(name: &str) -> IpAddr {
    let (_, last) = MEMBERS.iter().find(|(known, _)| *known == name).unwrap();
    [10, 0, 0, *last].into()
}

fn weight(weight: u8) -> Weight {
    Weight::try_from(i64::from(weight)).unwrap()
}

fn member(name: &str, serves: bool) -> MemberSituation {
    MemberSituation {
        name: name.into(),
        address: Some(address(name)),
        state: State::Up,
        since: Some(ago(3600)),
        why: "L7OK 200 OK".into(),
        is_admin_overridden: false,
        damped_until: None,
        is_doubted: false,
        is_awaited: false,
        weight: Weight::FULL,
        configured: Weight::FULL,
        overridden: None,
        slow_until: None,
        effective: TargetWeight::Weight(if serves { Weight::FULL } else { Weight::ZERO }),
    }
}

/// Of an override that alice has set an hour ago, and that ends in so many seconds.
pub(super) fn origin(why: Option<&str>, ends: Option<u64>) -> Arc<OverrideOrigin> {
    let until = ends.map(|seconds| now() + Duration::from_secs(seconds));
    let now = Moment { monotonic: Instant::now(), wall: now() };
    let term = OverrideTerm::restored(ago(3600), until, now);
    let why = why.map(|why| Reason::try_from(why).unwrap());
    Arc::new(OverrideOrigin { who: "alice".into(), why, term, drain: None })
}

fn last_write(weight: u8, before: u8, is_drift: bool, seconds: u64) -> LastWrite {
    let (weight, before) = (Some(weight), Some(before));
    LastWrite { action: "as-weight", weight, before, is_drift, at: ago(seconds) }
}

impl Bed {
    pub(super) fn new() -> Self {
        let vip = Vip::new("192.0.2.80/32".parse().unwrap(), Service::All);
        let pool = |name: &str, members| PoolSituation { name: name.into(), members };
        let www = FrontendSituation {
            name: "www".into(),
            vip,
            table_length: TableLength::DEFAULT,
            state: FrontendState::Up,
            pools: vec![
                pool("main", vec![member("web1", true), member("web2", true)]),
                pool("spare", vec![member("spare1", false)]),
            ],
            active_pool: Some(0),
            fail_open: None,
            open_since: None,
            reload_refused: None,
        };
        let server = |name: &str, weight: u8| {
            let buckets = if weight > 0 { 512 } else { 0 };
            (address(name), ObservedServer { weight, buckets })
        };
        let observed = ObservedVip {
            encap: ObservedEncap::Gre(Encap::Gre4),
            table_length: Some(TableLength::DEFAULT),
            src_ip_sticky: None,
            servers: [server("web1", 100), server("web2", 100), server("spare1", 0)].into(),
            retired: vec![],
        };
        let trace = DataplaneTrace {
            link: LinkTrace::Connected(ago(7200)),
            may_write: true,
            is_read: true,
            programmed: true,
            serving: true,
            refusal: None,
            vip: VipObservation::Present(LbDialect::Weights, observed),
            frontend: FrontendTrace {
                programmed_at: Some(ago(62)),
                read_at: Some(ago(61)),
                ..FrontendTrace::default()
            },
            held: vec![],
        };
        let mut bed = Self {
            backend: BackendSituation {
                name: "web1".into(),
                address: Some(address("web1")),
                dns_name: None,
                unresolved: None,
                check: Some(CheckSituation {
                    name: "http".into(),
                    what: "http, port 80".into(),
                    rise: 2,
                    fall: 3,
                }),
                state: State::Up,
                last_transition: Some(Transition {
                    from: State::Unknown,
                    to: State::Up,
                    at: ago(3600),
                    why: "L7OK 200 OK".into(),
                }),
                admin: Admin::Enabled,
                overridden: None,
                doubt: None,
                damping: None,
                reload_refused: None,
                is_awaited: false,
                frontends: vec![www],
                frontend_count: 1,
            },
            probes: ProbeSituation::default(),
            vpp: VppSituation { link: VppLink::Ready, trace, unreached: None },
        };
        for _ in 0..5 {
            bed.probe(ResultCode::L7Ok, "200 OK");
        }
        bed
    }

    pub(super) fn explain_backend(&self) -> Explanation {
        let vpp = vec![self.vpp.clone(); self.backend.frontends.len()];
        backend::explain(&self.backend, &self.probes, &vpp, now())
    }

    pub(super) fn explain_frontend(&self) -> Explanation {
        frontend::explain(&self.backend.frontends[0], &self.vpp, now())
    }

    pub(super) fn frontend(&mut self) -> &mut FrontendSituation {
        &mut self.backend.frontends[0]
    }

    pub(super) fn member(&mut self, name: &str) -> &mut MemberSituation {
        let members = self.frontend().pools.iter_mut().flat_map(|pool| &mut pool.members);
        members.into_iter().find(|member| member.name.as_str() == name).unwrap()
    }

    pub(super) fn look_at(&mut self, name: &str) {
        self.backend.name = name.into();
        self.backend.address = Some(address(name));
    }

    pub(super) fn probe(&mut self, code: ResultCode, detail: &'static str) {
        let took = Duration::from_micros(1500);
        self.probes.history.push(ProbeOutcome::new(code, took, ago(60)));
        self.probes.last = Some(ProbeResult::new(code, detail));
    }

    /// The last `failures` probes failed, and the backend is down for it.
    pub(super) fn down(&mut self, why: &'static str, code: ResultCode, failures: usize) {
        if failures < 3 {
            self.probes.history.clear();
        }
        let (_, detail) = why.split_once(' ').unwrap();
        for _ in 0..failures {
            self.probe(code, detail);
        }
        self.state(State::Down, why);
        self.weigh_effective("web1", 0);
    }

    fn state(&mut self, to: State, why: &str) {
        let why: Arc<str> = why.into();
        let (from, at) = (self.backend.state, ago(63));
        self.backend.state = to;
        self.backend.last_transition = Some(Transition { from, to, at, why: Arc::clone(&why) });
        let member = self.member("web1");
        (member.state, member.since, member.why) = (to, Some(at), why);
    }

    /// VPP has no weights.
    pub(super) fn without_weights(&mut self) {
        let VipObservation::Present(dialect, vip) = &mut self.vpp.trace.vip else {
            panic!("it was read")
        };
        *dialect = LbDialect::Membership;
        vip.servers.retain(|_, server| server.weight > 0);
        vip.servers.values_mut().for_each(|server| server.weight = 1);
    }

    /// VPP has removed a server that has flows left.
    pub(super) fn remove_from_vpp(&mut self, name: &str) {
        let VipObservation::Present(_, vip) = &mut self.vpp.trace.vip else {
            panic!("it was read")
        };
        let address = address(name);
        assert!(vip.servers.remove(&address).is_some(), "VPP has {name}");
        vip.retired.push(RetiredServer { address, removed_at_s: None, weight: 1, flows: Some(3) });
    }

    /// VPP was written what the backend should have.
    pub(super) fn weigh_effective(&mut self, name: &str, to: u8) {
        self.member(name).effective = TargetWeight::Weight(weight(to));
        let write = last_write(to, 100, false, 62);
        self.vpp.trace.frontend.servers.insert(address(name), write);
        self.observed(name, |server| server.weight = to);
    }

    fn observed(&mut self, name: &str, change: impl FnOnce(&mut ObservedServer)) {
        let VipObservation::Present(_, vip) = &mut self.vpp.trace.vip else {
            panic!("it was read")
        };
        change(vip.servers.get_mut(&address(name)).unwrap());
    }

    pub(super) fn entries(&mut self, name: &str, entries: u32) {
        self.observed(name, |server| server.buckets = entries);
    }

    pub(super) fn unknown(&mut self) {
        self.probes = ProbeSituation::default();
        self.state(State::Unknown, "");
        self.backend.is_awaited = true;
        let member = self.member("web1");
        (member.is_awaited, member.effective) = (true, TargetWeight::Keep);
    }

    pub(super) fn doubt(&mut self, why: &str, is_held: bool) {
        self.backend.doubt = Some(DoubtView { since: ago(3), why: why.into(), is_held });
        self.member("web1").is_doubted = true;
    }

    pub(super) fn admin(&mut self, admin: Admin, by_operator: bool, why: &str) {
        self.backend.admin = admin;
        self.backend.overridden = by_operator.then(|| origin(None, None));
        let state = if admin == Admin::Paused { State::Paused } else { State::Disabled };
        self.state(state, why);
        self.weigh_effective("web1", 0);
    }

    /// The backend comes back, and its last step ends in so many seconds.
    pub(super) fn slow(&mut self, name: &str, to: u8, seconds: u64) {
        let until = now() + Duration::from_secs(seconds);
        self.member(name).slow_until = Some(until);
        self.weigh_effective(name, to);
    }

    /// The weight asked for, and that of the file.
    pub(super) fn weigh(&mut self, name: &str, to: u8, configured: u8) {
        let member = self.member(name);
        (member.weight, member.configured) = (weight(to), weight(configured));
        member.overridden = (to != configured).then(|| origin(Some("a test"), Some(1800)));
        self.weigh_effective(name, to);
    }

    pub(super) fn all_of_main_down(&mut self) {
        for name in ["web1", "web2"] {
            let member = self.member(name);
            (member.state, member.why) = (State::Down, "L4TOUT timeout".into());
            self.weigh_effective(name, 0);
        }
        self.weigh_effective("spare1", 100);
        self.entries("spare1", 1024);
        self.frontend().active_pool = Some(1);
    }

    pub(super) fn nothing_serves(&mut self) {
        self.weigh_effective("spare1", 0);
        self.frontend().active_pool = None;
        self.frontend().state = FrontendState::Down;
    }

    pub(super) fn fail_open(&mut self) {
        let threshold = FailOpenThreshold::new(40).unwrap();
        let up = UpWeight { up: 0, awaited: 0, total: 300 };
        let decision = FailOpenDecision::new(threshold, up, false, Some(0));
        let frontend = self.frontend();
        (frontend.fail_open, frontend.open_since) = (Some(decision), Some(ago(9)));
        self.weigh_effective("web1", 100);
    }

    pub(super) fn away(&mut self) {
        let why = "VPP is not connected: connection refused".to_owned();
        self.vpp.link = VppLink::Away(why.clone());
        self.vpp.trace.link = LinkTrace::Lost { at: ago(7), why };
        (self.vpp.trace.programmed, self.vpp.trace.is_read) = (false, false);
        self.vpp.trace.vip = VipObservation::Unknown;
    }

    pub(super) fn refuse(&mut self) {
        self.vpp.trace.programmed = false;
        self.vpp.trace.refusal = Some("as-add 10.0.0.1: VNET_API_ERROR".into());
        self.vpp.trace.frontend.refused_at = Some(ago(5));
    }

    /// Somebody set the server's weight to 7, and it was mended.
    pub(super) fn repaired(&mut self, name: &str) {
        let write = last_write(100, 7, true, 30);
        self.vpp.trace.frontend.servers.insert(address(name), write);
    }

    pub(super) fn second_frontend_has_weight_zero(&mut self) {
        let mut api = self.backend.frontends[0].clone();
        api.name = "api".into();
        let member = &mut api.pools[0].members[0];
        member.weight = Weight::ZERO;
        member.overridden = Some(origin(None, None));
        member.effective = TargetWeight::Weight(Weight::ZERO);
        self.backend.frontends.push(api);
        self.backend.frontend_count = 2;
    }
}
