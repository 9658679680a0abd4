//! The URLs. docs/web.md has them all.

mod actions;
mod body;
mod events;
mod health;
mod query;
mod session;
mod state;
mod views;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use super::reply::WebError;
use super::server::WebServer;

pub(super) fn routes(server: WebServer) -> Router {
    Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/api/session", get(session::session))
        .route("/api/login", post(session::login))
        .route("/api/logout", post(session::logout))
        .route("/api/state", get(state::state))
        .route("/api/events", get(events::events))
        .route("/api/daemons/{daemon}/frontends/{name}", get(views::frontend))
        .route("/api/daemons/{daemon}/backends/{name}", get(views::backend))
        .route("/api/daemons/{daemon}/vpp", get(views::vpp))
        .route("/api/daemons/{daemon}/doctor", get(views::doctor))
        .route("/api/timeline", get(views::timeline))
        .route("/api/compare", get(views::compare))
        .route("/api/actions", post(actions::act))
        .route("/api/forecast", post(actions::forecast))
        .layer(DefaultBodyLimit::max(body::LONGEST))
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(page)
        .with_state(server)
}

/// What is served beside the page, for Prometheus and load balancers.
pub(super) fn metrics_routes(server: WebServer) -> Router {
    Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .fallback(async || WebError::not_found("there is no such page"))
        .with_state(server)
}

async fn method_not_allowed() -> WebError {
    let status = StatusCode::METHOD_NOT_ALLOWED;
    WebError::new(status, "method_not_allowed", "this URL has no such method")
}

/// A file of the page.
async fn page(State(server): State<WebServer>, request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        return method_not_allowed().await.into_response();
    }
    let found = server.page.get(path, request.headers());
    found.unwrap_or_else(|| WebError::not_found("there is no such page").into_response())
}
