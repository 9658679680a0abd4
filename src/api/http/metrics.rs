//! What a Prometheus server and a load balancer's health check ask over HTTP:
//! `/metrics`, `/healthz` and `/readyz`.
//!
//! Nothing is counted here: each scrape asks the actors, so a backend that is
//! gone has no series, and a scrape shows one moment.

mod families;
mod page;
mod probes;
mod process;

use std::io;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use thiserror::Error;
use tokio::net::TcpListener;

use crate::actors::watchdog::GetReadiness;
use crate::api::Actors;
use crate::domain::readiness::Readiness;
use page::MetricsPage;

/// The page's format, as Prometheus names it.
const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The metrics could not be served.
#[derive(Debug, Error)]
#[error(
    "cannot serve metrics on {address}: {source}; give another --metrics-addr, or an empty one"
)]
pub struct MetricsError {
    /// Where.
    pub address: String,
    /// Why.
    pub source: io::Error,
}

/// Serves the three pages on `address` for as long as the runtime lives.
/// Returns the address that was really bound.
///
/// # Errors
/// The address cannot be opened.
pub async fn serve(actors: Actors, address: &str) -> Result<String, MetricsError> {
    let failed = |source| MetricsError { address: address.into(), source };
    // `:9091` means all addresses, as for gRPC.
    let host = if address.starts_with(':') { format!("[::]{address}") } else { address.into() };
    let listener = TcpListener::bind(host).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?.to_string();
    let pages = Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(healthy))
        .route("/readyz", get(ready))
        .with_state(actors);
    // It does not end: it goes on over failed connections.
    tokio::spawn(async move { axum::serve(listener, pages).await });
    Ok(bound)
}

async fn metrics(State(actors): State<Actors>) -> Response {
    let mut page = MetricsPage::default();
    match families::collect(&actors, &mut page).await {
        Ok(()) => ([(header::CONTENT_TYPE, FORMAT)], page.into_text()).into_response(),
        Err(error) => stopping(&error).into_response(),
    }
}

/// Whether the actors answer.
async fn healthy(State(actors): State<Actors>) -> Response {
    match families::answer(&actors).await {
        Ok(()) => "ok\n".into_response(),
        Err(error) => stopping(&error).into_response(),
    }
}

/// Whether the daemon has started and VPP, if one is wanted, is there.
async fn ready(State(actors): State<Actors>) -> Response {
    match actors.overseer.send(GetReadiness).await {
        Ok(Readiness::Ready) => "ready\n".into_response(),
        Ok(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
        Err(error) => stopping(&error).into_response(),
    }
}

fn stopping(_: &actix::MailboxError) -> (StatusCode, &'static str) {
    (StatusCode::SERVICE_UNAVAILABLE, "maglevd is stopping\n")
}
