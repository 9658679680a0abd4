//! What each kind of read asks a daemon for, and what the answer looks like. A part that
//! cannot be had, such as what VPP holds while it is away, is named and left out.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::SystemTime;

use serde_json::{Value, json, to_value};

use super::kinds::{PacketRates, ReadAnswer, ReadKind, ReadValue};
use crate::api::views::{
    BackendJson, DoctorFindingJson, ExplanationJson, FrontendJson, HealthCheckJson, LbStateJson,
    LbVipJson, OverrideJson, VipCountersJson, VppInfoJson,
};
use crate::client::connection::DaemonClient;
use crate::client::error::ClientError;
use crate::client::requests;
use crate::domain::utc::unix_rfc3339;
use crate::pb;
use crate::web::json::to_json;
use crate::web::reply::WebError;

/// What a daemon has answered.
pub(super) enum Fetched {
    Frontend {
        frontend: Box<pb::FrontendInfo>,
        backends: Vec<pb::BackendInfo>,
        explanation: Part<pb::Explanation>,
        lb: Part<pb::VpplbState>,
        counters: Part<pb::VpplbCounters>,
    },
    Backend {
        backend: Box<pb::BackendInfo>,
        check: Option<Box<pb::HealthCheckInfo>>,
        explanation: Part<pb::Explanation>,
        overrides: Part<pb::GetOverridesResponse>,
        frontends: Vec<String>,
    },
    Vpp {
        info: Part<pb::VppInfo>,
        lb: Part<pb::VpplbState>,
        counters: Part<pb::VpplbCounters>,
    },
    Doctor(pb::VppDoctor),
    Timeline(pb::Timeline),
    Failed(WebError),
}

type Part<T> = Result<T, ClientError>;

pub(super) async fn fetch(client: DaemonClient, kind: ReadKind) -> Fetched {
    let fetched = match kind {
        ReadKind::Frontend(name) => frontend(&client, name).await,
        ReadKind::Backend(name) => backend(&client, name).await,
        ReadKind::Vpp => {
            let (info, lb, counters) =
                tokio::join!(requests::vpp_info(&client), lb(&client), counters(&client));
            lost(&info).map_or(Ok(Fetched::Vpp { info, lb, counters }), Err)
        }
        ReadKind::Doctor => {
            let response = client.grpc.clone().get_vpp_doctor(pb::GetVppDoctorRequest {}).await;
            client.message("GetVPPDoctor", response).map(Fetched::Doctor).map_err(web_error)
        }
        ReadKind::Timeline { backend, frontend, last_s } => {
            let last_ns = i64::try_from(last_s.saturating_mul(1_000_000_000)).unwrap_or(i64::MAX);
            let (backend_name, frontend_name) = (backend, frontend);
            let request = pb::GetTimelineRequest { backend_name, frontend_name, last_ns };
            let response = client.grpc.clone().get_timeline(request).await;
            client.message("GetTimeline", response).map(Fetched::Timeline).map_err(web_error)
        }
    };
    fetched.unwrap_or_else(Fetched::Failed)
}

async fn frontend(client: &DaemonClient, name: String) -> Result<Fetched, WebError> {
    let found = requests::frontend(client.clone(), name.clone()).await.map_err(web_error)?;
    let members = found.pools.iter().flat_map(|pool| &pool.backends);
    let names: BTreeSet<String> = members.map(|member| member.name.clone()).collect();
    let mut grpc = client.grpc.clone();
    let explained = async {
        let response = grpc.explain_frontend(pb::ExplainRequest { name }).await;
        client.message("ExplainFrontend", response)
    };
    let (backends, explanation, lb, counters) = tokio::join!(
        requests::each(client, names, requests::backend),
        explained,
        lb(client),
        counters(client)
    );
    let backends = backends.map_err(web_error)?;
    Ok(Fetched::Frontend { frontend: found.into(), backends, explanation, lb, counters })
}

async fn backend(client: &DaemonClient, name: String) -> Result<Fetched, WebError> {
    let backend = requests::backend(client.clone(), name.clone()).await.map_err(web_error)?;
    let named = Some(backend.healthcheck.clone()).filter(|name| !name.is_empty());
    let (mut explaining, mut overriding) = (client.grpc.clone(), client.grpc.clone());
    let explained = async {
        let response = explaining.explain_backend(pb::ExplainRequest { name: name.clone() }).await;
        client.message("ExplainBackend", response)
    };
    let overridden = async {
        let response = overriding.get_overrides(pb::GetOverridesRequest {}).await;
        client.message("GetOverrides", response)
    };
    let (checks, explanation, overrides) =
        tokio::join!(requests::each(client, named, requests::health_check), explained, overridden);
    let check = checks.map_err(web_error)?.pop().map(Box::new);
    let statements = explanation.iter().flat_map(|explanation| &explanation.chain);
    let frontends: BTreeSet<_> = statements
        .map(|statement| statement.frontend_name.clone())
        .filter(|name| !name.is_empty())
        .collect();
    let frontends = frontends.into_iter().collect();
    Ok(Fetched::Backend { backend: backend.into(), check, explanation, overrides, frontends })
}

async fn lb(client: &DaemonClient) -> Part<pb::VpplbState> {
    let response = client.grpc.clone().get_vpplb_state(pb::GetVpplbStateRequest {}).await;
    client.message("GetVPPLBState", response)
}

async fn counters(client: &DaemonClient) -> Part<pb::VpplbCounters> {
    let response = client.grpc.clone().get_vpplb_counters(pb::GetVpplbCountersRequest {}).await;
    client.message("GetVPPLBCounters", response)
}

#[expect(clippy::needless_pass_by_value, reason = "it is given to map_err")]
fn web_error(error: ClientError) -> WebError {
    WebError::from(&error)
}

/// The loss of the daemon: then there is no part of the answer.
fn lost<T>(part: &Part<T>) -> Option<WebError> {
    part.as_ref().err().filter(|error| error.is_unreachable()).map(WebError::from)
}

impl Fetched {
    pub(super) fn counters(&self) -> Option<&pb::VpplbCounters> {
        match self {
            Self::Frontend { counters, .. } | Self::Vpp { counters, .. } => counters.as_ref().ok(),
            _ => None,
        }
    }

    pub(super) fn answer(
        self,
        daemon: &str,
        rates: impl Fn(&pb::VpplbvipCounters) -> Option<PacketRates>,
    ) -> ReadAnswer {
        let as_of = unix_rfc3339(SystemTime::now());
        let mut value = match self {
            Self::Failed(error) => return Err(error),
            Self::Timeline(timeline) => return Ok(ReadValue::Timeline(Arc::new(timeline))),
            Self::Frontend { frontend, backends, explanation, lb, counters } => {
                let mut unavailable = Vec::new();
                let explanation = part("explanation", explanation, &mut unavailable);
                let lb = part("vip", lb, &mut unavailable);
                let counters = part("counters", counters, &mut unavailable);
                let vip = lb
                    .iter()
                    .flat_map(|lb| &lb.vips)
                    .find(|vip| is_of(&frontend, &vip.prefix, vip.protocol, vip.port));
                let counted = counters
                    .iter()
                    .flat_map(|counters| &counters.vips)
                    .find(|vip| is_of(&frontend, &vip.prefix, vip.protocol, vip.port));
                json!({
                    "frontend": FrontendJson::with_states(&frontend, &backends),
                    "explanation": explanation.as_ref().map(ExplanationJson::from),
                    "vip": vip.map(LbVipJson::from),
                    "counters": counted.map(VipCountersJson::from),
                    "rates": counted.and_then(rates),
                    "unavailable": unavailable,
                })
            }
            Self::Backend { backend, check, explanation, overrides, frontends } => {
                let mut unavailable = Vec::new();
                let explanation = part("explanation", explanation, &mut unavailable);
                let overrides = part("overrides", overrides, &mut unavailable);
                let of_it = overrides.iter().flat_map(|answer| &answer.overrides);
                let of_it = of_it.filter(|it| it.backend_name == backend.name);
                json!({
                    "backend": BackendJson::from(&*backend),
                    "health_check": check.as_deref().map(HealthCheckJson::from),
                    "explanation": explanation.as_ref().map(ExplanationJson::from),
                    "overrides": of_it.map(OverrideJson::from).collect::<Vec<_>>(),
                    "frontends": frontends,
                    "unavailable": unavailable,
                })
            }
            Self::Vpp { info, lb, counters } => {
                let mut unavailable = Vec::new();
                let info = part("info", info, &mut unavailable);
                let lb = part("lb", lb, &mut unavailable);
                let counters = part("counters", counters, &mut unavailable);
                let counted = counters.iter().flat_map(|counters| &counters.vips).map(|vip| {
                    let mut value = to_value(VipCountersJson::from(vip)).unwrap_or_default();
                    value["rates"] = to_value(rates(vip)).unwrap_or_default();
                    value
                });
                json!({
                    "info": info.as_ref().map(VppInfoJson::from),
                    "lb": lb.as_ref().map(LbStateJson::from),
                    "counters": counted.collect::<Vec<_>>(),
                    "unavailable": unavailable,
                })
            }
            Self::Doctor(doctor) => {
                let findings = doctor.findings.iter().map(DoctorFindingJson::from);
                json!({ "findings": findings.collect::<Vec<_>>() })
            }
        };
        value["daemon"] = daemon.into();
        value["as_of"] = as_of.into();
        Ok(ReadValue::Json(to_json(&value).into()))
    }
}

/// The part, or its name and why it is not there.
fn part<T>(what: &str, part: Part<T>, unavailable: &mut Vec<Value>) -> Option<T> {
    part.map_err(|error| {
        let why = match &error {
            ClientError::Refused { message, .. } if !message.is_empty() => message.clone(),
            error => error.to_string(),
        };
        unavailable.push(json!({ "what": what, "why": why }));
    })
    .ok()
}

/// Whether a VIP of VPP is that of a frontend, whose address may have no length.
fn is_of(frontend: &pb::FrontendInfo, prefix: &str, protocol: u32, port: u32) -> bool {
    let is_address = prefix == frontend.address
        || prefix.rsplit_once('/').is_some_and(|(address, length)| {
            address == frontend.address && (length == "32" || length == "128")
        });
    let number = match frontend.protocol.as_str() {
        "tcp" => 6,
        "udp" => 17,
        _ => 255,
    };
    is_address && protocol == number && port == frontend.port
}
