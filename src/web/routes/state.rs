//! `GET api/state`: all that is known of all daemons.

use std::io::Write;
use std::time::SystemTime;

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;

use super::query::Query;
use crate::api::transport::encoding::Encoding;
use crate::domain::utc::unix_rfc3339;
use crate::web::daemon::GetDaemonState;
use crate::web::json::JsonObject;
use crate::web::reply::{JsonReply, WebError};
use crate::web::server::WebServer;
use crate::web::tabs::{GetLastEventId, LastEventId};

pub(super) async fn state(
    State(server): State<WebServer>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let query = Query::of(query.as_deref());
    let names: Vec<&str> = query.all("daemon").collect();
    for name in &names {
        server.daemon(name)?;
    }
    // Before the parts are read: what changes meanwhile is in them, and comes again.
    let LastEventId(id) = server.tabs.send(GetLastEventId).await?;
    let mut object = JsonObject::default();
    object.set("now", &unix_rfc3339(SystemTime::now()));
    object.set("event_id", &id.to_string());
    object.set("version", &env!("CARGO_PKG_VERSION"));
    let mut parts = Vec::new();
    for daemon in &server.daemons {
        if names.is_empty() || names.contains(&daemon.name.as_str()) {
            parts.push(daemon.mirror.send(GetDaemonState).await?);
        }
    }
    object.set_array("daemons", &parts);
    object.set("differences", &());
    let json = object.finish();
    if Encoding::of(&headers) == Encoding::Plain {
        return Ok(JsonReply(json).into_response());
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let _ = encoder.write_all(&json);
    let bytes = encoder.finish().unwrap_or_default();
    let fields = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "no-store"),
        (CONTENT_ENCODING, "gzip"),
        (VARY, "Accept-Encoding"),
    ];
    Ok((fields, bytes).into_response())
}
