//! The Controller's queries.

use std::sync::Arc;

use actix::prelude::*;

use super::{
    BackendView, Controller, FrontendView, GetBackend, GetBackends, GetConfig, GetDesired,
    GetEvidenceNotes, GetFrontend, GetHealthCounts, GetOverview, GetProbes, GetUses, Overview,
    PredictWeight, Probes,
};
use crate::actors::prober::{self, ProbeReading};
use crate::domain::config::Config;
use crate::domain::controller::{CommandRefused, WeightPrediction};

impl Handler<GetBackend> for Controller {
    type Result = ResponseFuture<Result<(BackendView, ProbeReading), CommandRefused>>;

    fn handle(&mut self, GetBackend(name): GetBackend, _: &mut Self::Context) -> Self::Result {
        let view = self.state.backend(&name);
        let prober = self.probers.get(&name).cloned();
        Box::pin(async move {
            let view = view?;
            let reading = match prober {
                Some(prober) => {
                    let question = prober::GetReading { with_history: true };
                    prober.send(question).await.unwrap_or_default()
                }
                None => ProbeReading::default(),
            };
            Ok((view, reading))
        })
    }
}

impl Handler<GetBackends> for Controller {
    type Result = ResponseFuture<Vec<(BackendView, ProbeReading)>>;

    fn handle(&mut self, GetBackends(names): GetBackends, _: &mut Self::Context) -> Self::Result {
        let views = names.iter().flat_map(|name| self.state.backend(name.as_str()));
        // All requests are sent before the first answer is awaited.
        let requests: Vec<_> = views
            .map(|view| {
                let prober = self.probers.get(view.name.as_str());
                let question = prober::GetReading { with_history: false };
                let reading = prober.map(|prober| prober.send(question));
                (view, reading)
            })
            .collect();
        Box::pin(async move {
            let mut answers = Vec::with_capacity(requests.len());
            for (view, reading) in requests {
                let reading = match reading {
                    Some(reading) => reading.await.unwrap_or_default(),
                    None => ProbeReading::default(),
                };
                answers.push((view, reading));
            }
            answers
        })
    }
}

impl Handler<GetProbes> for Controller {
    type Result = ResponseFuture<Probes>;

    fn handle(&mut self, GetProbes(names): GetProbes, _: &mut Self::Context) -> Self::Result {
        let probers = names.iter().filter_map(|name| self.probers.get(name.as_str()));
        // All requests are sent before the first answer is awaited.
        let requests: Vec<_> = probers.map(|prober| prober.send(prober::GetProbeStats)).collect();
        let environment = &self.probers.environment;
        let (slots, late) = (environment.slots.stats(), environment.late.snapshot());
        Box::pin(async move {
            let mut backends = Vec::with_capacity(requests.len());
            for answer in requests {
                // A prober that was stopped meanwhile does not answer.
                backends.extend(answer.await.ok());
            }
            Probes { backends, slots, late }
        })
    }
}

impl Handler<GetFrontend> for Controller {
    type Result = Result<FrontendView, CommandRefused>;

    fn handle(&mut self, GetFrontend(name): GetFrontend, _: &mut Self::Context) -> Self::Result {
        self.state.frontend(&name)
    }
}

impl Handler<PredictWeight> for Controller {
    type Result = Result<WeightPrediction, CommandRefused>;

    fn handle(&mut self, message: PredictWeight, _: &mut Self::Context) -> Self::Result {
        self.state.predict_weight(&message.frontend, &message.backend, message.weight)
    }
}

impl Handler<GetUses> for Controller {
    type Result = MessageResult<GetUses>;

    fn handle(&mut self, GetUses(backend): GetUses, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.state.uses(&backend))
    }
}

impl Handler<GetOverview> for Controller {
    type Result = Overview;

    fn handle(&mut self, message: GetOverview, _: &mut Self::Context) -> Overview {
        let state = &self.state;
        let GetOverview { backends, frontends } = message;
        Overview {
            reload: state.reload_status(),
            holds: state.hold_stats().clone(),
            backends: backends.iter().flat_map(|name| state.backend(name.as_str())).collect(),
            frontends: frontends.iter().flat_map(|name| state.frontend(name.as_str())).collect(),
        }
    }
}

impl Handler<GetHealthCounts> for Controller {
    type Result = MessageResult<GetHealthCounts>;

    fn handle(&mut self, _: GetHealthCounts, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.state.counts())
    }
}

impl Handler<GetEvidenceNotes> for Controller {
    type Result = MessageResult<GetEvidenceNotes>;

    fn handle(&mut self, _: GetEvidenceNotes, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.state.evidence_notes())
    }
}

impl Handler<GetConfig> for Controller {
    type Result = Arc<Config>;

    fn handle(&mut self, _: GetConfig, _: &mut Self::Context) -> Self::Result {
        Arc::clone(self.state.config())
    }
}

impl Handler<GetDesired> for Controller {
    type Result = MessageResult<GetDesired>;

    fn handle(&mut self, _: GetDesired, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.desired())
    }
}
