//! A frontend with its pools, and the prediction of a changed weight.

use serde::Serialize;

use super::announcement::AnnouncementJson;
use super::backend::{DoubtJson, SlowStartJson};
use super::drain::DrainJson;
use super::overrides::OverrideJson;
use super::text::present;
use super::time::known_moment;
use super::vpp::TableMovesJson;
use crate::pb;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FrontendJson {
    /// The key in the configuration file.
    pub name: String,
    /// `unknown`, `up` or `down`.
    pub state: String,
    /// Free text of the file.
    pub description: Option<String>,
    /// The VIP: an address, or a prefix.
    pub address: String,
    /// `tcp` or `udp`; `None`: every protocol and port.
    pub protocol: Option<String>,
    /// `None`: every protocol and port.
    pub port: Option<u32>,
    /// Whether VPP keeps a client's flows together by its address alone.
    pub src_ip_sticky: bool,
    /// Whether established flows of a backend that goes down are forgotten.
    pub flush_on_down: bool,
    /// Entries of VPP's table of new flows, a power of two.
    pub new_flows_table_length: u32,
    /// What the table cannot do for the weights and addresses, and the remedy.
    pub warnings: Vec<String>,
    /// The step that VPP refuses at present, and why.
    pub vpp_refusal: Option<String>,
    /// Whether VPP has confirmed every write that the effective weights ask for.
    pub programmed: bool,
    /// Why it has not.
    pub not_programmed: Option<String>,
    /// Whether VPP was read back so, with a server that has entries in its table.
    pub serving: bool,
    /// Whether its health checks are believed; `None`: they always are.
    pub fail_open: Option<FailOpenJson>,
    /// Whether its address is announced; `None`: it is not to be.
    pub announcement: Option<AnnouncementJson>,
    /// The name of the pool that gets new flows.
    pub serving_pool: Option<String>,
    /// In order of preference.
    pub pools: Vec<PoolJson>,
}

/// What `fail-open` comes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FailOpenJson {
    /// Whether every enabled backend of the pool counts as up.
    pub open: bool,
    /// The share of the weight below which that begins, 1..=100.
    pub threshold_percent: u32,
    /// The weights of the backends that are up.
    pub up_weight: u64,
    /// The weights of all backends that are neither paused nor disabled.
    pub total_weight: u64,
    /// The pool; `None`: it is not open.
    pub pool: Option<String>,
    /// Since when; `None`: it is not open.
    pub since: Option<String>,
}

/// A pool of a frontend.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PoolJson {
    /// Unique in its frontend.
    pub name: String,
    /// Sorted by name.
    pub backends: Vec<PoolBackendJson>,
}

/// A backend as a member of a pool.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PoolBackendJson {
    /// The backend.
    pub name: String,
    /// The configured weight or an operator's override, 0..=100.
    pub weight: i32,
    /// Whether `weight` is an operator's override of the file.
    pub weight_overridden: bool,
    /// That override.
    pub weight_override: Option<OverrideJson>,
    /// The weight that VPP should hold, 0..=100; `None`: VPP keeps the one it
    /// has, because the backend's health is not known yet.
    pub effective_weight: Option<i32>,
    /// The part of the new flows that the effective weights ask for, 0 to 1.
    pub asked_share: Option<f64>,
    /// The part of the new flows that the table gives, 0 to 1.
    pub real_share: Option<f64>,
    /// Entries of VPP's table that lead to the server.
    pub vpp_buckets: Option<u32>,
    /// The backend's state; only where the backends were requested as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// How far the drain of the backend is; only with `state`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drain: Option<DrainJson>,
    /// How far its slow start in this frontend is; only with `state`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slow_start: Option<SlowStartJson>,
    /// Why the backend fails and keeps its state; only with `state`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doubt: Option<DoubtJson>,
}

impl FrontendJson {
    /// A frontend whose backends have their states. One that is not among
    /// `backends` was removed in the meantime.
    #[must_use]
    pub fn with_states(frontend: &pb::FrontendInfo, backends: &[pb::BackendInfo]) -> Self {
        let mut view = Self::from(frontend);
        for member in view.pools.iter_mut().flat_map(|pool| &mut pool.backends) {
            let found = backends.iter().find(|backend| backend.name == member.name);
            let state = found.map_or("removed", |backend| &backend.state);
            member.state = Some(state.to_owned());
            member.drain = found.and_then(|backend| backend.drain.as_ref()).map(DrainJson::from);
            let slow_start = found.and_then(|it| slow_start_in(&frontend.name, it));
            member.slow_start = slow_start.map(SlowStartJson::from);
            member.doubt = found.and_then(|backend| backend.doubt.as_ref()).map(DoubtJson::from);
        }
        view
    }
}

impl From<&pb::FrontendInfo> for FrontendJson {
    fn from(frontend: &pb::FrontendInfo) -> Self {
        let protocol = present(&frontend.protocol);
        Self {
            name: frontend.name.clone(),
            state: frontend.state.clone(),
            description: present(&frontend.description),
            address: frontend.address.clone(),
            port: protocol.as_ref().map(|_| frontend.port),
            protocol,
            src_ip_sticky: frontend.src_ip_sticky,
            flush_on_down: frontend.flush_on_down,
            new_flows_table_length: frontend.new_flows_table_length,
            warnings: frontend.warnings.clone(),
            vpp_refusal: present(&frontend.vpp_refusal),
            programmed: frontend.programmed,
            not_programmed: present(&frontend.not_programmed),
            serving: frontend.serving,
            fail_open: frontend.fail_open.as_ref().map(FailOpenJson::from),
            announcement: frontend.announcement.as_ref().map(AnnouncementJson::from),
            serving_pool: serving_pool(frontend).map(|pool| pool.name.clone()),
            pools: frontend.pools.iter().map(PoolJson::from).collect(),
        }
    }
}

impl From<&pb::FailOpenInfo> for FailOpenJson {
    fn from(info: &pb::FailOpenInfo) -> Self {
        Self {
            open: info.open,
            threshold_percent: info.threshold_percent,
            up_weight: info.up_weight,
            total_weight: info.total_weight,
            pool: present(&info.pool_name),
            since: known_moment(info.since_unix_ns),
        }
    }
}

/// What an operator should know while a frontend fails open: `weight 10 of 100 is up,
/// below 20%: all of main counts as up`.
#[must_use]
pub fn fail_open_text(frontend: &pb::FrontendInfo) -> Option<String> {
    let info = frontend.fail_open.as_ref().filter(|info| info.open)?;
    let pb::FailOpenInfo { up_weight: up, total_weight: total, .. } = info;
    let (below, pool) = (info.threshold_percent, &info.pool_name);
    Some(format!("weight {up} of {total} is up, below {below}%: all of {pool} counts as up"))
}

impl From<&pb::PoolInfo> for PoolJson {
    fn from(pool: &pb::PoolInfo) -> Self {
        let backends = pool.backends.iter().map(PoolBackendJson::from).collect();
        Self { name: pool.name.clone(), backends }
    }
}

impl From<&pb::PoolBackendInfo> for PoolBackendJson {
    fn from(member: &pb::PoolBackendInfo) -> Self {
        Self {
            name: member.name.clone(),
            weight: member.weight,
            weight_overridden: member.weight_overridden,
            weight_override: member.weight_override.as_ref().map(OverrideJson::from),
            effective_weight: (member.effective_weight >= 0).then_some(member.effective_weight),
            asked_share: member.asked_share,
            real_share: member.real_share,
            vpp_buckets: member.vpp_buckets,
            state: None,
            drain: None,
            slow_start: None,
            doubt: None,
        }
    }
}

/// The slow start of a backend in this frontend, if there is one.
#[must_use]
pub fn slow_start_in<'a>(
    frontend: &str,
    backend: &'a pb::BackendInfo,
) -> Option<&'a pb::SlowStartInfo> {
    backend.slow_starts.iter().find(|it| it.frontend_name == frontend)
}

/// The pool that gets new flows: the first in which a backend has weight.
#[must_use]
pub fn serving_pool(frontend: &pb::FrontendInfo) -> Option<&pb::PoolInfo> {
    frontend.pools.iter().find(|pool| pool.backends.iter().any(|b| b.effective_weight > 0))
}

/// What another weight of a backend would move in a frontend's table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PredictionJson {
    pub frontend: String,
    /// The backend whose weight is supposed.
    pub backend: String,
    /// Every server of the frontend.
    pub servers: Vec<PredictedServerJson>,
    /// What would move.
    pub moves: Option<TableMovesJson>,
}

/// A server before and after the supposed change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PredictedServerJson {
    /// The backend.
    pub name: String,
    pub address: String,
    /// Its effective weight, 0..=100.
    pub weight_before: u32,
    /// Its effective weight, 0..=100: another pool may serve then.
    pub weight_after: u32,
    /// Entries of the table that lead to it.
    pub buckets_before: u32,
    /// Entries of the table that would lead to it.
    pub buckets_after: u32,
}

impl PredictionJson {
    /// The prediction for a weight of `backend` in `frontend`.
    #[must_use]
    pub fn new(frontend: &str, backend: &str, predicted: &pb::PredictChangeResponse) -> Self {
        Self {
            frontend: frontend.to_owned(),
            backend: backend.to_owned(),
            servers: predicted.servers.iter().map(PredictedServerJson::from).collect(),
            moves: predicted.moves.as_ref().map(TableMovesJson::from),
        }
    }
}

impl From<&pb::PredictedServer> for PredictedServerJson {
    fn from(server: &pb::PredictedServer) -> Self {
        Self {
            name: server.name.clone(),
            address: server.address.clone(),
            weight_before: server.weight_before,
            weight_after: server.weight_after,
            buckets_before: server.buckets_before,
            buckets_after: server.buckets_after,
        }
    }
}
