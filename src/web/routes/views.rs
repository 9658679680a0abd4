//! What single views show: a frontend, a backend, VPP, the timeline, the comparison.

use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::time::SystemTime;

use super::query::Query;
use crate::api::views::EventJson;
use crate::domain::utc::unix_rfc3339;
use crate::domain::web::access::WebPermission;
use crate::pb::event::Event;
use crate::web::caller::WebCaller;
use crate::web::comparer::GetComparison;
use crate::web::json::{JsonObject, to_json};
use crate::web::read_cache::{ReadKind, ReadShared, ReadValue};
use crate::web::reply::{JsonReply, WebError};
use crate::web::server::{ServedDaemon, WebServer};

/// How far back a timeline goes, unless it is said.
const HOUR: u64 = 3600;
const LIMIT: usize = 500;
const MOST_EVENTS: usize = 5000;

pub(super) async fn frontend(
    State(server): State<WebServer>,
    caller: WebCaller,
    Path((daemon, name)): Path<(String, String)>,
) -> Result<Response, WebError> {
    one(&server, &caller, &daemon, ReadKind::Frontend(name)).await
}

pub(super) async fn backend(
    State(server): State<WebServer>,
    caller: WebCaller,
    Path((daemon, name)): Path<(String, String)>,
) -> Result<Response, WebError> {
    one(&server, &caller, &daemon, ReadKind::Backend(name)).await
}

pub(super) async fn vpp(
    State(server): State<WebServer>,
    caller: WebCaller,
    Path(daemon): Path<String>,
) -> Result<Response, WebError> {
    one(&server, &caller, &daemon, ReadKind::Vpp).await
}

pub(super) async fn doctor(
    State(server): State<WebServer>,
    caller: WebCaller,
    Path(daemon): Path<String>,
) -> Result<Response, WebError> {
    one(&server, &caller, &daemon, ReadKind::Doctor).await
}

async fn one(
    server: &WebServer,
    caller: &WebCaller,
    daemon: &str,
    kind: ReadKind,
) -> Result<Response, WebError> {
    caller.may(server, WebPermission::Look)?;
    match read(server, server.daemon(daemon)?, kind).await? {
        ReadValue::Json(json) => Ok(JsonReply(json.to_vec()).into_response()),
        ReadValue::Timeline(_) => Err(WebError::not_found("there is no such view")),
    }
}

async fn read(
    server: &WebServer,
    daemon: &ServedDaemon,
    kind: ReadKind,
) -> Result<ReadValue, WebError> {
    let (name, client) = (daemon.name.clone(), daemon.client.clone());
    server.reads.send(ReadShared { daemon: name, client, kind }).await?
}

/// The events of all daemons, by their clocks, filtered.
pub(super) async fn timeline(
    State(server): State<WebServer>,
    caller: WebCaller,
    RawQuery(query): RawQuery,
) -> Result<Response, WebError> {
    caller.may(&server, WebPermission::Look)?;
    let query = Query::of(query.as_deref());
    let number = |key: &str, or: u64| match query.one(key) {
        None => Ok(or),
        Some(text) => {
            text.parse().map_err(|_| WebError::bad_request(format!("{key} is not a number")))
        }
    };
    let last_s = number("last_s", HOUR)?;
    let limit = number("limit", LIMIT as u64)?;
    let limit = usize::try_from(limit).unwrap_or(MOST_EVENTS).min(MOST_EVENTS);
    let text = |key: &str| query.one(key).unwrap_or_default().to_owned();
    let kind = ReadKind::Timeline { backend: text("backend"), frontend: text("frontend"), last_s };
    let daemons: Vec<_> = query.all("daemon").filter(|name| !name.is_empty()).collect();
    let types: Vec<_> = query.all("type").filter(|name| !name.is_empty()).collect();
    for name in &daemons {
        server.daemon(name)?;
    }
    let (mut rows, mut missing, mut truncated) = (Vec::new(), Vec::new(), false);
    for daemon in &server.daemons {
        if !daemons.is_empty() && !daemons.contains(&daemon.name.as_str()) {
            continue;
        }
        match read(&server, daemon, kind.clone()).await {
            Ok(ReadValue::Timeline(timeline)) => {
                truncated |= timeline.truncated;
                rows.push((daemon.name.as_str(), timeline));
            }
            Ok(ReadValue::Json(_)) => {}
            Err(error) => missing.push(json!({ "daemon": daemon.name, "why": error.to_string() })),
        }
    }
    let events = rows
        .iter()
        .flat_map(|(daemon, timeline)| timeline.events.iter().map(move |event| (*daemon, event)));
    let mut events: Vec<_> = events
        .filter(|(_, event)| {
            let kind = event.event.as_ref().map_or("", type_of);
            types.is_empty() || types.contains(&kind)
        })
        .collect();
    // One after the other where the clocks say the same.
    events.sort_by_key(|(_, event)| event.event.as_ref().map_or(0, moment_of));
    let skipped = events.len().saturating_sub(limit);
    let events = events[skipped..].iter().map(|(daemon, event)| {
        let mut row = JsonObject::default();
        row.set("daemon", daemon).set_json("event", &to_json(&EventJson::from(*event)));
        row.finish()
    });
    let mut object = JsonObject::default();
    object.set("as_of", &unix_rfc3339(SystemTime::now())).set_array("events", events);
    object.set("truncated", &(truncated || skipped > 0)).set("missing", &missing);
    Ok(JsonReply(object.finish()).into_response())
}

/// The word of `EventJson`'s `type`.
fn type_of(event: &Event) -> &'static str {
    match event {
        Event::Log(_) => "log",
        Event::Backend(_) => "backend",
        Event::Frontend(_) => "frontend",
        Event::FailOpen(_) => "fail_open",
        Event::Dataplane(_) => "dataplane",
        Event::Change(_) => "change",
        Event::Hold(_) => "hold",
        Event::Drain(_) => "drain",
        Event::Audit(_) => "audit",
        Event::Announcement(_) => "announcement",
        Event::Missed(_) => "missed",
    }
}

fn moment_of(event: &Event) -> i64 {
    let of = |transition: &Option<crate::pb::TransitionRecord>| {
        transition.as_ref().map_or(0, |transition| transition.at_unix_ns)
    };
    match event {
        Event::Log(event) => event.at_unix_ns,
        Event::Backend(event) => of(&event.transition),
        Event::Frontend(event) => of(&event.transition),
        Event::FailOpen(event) => of(&event.transition),
        Event::Dataplane(event) => event.at_unix_ns,
        Event::Change(event) => event.at_unix_ns,
        Event::Hold(event) => event.at_unix_ns,
        Event::Drain(event) => event.at_unix_ns,
        Event::Audit(event) => event.at_unix_ns,
        Event::Announcement(event) => event.at_unix_ns,
        Event::Missed(_) => 0,
    }
}

pub(super) async fn compare(
    State(server): State<WebServer>,
    caller: WebCaller,
) -> Result<Response, WebError> {
    caller.may(&server, WebPermission::Look)?;
    let comparison = server.comparer.send(GetComparison).await?;
    Ok(JsonReply(comparison.whole.to_vec()).into_response())
}
