//! Backends: the list, one with its transitions, one that was changed.

use super::common::{confirmation, doubt_note, or_dash, override_note, state_cell, yes_no};
use super::drain;
use super::overrides::{fact, term};
use crate::api::views::text::printable;
use crate::cli::render::context::{RenderContext, Tone, urgency};
use crate::cli::render::table::{Cell, Column, TextTable, facts};
use crate::cli::render::time::{age, elapsed, moment};
use crate::pb::{BackendInfo, HealthCheckInfo, SlowStartInfo};

/// The age of the last transition.
fn since(backend: &BackendInfo, context: &RenderContext) -> String {
    let at_ns = backend.transitions.last().map_or(0, |last| last.at_unix_ns);
    age(context.now_of_daemon(backend.now_unix_ns), at_ns)
}

pub(super) fn list(backends: &[BackendInfo], context: &RenderContext) -> String {
    if backends.is_empty() {
        return "no backends are configured\n".into();
    }
    let mut sorted: Vec<&BackendInfo> = backends.iter().collect();
    sorted.sort_by_key(|backend| (rank(backend), &backend.name));
    let mut table = TextTable::new(&[
        Column::left("NAME"),
        Column::left("STATE"),
        Column::right("SINCE"),
        Column::left("ADDRESS"),
        Column::left("HEALTHCHECK"),
        Column::text("LAST RESULT"),
    ]);
    for backend in sorted {
        table.row([
            backend.name.as_str().into(),
            state_cell(backend),
            since(backend, context).into(),
            or_dash(&backend.address).into(),
            or_dash(&backend.healthcheck).into(),
            backend.last_result.as_str().into(),
        ]);
    }
    let marked = backends.iter().any(|backend| backend.enabled_overridden);
    table.render(context) + &override_note(marked, context) + &doubt_note(backends, context)
}

/// Rank in lists: one that is doubted is as urgent as one that is unknown.
fn rank(backend: &BackendInfo) -> u8 {
    let rank = urgency(&backend.state);
    if backend.doubt.is_some() { rank.min(urgency("unknown")) } else { rank }
}

pub(super) fn one(
    backend: &BackendInfo,
    check: Option<&HealthCheckInfo>,
    context: &RenderContext,
) -> String {
    let check_name = match (backend.healthcheck.as_str(), backend.port) {
        ("", _) => "none, always up".to_owned(),
        (name, 0) => name.to_owned(),
        (name, port) => format!("{name}, at port {port}"),
    };
    let mark = if backend.enabled_overridden { "*" } else { "" };
    let slow_starts: Vec<_> = backend.slow_starts.iter().map(slow_start_in).collect();
    let head = facts(
        &[
            ("backend", backend.name.as_str().into()),
            ("state", Cell::state(&backend.state, false)),
            ("since", since(backend, context).into()),
            ("drain", drain_cell(backend)),
            ("slow start", Cell::new(&slow_starts.join("; "), Tone::Unsure)),
            ("doubted", Cell::new(&doubt(backend, context).unwrap_or_default(), Tone::Unsure)),
            ("damped", Cell::new(&damping(backend, context).unwrap_or_default(), Tone::Unsure)),
            ("certificate", certificate(backend, context)),
            ("address", address(backend).into()),
            ("enabled", format!("{}{mark}", yes_no(backend.enabled)).into()),
            ("override", backend.admin_override.as_ref().map(fact).unwrap_or_default().into()),
            ("health check", check_name.as_str().into()),
            ("counter", check.map_or_else(String::new, |check| counter(backend, check)).into()),
            ("last result", backend.last_result.as_str().into()),
        ],
        context,
    );
    head + &override_note(backend.enabled_overridden, context)
        + &probes(backend, context)
        + &transitions(backend, context)
}

/// The last probes, the latest first.
fn probes(backend: &BackendInfo, context: &RenderContext) -> String {
    if backend.probes.is_empty() {
        return String::new();
    }
    let mut table = TextTable::new(&[
        Column::right("AGE"),
        Column::left("AT (UTC)"),
        Column::left("PROBE"),
        Column::right("TOOK"),
    ]);
    let now_ns = context.now_of_daemon(backend.now_unix_ns);
    for probe in backend.probes.iter().rev() {
        let tone = if probe.passed { Tone::Good } else { Tone::Bad };
        let took = format!("{}.{} ms", probe.took_ns / 1_000_000, probe.took_ns / 100_000 % 10);
        table.row([
            age(now_ns, probe.at_unix_ns).into(),
            moment(probe.at_unix_ns).into(),
            Cell::new(&probe.code, tone),
            took.into(),
        ]);
    }
    format!("\n{}", table.render(context))
}

/// `45 of 100 in www, full in 12s`
fn slow_start_in(info: &SlowStartInfo) -> String {
    let SlowStartInfo { frontend_name, weight, target, left_ns } = info;
    format!("{weight} of {target} in {frontend_name}, full in {}", elapsed(*left_ns))
}

fn drain_cell(backend: &BackendInfo) -> Cell {
    match &backend.drain {
        Some(drain) => Cell::new(&drain::line(drain), drain::tone(&drain.phase)),
        None => "".into(),
    }
}

/// Why a backend is doubted: `held for 3s: L4TOUT timeout; …`
fn doubt(backend: &BackendInfo, context: &RenderContext) -> Option<String> {
    let doubt = backend.doubt.as_ref()?;
    let what = if doubt.held { "held" } else { "in question" };
    let lasts = age(context.now_of_daemon(backend.now_unix_ns), doubt.since_unix_ns);
    Some(format!("{what} for {lasts}: {}", doubt.why))
}

/// `ends in 9d, 2026-12-07 10:00:00`
fn certificate(backend: &BackendInfo, context: &RenderContext) -> Cell {
    let Some(certificate) = &backend.certificate else { return "".into() };
    let now = context.now_of_daemon(backend.now_unix_ns);
    let at = moment(certificate.ends_unix_ns);
    let text = match certificate.ends_unix_ns.saturating_sub(now) {
        left @ 0.. => format!("ends in {}, {at}", elapsed(left)),
        _ => format!("has ended, {at}"),
    };
    if certificate.soon { Cell::new(&text, Tone::Unsure) } else { text.into() }
}

/// How long the return of a backend waits: `3 falls; passes since 4s, up in 16s …`
fn damping(backend: &BackendInfo, context: &RenderContext) -> Option<String> {
    let damping = backend.damping.as_ref()?;
    let now = context.now_of_daemon(backend.now_unix_ns);
    let passes = age(now, damping.since_unix_ns);
    let left = elapsed(damping.until_unix_ns.saturating_sub(now));
    let (falls, name) = (damping.falls, &backend.name);
    Some(format!(
        "{falls} falls; passes for {passes}, up in {left} unless it fails (set backend {name} resume: now)"
    ))
}

/// The address and its DNS name: `192.0.2.1 (www.example.org)`.
fn address(backend: &BackendInfo) -> String {
    let address = or_dash(&backend.address);
    match (backend.dns_name.as_str(), backend.unresolved.as_str()) {
        ("", _) => backend.address.clone(),
        (name, "") => format!("{address} ({name})"),
        (name, why) => format!("{address} ({name}, which does not resolve: {why})"),
    }
}

/// The counter in its range: `4 of 4, up from 2`.
fn counter(backend: &BackendInfo, check: &HealthCheckInfo) -> String {
    let top = check.rise.saturating_add(check.fall).saturating_sub(1);
    format!("{} of {top}, up from {}", backend.counter, check.rise)
}

/// The transitions, the latest first.
fn transitions(backend: &BackendInfo, context: &RenderContext) -> String {
    if backend.transitions.is_empty() {
        return "\nno transitions yet\n".into();
    }
    let mut table = TextTable::new(&[
        Column::right("AGE"),
        Column::left("AT (UTC)"),
        Column::left("FROM"),
        Column::left("TO"),
        // Never cut: the reason is the purpose of this table.
        Column::left("WHY"),
    ]);
    let now_ns = context.now_of_daemon(backend.now_unix_ns);
    for transition in backend.transitions.iter().rev() {
        table.row([
            age(now_ns, transition.at_unix_ns).into(),
            moment(transition.at_unix_ns).into(),
            Cell::state(&transition.from, false),
            Cell::state(&transition.to, false),
            transition.why.as_str().into(),
        ]);
    }
    format!("\n{}", table.render(context))
}

pub(super) fn changed(backend: &BackendInfo, context: &RenderContext) -> String {
    let (state, tone) = match &backend.drain {
        Some(drain) => (&drain.phase, drain::tone(&drain.phase)),
        None => (&backend.state, Tone::of_state(&backend.state)),
    };
    let state = context.paint(tone, &printable(state));
    let vpp = confirmation(backend.programmed, &backend.not_programmed, context);
    let term = term(backend.admin_override.as_ref());
    format!("{} is {state}{term}{vpp}\n", printable(&backend.name))
}
