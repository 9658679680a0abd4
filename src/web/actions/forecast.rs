//! What an action would come to, daemon by daemon. Nothing is changed.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::asked::AskedAction;
use crate::api::views::{PredictionJson, SyncStepJson};
use crate::cli::answer::CliAnswer;
use crate::cli::command::request::{BackendChange, DaemonRequest, DrainOptions};
use crate::cli::error::CliError;
use crate::cli::{execute, set};
use crate::client::connection::DaemonClient;
use crate::client::error::ClientError;
use crate::pb;
use crate::web::server::WebServer;

/// Frontends whose tables are predicted, at most.
const MOST_FRONTENDS: usize = 50;

/// The forecast of one daemon.
#[derive(Default)]
struct DaemonForecast {
    error: Option<String>,
    predictions: Vec<PredictionJson>,
    steps: Vec<SyncStepJson>,
    check: Option<Value>,
    accepted: Option<bool>,
    notes: Vec<String>,
}

/// The `results` of the answer.
pub(in crate::web) async fn forecast(server: &WebServer, asked: AskedAction) -> Vec<Value> {
    let daemons = asked.daemons(server);
    let tasks: Vec<_> = daemons
        .iter()
        .map(|daemon| {
            let (client, request) = (daemon.client.clone(), asked.request());
            tokio::spawn(async move { of_daemon(&client, request).await })
        })
        .collect();
    let mut results = Vec::new();
    for (task, daemon) in tasks.into_iter().zip(daemons) {
        let forecast = task.await.unwrap_or_default();
        let DaemonForecast { error, predictions, steps, check, accepted, notes } = forecast;
        results.push(json!({
            "daemon": daemon.name,
            "error": error,
            "predictions": predictions,
            "steps": steps,
            "check": check,
            "accepted": accepted,
            "notes": notes,
        }));
    }
    results
}

async fn of_daemon(client: &DaemonClient, request: DaemonRequest) -> DaemonForecast {
    let mut forecast = DaemonForecast::default();
    let done = match &request {
        DaemonRequest::Sync { frontend, force, .. } => {
            let frontend = frontend.clone();
            let dry = DaemonRequest::Sync { frontend, dry_run: true, force: *force };
            forecast.execute(client, dry).await
        }
        DaemonRequest::ConfigReload { .. } => {
            forecast.execute(client, DaemonRequest::ConfigCheck).await
        }
        _ => forecast.predict(client, request).await,
    };
    forecast.error = done.err().map(|error| error.to_string());
    forecast
}

impl DaemonForecast {
    async fn execute(
        &mut self,
        client: &DaemonClient,
        request: DaemonRequest,
    ) -> Result<(), CliError> {
        match execute::execute(client, request, Duration::ZERO).await? {
            CliAnswer::Synced { sync, .. } => {
                self.steps = sync.steps.iter().map(SyncStepJson::from).collect();
            }
            CliAnswer::Checked(check) => {
                self.accepted = Some(check.ok);
                self.check = Some(json!(check));
            }
            _ => {}
        }
        Ok(())
    }

    async fn predict(
        &mut self,
        client: &DaemonClient,
        request: DaemonRequest,
    ) -> Result<(), CliError> {
        if set::can_be_undone(&request) {
            match set::ask(client, request.clone()).await {
                Ok(_) => self.accepted = Some(true),
                Err(error @ ClientError::Refused { .. }) => {
                    self.accepted = Some(false);
                    return Err(error.into());
                }
                Err(error) => return Err(error.into()),
            }
        }
        match request {
            DaemonRequest::SetWeight { frontend, pool, backend, weight, .. } => {
                let weight = match weight {
                    Some(weight) => weight,
                    None => configured(client, &frontend, &pool, &backend).await?,
                };
                self.predict_weight(client, frontend, backend, weight).await
            }
            DaemonRequest::SetBackend {
                name,
                change: BackendChange::Pause | BackendChange::Disable,
                ..
            }
            | DaemonRequest::Drain(DrainOptions { name, .. }) => {
                let explanation = explain(client, &name).await?;
                let chain = explanation.chain.into_iter().map(|statement| statement.frontend_name);
                let frontends: BTreeSet<_> = chain.filter(|name| !name.is_empty()).collect();
                if frontends.len() > MOST_FRONTENDS {
                    let count = frontends.len();
                    self.notes.push(format!(
                        "{name} is in {count} frontends; these are the first {MOST_FRONTENDS}"
                    ));
                }
                for frontend in frontends.into_iter().take(MOST_FRONTENDS) {
                    self.predict_weight(client, frontend, name.clone(), 0).await?;
                }
                Ok(())
            }
            DaemonRequest::SetBackend { .. } | DaemonRequest::Undrain { .. } => {
                self.notes
                    .push("what a backend gets that comes back depends on its next probes".into());
                Ok(())
            }
            _ => Ok(()),
        }
    }

    async fn predict_weight(
        &mut self,
        client: &DaemonClient,
        frontend: String,
        backend: String,
        weight: u8,
    ) -> Result<(), CliError> {
        let request = pb::PredictChangeRequest {
            frontend: frontend.clone(),
            backend: backend.clone(),
            weight: weight.into(),
        };
        let response = client.grpc.clone().predict_change(request).await;
        match client.message("PredictChange", response) {
            Ok(predicted) => {
                self.predictions.push(PredictionJson::new(&frontend, &backend, &predicted));
            }
            Err(error @ ClientError::Refused { .. }) => {
                let error = CliError::from(error);
                self.notes.push(format!("{frontend} cannot be predicted: {error}"));
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}

async fn explain(client: &DaemonClient, name: &str) -> Result<pb::Explanation, ClientError> {
    let request = pb::ExplainRequest { name: name.to_owned() };
    client.message("ExplainBackend", client.grpc.clone().explain_backend(request).await)
}

/// The weight of the file, where an operator's is in its place.
async fn configured(
    client: &DaemonClient,
    frontend: &str,
    pool: &str,
    backend: &str,
) -> Result<u8, ClientError> {
    let request = pb::GetFrontendRequest { name: frontend.to_owned() };
    let response = client.grpc.clone().get_frontend(request).await;
    let info = client.message("GetFrontend", response)?;
    let members = info.pools.iter().filter(|it| it.name == pool).flat_map(|pool| &pool.backends);
    let member = members.into_iter().find(|member| member.name == backend);
    let weight = member.map_or(0, |member| {
        let overridden = member.weight_override.as_ref();
        overridden.and_then(|it| it.configured.parse().ok()).unwrap_or(member.weight)
    });
    Ok(u8::try_from(weight).unwrap_or(0))
}
