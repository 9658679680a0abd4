//! `GetFingerprints`: what has to be equal where two daemons should do the same.

use std::sync::Arc;

use tonic::Status;

use super::convert;
use super::nanos::now_ns;
use super::service::{MaglevService, blocking};
use super::status::OrStatus;
use crate::actors::controller::{GetConfig, GetOverview};
use crate::actors::reconciler::GetVip;
use crate::domain::controller::{BackendView, FrontendView};
use crate::domain::fingerprint::{self, ObjectFingerprint};
use crate::domain::health::State;
use crate::domain::names::{BackendName, FrontendName};
use crate::domain::reconcile::VipObservation;
use crate::pb;

/// What the Controller is asked for at a time: a weight that has to be written does not
/// wait for all of it.
const AT_A_TIME: usize = 64;

impl MaglevService {
    pub(super) async fn fingerprints(&self) -> Result<pb::Fingerprints, Status> {
        let config = self.actors.controller.send(GetConfig).await.or_status()?;
        let names: Vec<BackendName> = config.backends.keys().cloned().collect();
        let mut backends = Vec::with_capacity(names.len());
        for some in names.chunks(AT_A_TIME) {
            let question = GetOverview { backends: some.to_vec(), frontends: vec![] };
            let overview = self.actors.controller.send(question).await.or_status()?;
            backends.extend(overview.backends.iter().map(backend));
        }
        let names: Vec<FrontendName> = config.frontends.keys().cloned().collect();
        let mut frontends = Vec::with_capacity(names.len());
        for some in names.chunks(AT_A_TIME) {
            let question = GetOverview { backends: vec![], frontends: some.to_vec() };
            let overview = self.actors.controller.send(question).await.or_status()?;
            for view in overview.frontends {
                let question = GetVip(view.settings.vip);
                let observed = self.actors.reconciler.send(question).await.or_status()?;
                frontends.push((view, observed));
            }
        }
        blocking(move || {
            let of_config = fingerprint::of_config(&Arc::clone(&config));
            pb::Fingerprints {
                config: of_config.whole.to_string(),
                objects: of_config.objects.iter().map(object).collect(),
                backends,
                frontends: frontends.iter().map(|(view, seen)| frontend(view, seen)).collect(),
                now_unix_ns: now_ns(),
            }
        })
        .await
    }
}

fn object(object: &ObjectFingerprint) -> pb::ConfigObject {
    pb::ConfigObject {
        kind: object.kind.as_str().into(),
        name: object.name.clone(),
        fingerprint: object.fingerprint.to_string(),
    }
}

fn backend(view: &BackendView) -> pb::ComparedBackend {
    let admin = match (view.enabled, view.state) {
        (false, _) => "disabled",
        (true, State::Paused) => "paused",
        (true, _) => "enabled",
    };
    pb::ComparedBackend {
        name: view.name.to_string(),
        state: view.state.to_string(),
        admin: admin.into(),
        admin_overridden: view.admin_override.is_some(),
    }
}

fn frontend(view: &FrontendView, observed: &VipObservation) -> pb::ComparedFrontend {
    let (table, dialect) = match observed {
        VipObservation::Unknown | VipObservation::Absent(_) => Default::default(),
        VipObservation::Present(dialect, vip) => {
            let length = vip.table_length.unwrap_or(view.settings.table_length);
            let table = fingerprint::of_table(&vip.weights(), length.get().into());
            (table.to_string(), dialect.to_string())
        }
    };
    let weights = view.pools.iter().flat_map(|pool| {
        pool.backends.iter().map(|member| pb::ComparedWeight {
            pool_name: pool.name.to_string(),
            backend_name: member.name.to_string(),
            weight: member.weight.get().into(),
            overridden: member.weight_override.is_some(),
            effective_weight: convert::effective(member.effective),
        })
    });
    pb::ComparedFrontend {
        name: view.name.to_string(),
        state: view.state.to_string(),
        table,
        dialect,
        weights: weights.collect(),
    }
}
