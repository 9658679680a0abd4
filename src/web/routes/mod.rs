//! The URLs. docs/web.md has them all.

mod events;
mod query;
mod state;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::reply::WebError;
use super::server::WebServer;

pub(super) fn routes(server: WebServer) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/api/state", get(state::state))
        .route("/api/events", get(events::events))
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(page)
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
