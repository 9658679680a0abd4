//! A VPP that a test holds by the reins: it answers when it is let, refuses
//! and loses what it is told to, and writes down what it hears.

use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;

use tokio::sync::oneshot;

use super::*;
use crate::actors::vpp_connection::{Observe, ObservedAt, ReadServers};
use crate::domain::config::LbConf;
use crate::domain::dataplane::net::{Encap, Service, TableLength, Vip};
use crate::domain::dataplane::observed::ObservedServers;
use crate::domain::dataplane::plan;
use crate::domain::dataplane::step::Step;
use crate::domain::dataplane::step::VipSpec;

/// What a test sees and sets of a [`FakeVpp`].
pub(super) struct FakeState {
    pub(super) observed: Observed,
    pub(super) epoch: Epoch,
    /// `look`, and the steps of each write as one line; `!` before urgent ones.
    pub(super) heard: Vec<String>,
    /// What was read back: `f1 f2`.
    pub(super) read_back: Vec<String>,
    /// Answers are held back until they are released.
    pub(super) held_back: bool,
    pub(super) gates: VecDeque<oneshot::Sender<()>>,
    /// VIPs that every step is refused for.
    pub(super) refused: BTreeSet<Vip>,
    /// How the next writes end, instead of well.
    pub(super) losses: VecDeque<LostReply>,
    /// Looks fail.
    pub(super) blind: bool,
    pub(super) listener: Option<SubscribeConnection>,
}

/// What becomes of a write whose reply is lost.
pub(super) enum LostReply {
    AfterItWasDone,
    BeforeItWasDone,
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
        state.heard.push("look".into());
        let answer = if state.blind {
            Err(DataplaneError::Failed("told to be blind".into()))
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

impl Handler<Apply> for FakeVpp {
    type Result = ResponseFuture<Result<Vec<Outcome>, DataplaneError>>;

    fn handle(&mut self, apply: Apply, _: &mut Self::Context) -> Self::Result {
        let mut state = self.0.borrow_mut();
        if apply.epoch != state.epoch {
            return state.answer(Err(DataplaneError::reconnected()));
        }
        let steps: Vec<_> = apply.steps.iter().map(say).collect();
        let urgent = if apply.urgent { "!" } else { "" };
        state.heard.push(format!("{urgent}{}", steps.join(", ")));
        let loss = state.losses.pop_front();
        let mut outcomes = Vec::new();
        for step in &apply.steps {
            if step.vip().is_some_and(|vip| state.refused.contains(&vip)) {
                outcomes.push(Outcome::Refused("told to refuse".into()));
                continue;
            }
            if !matches!(loss, Some(LostReply::BeforeItWasDone)) {
                plan::apply(&mut state.observed, step);
            }
            outcomes.push(match loss {
                None => Outcome::Done,
                Some(_) => Outcome::Unknown("told to lose it".into()),
            });
        }
        state.answer(Ok(outcomes))
    }
}

impl FakeState {
    /// Somebody else sets the weight of a server.
    pub(super) fn set_weight(&mut self, number: u8, place: u8, weight: u8) {
        let vip = self.observed.vips.get_mut(&vip(number)).expect("it is there");
        vip.servers.get_mut(&server(place)).expect("it is there").weight = weight;
    }

    fn answer<T: 'static>(&mut self, answer: T) -> ResponseFuture<T> {
        if !self.held_back {
            return Box::pin(async move { answer });
        }
        let (release, released) = oneshot::channel();
        self.gates.push_back(release);
        Box::pin(async move {
            // A gate that is dropped is open, too.
            let _ = released.await;
            answer
        })
    }
}

/// A VPP without VIPs, and the way to it.
pub(super) fn start(conf: LbConf) -> (Rc<RefCell<FakeState>>, DataplaneHandle) {
    let state = Rc::new(RefCell::new(FakeState {
        observed: Observed { conf, vips: BTreeMap::new(), strange: vec![] },
        epoch: Epoch(1),
        heard: vec![],
        read_back: vec![],
        held_back: false,
        gates: VecDeque::new(),
        refused: BTreeSet::new(),
        losses: VecDeque::new(),
        blind: false,
        listener: None,
    }));
    let vpp = FakeVpp(Rc::clone(&state)).start();
    let (subscribe, observe) = (vpp.clone().recipient(), vpp.clone().recipient());
    let read_servers = vpp.clone().recipient();
    (state, DataplaneHandle { subscribe, observe, read_servers, apply: vpp.recipient() })
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
pub(super) fn say(step: &Step) -> String {
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
