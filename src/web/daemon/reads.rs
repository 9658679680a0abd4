//! What a mirror reads beside the daemon's events. A read that fails brings nothing:
//! the stream of events tells of a daemon that is lost.

use std::time::Duration;

use actix::prelude::*;

use super::backend_row::BackendRow;
use super::messages::SideRead;
use super::view::DaemonIdentity;
use crate::client::connection::DaemonClient;
use crate::pb;

/// How far back the first timeline goes.
const TIMELINE: Duration = Duration::from_secs(3600);

pub(super) fn overrides(client: DaemonClient, mirror: Recipient<SideRead>) {
    tokio::spawn(async move {
        let response = client.grpc.clone().get_overrides(pb::GetOverridesRequest {}).await;
        if let Ok(answer) = response {
            mirror.do_send(SideRead::Overrides(answer.into_inner()));
        }
    });
}

pub(super) fn timeline(client: DaemonClient, mirror: Recipient<SideRead>) {
    tokio::spawn(async move {
        let last_ns = i64::try_from(TIMELINE.as_nanos()).unwrap_or(i64::MAX);
        let request = pb::GetTimelineRequest { last_ns, ..Default::default() };
        if let Ok(answer) = client.grpc.clone().get_timeline(request).await {
            mirror.do_send(SideRead::Timeline(answer.into_inner()));
        }
    });
}

/// What the daemon is, and what this server may do there. An older one does not say.
pub(super) fn identity(client: DaemonClient, mirror: Recipient<SideRead>) {
    tokio::spawn(async move {
        let present = |text: String| (!text.is_empty()).then_some(text);
        let response = client.grpc.clone().get_identity(pb::GetIdentityRequest {}).await;
        let identity = response.map(|response| {
            let pb::CallerIdentity { version, role, .. } = response.into_inner();
            DaemonIdentity { version: present(version), role: present(role) }
        });
        mirror.do_send(SideRead::Identity(identity.unwrap_or_default()));
    });
}

pub(super) fn explanation(client: DaemonClient, asked: BackendRow, mirror: Recipient<SideRead>) {
    tokio::spawn(async move {
        let request = pb::ExplainRequest { name: asked.name.clone() };
        let response = client.grpc.clone().explain_backend(request).await;
        let explanation = response.ok().map(tonic::Response::into_inner);
        mirror.do_send(SideRead::Explained { asked: asked.into(), explanation });
    });
}
