//! `GET api/events`: what changes, as server-sent events.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};

use super::query::Query;
use crate::api::transport::activity::ConnectionActivity;
use crate::domain::web::access::WebPermission;
use crate::web::caller::WebCaller;
use crate::web::connection::EVENT_STREAM;
use crate::web::reply::WebError;
use crate::web::server::WebServer;
use crate::web::session_keeper::GetSession;
use crate::web::tabs::{GetLastEventId, LastEventId, OpenTab, TabStream, tab_body};

pub(super) async fn events(
    State(server): State<WebServer>,
    Extension(connection): Extension<Arc<ConnectionActivity>>,
    caller: WebCaller,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    caller.may(&server, WebPermission::Look)?;
    let query = Query::of(query.as_deref());
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let after = match last.filter(|id| !id.is_empty()).or(query.one("after")) {
        Some(id) => id.parse().map_err(|_| ()),
        None => {
            let LastEventId(id) = server.tabs.send(GetLastEventId).await?;
            Ok(id)
        }
    };
    if !server.tabs.send(OpenTab).await? {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        return Err(WebError::new(status, "unavailable", "too many tabs are open")
            .remedy("close some, or try again later"));
    }
    let broker = server.tabs.clone();
    let connection = Some(connection);
    let key = caller.session.map(|(key, _)| key);
    let sessions = server.sessions.clone();
    let watch = move || {
        let sessions = sessions.clone();
        async move {
            let key = key?;
            let session = sessions.send(GetSession { key, is_use: false }).await;
            // A server that stops ends the stream itself.
            matches!(session, Ok(None)).then_some("expired")
        }
    };
    let body = tab_body(TabStream { broker, after, connection, watch });
    let fields = [
        (CONTENT_TYPE, EVENT_STREAM),
        (CACHE_CONTROL, "no-store"),
        // For nginx, which would hold events back.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((fields, body).into_response())
}
