//! `/healthz`, `/readyz` and `/metrics`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use crate::api::http::metrics::page::{MetricFamily, MetricsPage, count, counter, flag, gauge};
use crate::api::http::metrics::process;
use crate::web::daemon::GetDaemonSummary;
use crate::web::reply::WebError;
use crate::web::server::WebServer;
use crate::web::session_keeper::GetLoginStats;
use crate::web::tabs::{GetLastEventId, GetTabStats};

const REQUESTS: MetricFamily =
    counter("web_requests_total", "Answers to browsers and others, by the kind of status.");
const TABS: MetricFamily = gauge("web_tabs", "Event streams that are open.");
const TABS_OPENED: MetricFamily =
    counter("web_tabs_opened_total", "Event streams since the start.");
const TABS_DROPPED: MetricFamily = counter(
    "web_tabs_dropped_total",
    "Event streams that ended early: reset, told to read the state anew; slow, took nothing for a minute; full, turned away.",
);
const FRAMES: MetricFamily = counter("web_frames_total", "Events that all tabs were sent.");
const HELD: MetricFamily = gauge("web_frames_bytes", "Bytes held for tabs that come back.");
const SESSIONS: MetricFamily = gauge("web_sessions", "Sessions of those who are logged in.");
const LOGINS: MetricFamily = counter("web_logins_total", "Sessions that began.");
const REFUSED: MetricFamily = counter(
    "web_logins_refused_total",
    "Attempts to log in that failed: wrong, by the password; slowed, too soon after others.",
);
const UP: MetricFamily = gauge("web_daemon_up", "1 while a daemon answers.");
const FRONTENDS: MetricFamily = gauge("web_daemon_frontends", "Frontends that are mirrored.");
const BACKENDS: MetricFamily = gauge("web_daemon_backends", "Backends that are mirrored.");

/// Whether the actors answer.
pub(super) async fn healthz(State(server): State<WebServer>) -> Result<&'static str, WebError> {
    server.tabs.send(GetLastEventId).await?;
    server.sessions.send(GetLoginStats).await?;
    Ok("ok\n")
}

/// Whether there is a daemon to show.
pub(super) async fn readyz(State(server): State<WebServer>) -> Result<Response, WebError> {
    let (mut text, mut is_ready) = (String::new(), false);
    for daemon in &server.daemons {
        let state = daemon.mirror.send(GetDaemonSummary).await?.state;
        is_ready |= state == "up";
        text.push_str(&format!("{} is {state}\n", daemon.name));
    }
    let (status, word) = match is_ready {
        true => (StatusCode::OK, "ready"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "no daemon answers"),
    };
    Ok((status, format!("{word}\n{text}")).into_response())
}

pub(super) async fn metrics(State(server): State<WebServer>) -> Result<Response, WebError> {
    let mut page = MetricsPage::default();
    page.family(&REQUESTS);
    for (kind, number) in server.requests.counts() {
        page.series(&REQUESTS, &[("status", &kind)], count(number));
    }
    let tabs = server.tabs.send(GetTabStats).await?;
    page.single(&TABS, count(tabs.open as u64));
    page.single(&TABS_OPENED, count(tabs.opened));
    page.family(&TABS_DROPPED);
    for (why, number) in [("reset", tabs.reset), ("slow", tabs.slow), ("full", tabs.turned_away)] {
        page.series(&TABS_DROPPED, &[("why", why)], count(number));
    }
    page.single(&FRAMES, count(tabs.frames));
    page.single(&HELD, count(tabs.bytes_held as u64));
    let sessions = server.sessions.send(GetLoginStats).await?;
    page.single(&SESSIONS, count(sessions.sessions as u64));
    page.single(&LOGINS, count(sessions.logins));
    page.family(&REFUSED);
    for (why, number) in [("wrong", sessions.failed), ("slowed", sessions.slowed)] {
        page.series(&REFUSED, &[("why", why)], count(number));
    }
    let mut summaries = Vec::new();
    for daemon in &server.daemons {
        summaries.push((&daemon.name, daemon.mirror.send(GetDaemonSummary).await?));
    }
    for family in [&UP, &FRONTENDS, &BACKENDS] {
        page.family(family);
        for (name, summary) in &summaries {
            let value = match family.name {
                name if name == UP.name => flag(summary.state == "up"),
                name if name == FRONTENDS.name => count(summary.frontends as u64),
                _ => count(summary.backends as u64),
            };
            page.series(family, &[("daemon", name.as_str())], value);
        }
    }
    process::collect(&mut page, "maglev-web");
    let format = [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    Ok((format, page.into_text()).into_response())
}
