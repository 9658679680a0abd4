//! The calls that all who ask at a time share an answer of.

use std::time::SystemTime;

use tonic::Status;

use super::service::{MaglevService, blocking};
use super::status::OrStatus;
use super::{convert, lb};
use crate::actors::controller::{CheckConfig, GetBackends, GetConfig, LoadFailed, Reload};
use crate::actors::doctor::Examine;
use crate::actors::reconciler::GetHeldRemovals;
use crate::actors::vpp_connection::{GetCounters, GetVppInfo, Observe};
use crate::config::LoadError;
use crate::pb;

/// Backends that the Controller is asked for at a time: a weight that has to be
/// written does not wait for all of them.
const BACKENDS: usize = 64;

impl MaglevService {
    pub(super) async fn backends(&self) -> Result<pb::GetBackendsResponse, Status> {
        let config = self.actors.controller.send(GetConfig).await.or_status()?;
        let names: Vec<_> = config.backends.keys().cloned().collect();
        let mut found = Vec::with_capacity(names.len());
        for some in names.chunks(BACKENDS) {
            let question = GetBackends(some.to_vec());
            found.extend(self.actors.controller.send(question).await.or_status()?);
        }
        let convert = |(view, reading)| convert::backend(&view, &reading);
        let backends = blocking(move || found.into_iter().map(convert).collect()).await?;
        Ok(pb::GetBackendsResponse { backends })
    }

    pub(super) async fn check(&self) -> Result<pb::CheckConfigResponse, Status> {
        let mut answer = match self.actors.controller.send(CheckConfig).await.or_status()? {
            Ok(loaded) => pb::CheckConfigResponse {
                ok: true,
                warnings: loaded.warnings.iter().map(ToString::to_string).collect(),
                ..pb::CheckConfigResponse::default()
            },
            Err(failed) => {
                let ConfigFaultFields { parse_error, semantic_error, other } =
                    ConfigFaultFields::of(&failed);
                let parse_error = parse_error + &other;
                pb::CheckConfigResponse { ok: false, parse_error, semantic_error, warnings: vec![] }
            }
        };
        if let Err(error) = self.rights.check().await {
            answer.ok = false;
            let faults = (!answer.semantic_error.is_empty()).then_some(answer.semantic_error);
            let faults: Vec<_> = faults.into_iter().chain([error.to_string()]).collect();
            answer.semantic_error = faults.join("\n");
        }
        Ok(answer)
    }

    pub(super) async fn reload(&self, force: bool) -> Result<pb::ReloadConfigResponse, Status> {
        // Whatever becomes of the configuration: a right that is taken away does not wait.
        let rights = self.rights.renew().await.err();
        let reloaded = self.actors.controller.send(Reload { force }).await.or_status()?;
        let mut answer = match reloaded {
            Ok(()) => {
                let renewed = match &self.certificates {
                    Some(certificates) => certificates.renew().await,
                    None => Ok(()),
                };
                let reload_error = renewed.err().map_or_else(String::new, |error| {
                    format!("the configuration was taken, the old certificates stay: {error}")
                });
                let ok = reload_error.is_empty();
                pb::ReloadConfigResponse { ok, reload_error, ..Default::default() }
            }
            Err(failed) => {
                let ConfigFaultFields { parse_error, semantic_error, other } =
                    ConfigFaultFields::of(&failed);
                let reload_error = other;
                pb::ReloadConfigResponse { ok: false, parse_error, semantic_error, reload_error }
            }
        };
        if let Some(error) = rights {
            let taken = if answer.ok { "the configuration was taken, " } else { "" };
            let before = Some(answer.reload_error).filter(|error| !error.is_empty());
            let rights = format!("{taken}the old rights stay: {error}");
            let errors: Vec<_> = before.into_iter().chain([rights]).collect();
            answer.reload_error = errors.join("\n");
            answer.ok = false;
        }
        Ok(answer)
    }

    pub(super) async fn lb_state(&self) -> Result<pb::VpplbState, Status> {
        let observation = self.actors.vpp.send(Observe).await.or_status()?.or_status()?;
        // Without the boot time the state is returned all the same.
        let info = self.actors.vpp.send(GetVppInfo).await.or_status()?.ok();
        let info = info.filter(|info| info.epoch == observation.epoch);
        let (uptime, now) = (info.and_then(|info| info.uptime()), SystemTime::now());
        let held = self.actors.reconciler.send(GetHeldRemovals).await.or_status()?;
        blocking(move || lb::state(&observation.observed, uptime, now, &held)).await
    }

    pub(super) async fn lb_counters(&self) -> Result<pb::VpplbCounters, Status> {
        let counters = self.actors.vpp.send(GetCounters).await.or_status()?.or_status()?;
        let held = self.actors.reconciler.send(GetHeldRemovals).await.or_status()?;
        Ok(lb::counters(&counters, &held))
    }

    pub(super) async fn doctor(&self) -> Result<pb::VppDoctor, Status> {
        let findings = self.actors.doctor.send(Examine).await.or_status()?.or_status()?;
        Ok(lb::doctor(&findings))
    }
}

/// Why a configuration was not accepted, by the field of the response.
#[derive(Default)]
struct ConfigFaultFields {
    parse_error: String,
    semantic_error: String,
    other: String,
}

impl ConfigFaultFields {
    fn of(failed: &LoadFailed) -> Self {
        let mut faults = Self::default();
        let field = match failed {
            LoadFailed::Refused(error) => match **error {
                LoadError::Faults(_) => &mut faults.semantic_error,
                LoadError::Unreadable { .. } | LoadError::Syntax { .. } => &mut faults.parse_error,
                LoadError::Interrupted => &mut faults.other,
            },
            LoadFailed::Namespace(_) | LoadFailed::Excessive(_) | LoadFailed::Stopping => {
                &mut faults.other
            }
        };
        *field = failed.to_string();
        faults
    }
}
