//! Answers what explanations are made of, and what commands would do.

use actix::prelude::*;

use super::{
    CommandOrigin, Controller, GetAnnounceScope, GetBackendSituation, GetFrontendSituation,
    WouldCommand,
};
use crate::actors::clock::moment;
use crate::actors::prober::{GetReading, ProbeReading};
use crate::domain::announce::orders::AnnounceScope;
use crate::domain::controller::{CommandRefused, OperatorCommand};
use crate::domain::explain::facts::{BackendSituation, FrontendSituation};

impl Handler<GetBackendSituation> for Controller {
    type Result = ResponseFuture<Result<(BackendSituation, ProbeReading), CommandRefused>>;

    fn handle(
        &mut self,
        GetBackendSituation(name): GetBackendSituation,
        _: &mut Self::Context,
    ) -> Self::Result {
        let situation = self.state.backend_situation(&name, moment());
        let prober = self.probers.get(&name).cloned();
        Box::pin(async move {
            let situation = situation?;
            let reading = match prober {
                Some(prober) => {
                    prober.send(GetReading { with_history: true }).await.unwrap_or_default()
                }
                None => ProbeReading::default(),
            };
            Ok((situation, reading))
        })
    }
}

impl Handler<GetFrontendSituation> for Controller {
    type Result = Result<FrontendSituation, CommandRefused>;

    fn handle(
        &mut self,
        GetFrontendSituation(name): GetFrontendSituation,
        _: &mut Self::Context,
    ) -> Self::Result {
        self.state.frontend_situation(&name, moment())
    }
}

impl Handler<GetAnnounceScope> for Controller {
    type Result = Result<AnnounceScope, CommandRefused>;

    fn handle(
        &mut self,
        GetAnnounceScope(subject): GetAnnounceScope,
        _: &mut Self::Context,
    ) -> Self::Result {
        self.state.announce_scope(&subject)
    }
}

impl Handler<WouldCommand> for Controller {
    type Result = Result<(), CommandRefused>;

    fn handle(&mut self, message: WouldCommand, _: &mut Self::Context) -> Self::Result {
        let WouldCommand { command, given: CommandOrigin { who, why, lasts } } = message;
        let given = OperatorCommand { command, who, why, lasts, at: moment() };
        self.state.plan_override(self.state.overrides(), &given).map(|_| ())
    }
}
