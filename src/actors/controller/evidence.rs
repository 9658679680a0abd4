//! Evidence for verdicts: receives what probers suspect and answer, and asks others.

use std::time::SystemTime;

use actix::prelude::*;

use super::Controller;
use crate::actors::clock::moment;
use crate::actors::prober::{Answered, Ask, Suspected};
use crate::actors::reconciler::VppPresence;
use crate::domain::config::WitnessAddress;
use crate::domain::names::BackendName;

impl Controller {
    /// Asks these backends and these addresses. Each answers once.
    pub(super) fn ask(
        &mut self,
        ask: Ask,
        backends: &[BackendName],
        witnesses: Vec<WitnessAddress>,
        ctx: &mut Context<Self>,
    ) {
        for backend in backends {
            match self.probers.get(backend.as_str()) {
                Some(prober) => prober.do_send(ask),
                None => {
                    let Ask { group, question, .. } = ask;
                    ctx.notify(Answered { group, question, passed: None });
                }
            }
        }
        for witness in witnesses {
            self.probers.ask_witness(witness, ask, ctx.address().recipient());
        }
    }
}

impl Handler<Suspected> for Controller {
    type Result = ();

    fn handle(&mut self, message: Suspected, ctx: &mut Self::Context) {
        let Suspected { prober, backend, group, suspicion } = message;
        let effects = self.state.suspected((prober, &backend), group, &suspicion, moment());
        self.execute(effects, ctx);
    }
}

impl Handler<Answered> for Controller {
    type Result = ();

    fn handle(&mut self, message: Answered, ctx: &mut Self::Context) {
        let Answered { group, question, passed } = message;
        let effects = self.state.answered(group, question, passed, moment());
        self.execute(effects, ctx);
    }
}

impl Handler<VppPresence> for Controller {
    type Result = ();

    fn handle(&mut self, VppPresence(is_present): VppPresence, ctx: &mut Self::Context) {
        let effects = self.state.vpp_presence(is_present, SystemTime::now());
        self.execute(effects, ctx);
    }
}
