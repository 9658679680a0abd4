//! A fake VPP: it logs what it receives, holds its answers until a test releases them,
//! and refuses steps and loses replies on demand.

use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;

use tokio::sync::oneshot;

use super::*;
use crate::actors::vpp_connection::{Collect, Observe, ObservedAt, ReadServers};
use crate::domain::config::LbConf;
use crate::domain::dataplane::dialect::LbDialect;
use crate::domain::dataplane::net::{Encap, Service, TableLength, Vip};
use crate::domain::dataplane::observed::ObservedServers;
use crate::domain::dataplane::plan;
use crate::domain::dataplane::step::Step;
use crate::domain::dataplane::step::VipSpec;

/// The state of a [`FakeVpp`], for tests to read and set.
pub(super) struct FakeState {
    pub(super) observed: Observed,
    pub(super) epoch: Epoch,
    /// `observe`, and for each write its steps in one line, with `!` if it is urgent.
    pub(super) log: Vec<String>,
    /// The VIPs of each read-back: `f1 f2`.
    pub(super) read_back: Vec<String>,
    /// Answers wait in `held_answers` until they are released.
    pub(super) hold_answers: bool,
    pub(super) held_answers: VecDeque<oneshot::Sender<()>>,
    /// VIPs of which every step is refused.
    pub(super) refused: BTreeSet<Vip>,
    /// The next writes lose their replies in these ways.
    pub(super) lost_replies: VecDeque<LostReply>,
    /// Observations fail.
    pub(super) observe_fails: bool,
    pub(super) listener: Option<SubscribeConnection>,
}

/// When the reply of a write is lost.
pub(super) enum LostReply {
    AfterWrite,
    BeforeWrite,
}

struct FakeVpp(Rc<RefCell<FakeState>>);

impl Actor for FakeVpp {
    type Context = Context<Self>;
}

impl Handler<SubscribeConnection> for FakeVpp {
    type Result = ();

    fn handle(&mut self, subscribe: SubscribeConnection, _: &mut Self::Context) {
        self.0.borrow_mut().listener = Some(subscribe);
    }
}

impl Handler<Observe> for FakeVpp {
    type Result = ResponseFuture<Result<ObservedAt, DataplaneError>>;

    fn handle(&mut self, _: Observe, _: &mut Self::Context) -> Self::Result {
        let mut state = self.0.borrow_mut();
        state.log.push("observe".into());
        let answer = if state.observe_fails {
            Err(DataplaneError::Failed("as the test demands".into()))
        } else {
            Ok(ObservedAt { epoch: state.epoch, observed: state.observed.clone() })
        };
        state.answer(answer)
    }
}

impl Handler<ReadServers> for FakeVpp {
    type Result = ResponseFuture<Result<BTreeMap<Vip, ObservedServers>, DataplaneError>>;

    fn handle(&mut self, read_back: ReadServers, _: &mut Self::Context) -> Self::Result {
        let mut state = self.0.borrow_mut();
        if read_back.epoch != state.epoch {
            return state.answer(Err(DataplaneError::reconnected()));
        }
        let names: Vec<_> = read_back.vips.keys().map(name).collect();
        state.read_back.push(names.join(" "));
        let found = read_back.vips.into_keys().map(|vip| {
            let seen = state.observed.vips.get(&vip);
            let servers = seen.map_or_else(BTreeMap::new, |seen| seen.servers.clone());
            (vip, ObservedServers { servers, retired: vec![] })
        });
        let found = found.collect();
        state.answer(Ok(found))
    }
}

impl Handler<Collect> for FakeVpp {
    type Result = ResponseFuture<Result<(), DataplaneError>>;

    fn handle(&mut self, collect: Collect, _: &mut Self::Context) -> Self::Result {
        let mut state = self.0.borrow_mut();
        state.log.push(format!("collect {}", collect.ip4_src));
        state.answer(Ok(()))
    }
}

impl Handler<Apply> for FakeVpp {
    type Result = ResponseFuture<Result<Vec<Outcome>, DataplaneError>>;

    fn handle(&mut self, apply: Apply, _: &mut Self::Context) -> Self::Result {
        let mut state = self.0.borrow_mut();
        if apply.epoch != state.epoch {
            return state.answer(Err(DataplaneError::reconnected()));
        }
        let steps: Vec<_> = apply.steps.iter().map(text).collect();
        let urgent = if apply.urgent { "!" } else { "" };
        state.log.push(format!("{urgent}{}", steps.join(", ")));
        let loss = state.lost_replies.pop_front();
        let mut outcomes = Vec::new();
        for step in &apply.steps {
            if step.vip().is_some_and(|vip| state.refused.contains(&vip)) {
                outcomes.push(Outcome::Refused("as the test demands".into()));
                continue;
            }
            if !matches!(loss, Some(LostReply::BeforeWrite)) {
                plan::apply(&mut state.observed, step);
            }
            outcomes.push(match loss {
                None => Outcome::Done,
                Some(_) => Outcome::Unknown("lost as the test demands".into()),
            });
        }
        state.answer(Ok(outcomes))
    }
}

impl FakeState {
    /// Something else sets the weight of a server.
    pub(super) fn set_weight(&mut self, frontend: u8, number: u8, weight: u8) {
        let vip = self.observed.vips.get_mut(&vip(frontend)).expect("VPP has the VIP");
        vip.servers.get_mut(&server(number)).expect("VPP has the server").weight = weight;
    }

    fn answer<T: 'static>(&mut self, answer: T) -> ResponseFuture<T> {
        if !self.hold_answers {
            return Box::pin(async move { answer });
        }
        let (release, released) = oneshot::channel();
        self.held_answers.push_back(release);
        Box::pin(async move {
            // An answer is also released if its sender is dropped.
            let _ = released.await;
            answer
        })
    }
}

/// A VPP without VIPs, and its handle.
pub(super) fn start(conf: LbConf) -> (Rc<RefCell<FakeState>>, DataplaneHandle) {
    let state = Rc::new(RefCell::new(FakeState {
        observed: Observed::empty(LbDialect::Weights, conf),
        epoch: Epoch(1),
        log: vec![],
        read_back: vec![],
        hold_answers: false,
        held_answers: VecDeque::new(),
        refused: BTreeSet::new(),
        lost_replies: VecDeque::new(),
        observe_fails: false,
        listener: None,
    }));
    let vpp = FakeVpp(Rc::clone(&state)).start();
    let (subscribe, observe) = (vpp.clone().recipient(), vpp.clone().recipient());
    let (read_servers, apply) = (vpp.clone().recipient(), vpp.clone().recipient());
    let collect = vpp.recipient();
    (state, DataplaneHandle { subscribe, observe, read_servers, apply, collect })
}

/// The VIP of frontend `f<number>`.
pub(super) fn vip(number: u8) -> Vip {
    let address = IpAddr::from(Ipv4Addr::new(192, 0, 2, number));
    let service = Service::Port { protocol: 6, port: 80.try_into().unwrap() };
    Vip::new(address.into(), service)
}

pub(super) fn spec(number: u8) -> VipSpec {
    VipSpec {
        vip: vip(number),
        encap: Encap::Gre4,
        src_ip_sticky: false,
        table_length: TableLength::DEFAULT,
    }
}

/// The server `s<number>`.
pub(super) fn server(number: u8) -> IpAddr {
    Ipv4Addr::new(10, 0, 0, number).into()
}

fn last(ip: IpAddr) -> u8 {
    match ip {
        IpAddr::V4(v4) => v4.octets()[3],
        IpAddr::V6(v6) => v6.octets()[15],
    }
}

/// `f1`
fn name(vip: &Vip) -> String {
    format!("f{}", last(vip.prefix().addr()))
}

/// `conf`, `+f1`, `+f1 s2=100`, `f1 s2=0 flush`, `-f1 s2`, `-f1`.
pub(super) fn text(step: &Step) -> String {
    match step {
        Step::SetConf(_) => "conf".into(),
        Step::AddVip(spec) => format!("+{}", name(&spec.vip)),
        Step::RemoveVip(vip) => format!("-{}", name(vip)),
        Step::AddServer { vip, server, weight } => {
            format!("+{} s{}={weight}", name(vip), last(*server))
        }
        Step::SetWeight { vip, server, weight, flush } => {
            let flush = if *flush { " flush" } else { "" };
            format!("{} s{}={weight}{flush}", name(vip), last(*server))
        }
        Step::RemoveServer { vip, server, .. } => format!("-{} s{}", name(vip), last(*server)),
    }
}
