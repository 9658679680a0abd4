//! `/healthz` and `/readyz`, for load balancers and orchestrators.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::router::{HttpRouter, StoppingResponse};
use crate::actors::broadcaster::GetBroadcasterStats;
use crate::actors::controller::{GetConfig, GetEvidenceNotes, GetHealthCounts};
use crate::actors::vpp_connection::GetConnectionStats;
use crate::actors::watchdog::GetReadiness;
use crate::api::actors::Actors;
use crate::domain::printable::printable_lines;
use crate::domain::readiness::Readiness;

pub(super) fn routes() -> HttpRouter {
    HttpRouter::default().get("/healthz", healthz).get("/readyz", readyz)
}

/// Whether the actors answer. Each gets a question that costs nothing; the
/// metrics page would have counters read from VPP.
async fn healthz(actors: Actors) -> Result<&'static str, StoppingResponse> {
    actors.controller.send(GetConfig).await?;
    actors.vpp.send(GetConnectionStats).await?;
    actors.broadcaster.send(GetBroadcasterStats).await?;
    Ok("ok\n")
}

/// Whether the daemon has started and VPP, if one is configured, is connected. Further
/// lines say what should be known all the same.
async fn readyz(actors: Actors) -> Result<Response, StoppingResponse> {
    Ok(match actors.watchdog.send(GetReadiness).await? {
        ready @ Readiness::Ready(_) => {
            let open = actors.controller.send(GetHealthCounts).await?.fail_open_note();
            let held = actors.controller.send(GetEvidenceNotes).await?;
            let notes: String = open.into_iter().chain(held).map(|note| note + "\n").collect();
            format!("{ready}\n{notes}").into_response()
        }
        why => {
            (StatusCode::SERVICE_UNAVAILABLE, printable_lines(&format!("{why}\n"))).into_response()
        }
    })
}
