//! Draws the view: a heading, the table, the recent changes, the keys.

use std::time::Instant;

use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Cell, Paragraph, Row as TableRow, Table};

use super::changes::described;
use super::model::LiveModel;
use super::rows::{Row, rows};
use crate::api::views::text::printable;
use crate::api::views::{announcement_oddity, fail_open_text};
use crate::cli::error::client_error_text;
use crate::cli::render::context::Tone;
use crate::cli::render::text::{drain, slow_start};
use crate::cli::render::time::{age, elapsed, moment};
use crate::client::mirror::{DaemonStatus, MirroredState, VppStatus};
use crate::pb;

/// Lines of recent changes, where the terminal has room for them.
const CHANGES: u16 = 5;

/// Terminals with fewer lines show no recent changes.
const FEW_LINES: u16 = 16;

/// The moment of a drawing.
#[derive(Clone, Copy, Debug)]
pub struct DrawTime {
    pub at: Instant,
    /// By the client's clock, where the daemon does not send its own: Unix time in
    /// nanoseconds.
    pub client_ns: i64,
}

/// Draws the view.
pub fn draw(frame: &mut Frame<'_>, model: &mut LiveModel, time: DrawTime, colour: bool) {
    let area = frame.area();
    let changes = if area.height < FEW_LINES { 0 } else { CHANGES + 1 };
    let parts = [
        Constraint::Length(3),
        Constraint::Min(2),
        Constraint::Length(changes),
        Constraint::Length(1),
    ];
    let [head, body, recent, foot] = Layout::vertical(parts).areas(area);
    let ink = Ink { colour };
    let now_ns = model.mirror.now_ns(time.at, time.client_ns);
    frame.render_widget(heading(model, now_ns, time.at, ink), head);
    // The titles take one line of the body.
    let page = usize::from(body.height.saturating_sub(1));
    let count = rows(model).len();
    model.fit(count, page);
    frame.render_widget(table(model, now_ns, ink, body, page), body);
    frame.render_widget(recent_changes(model, ink), recent);
    frame.render_widget(keys(model, count, ink), foot);
}

/// How tones are drawn.
#[derive(Clone, Copy)]
pub(crate) struct Ink {
    pub(crate) colour: bool,
}

impl Ink {
    pub(crate) fn style(self, tone: Tone) -> Style {
        let colour = |colour| if self.colour { Style::new().fg(colour) } else { Style::new() };
        match tone {
            Tone::Plain => Style::new(),
            Tone::Good => colour(Color::Green),
            Tone::Bad => colour(Color::Red),
            Tone::Unsure => colour(Color::Yellow),
            Tone::Held => colour(Color::Cyan),
            Tone::Faint => Style::new().add_modifier(Modifier::DIM),
            Tone::Title => Style::new().add_modifier(Modifier::BOLD),
        }
    }

    pub(crate) fn span(self, tone: Tone, text: impl Into<String>) -> Span<'static> {
        Span::styled(text.into(), self.style(tone))
    }
}

/// The daemon, how many objects are in which state, and VPP.
fn heading(model: &LiveModel, now_ns: i64, at: Instant, ink: Ink) -> Paragraph<'static> {
    let mut first = vec![ink.span(Tone::Title, format!("maglevd {}", model.server))];
    first.push(match &model.mirror.status {
        DaemonStatus::Connecting => ink.span(Tone::Unsure, "  connecting"),
        DaemonStatus::Up => Span::raw(""),
        DaemonStatus::Down(error) => {
            ink.span(Tone::Bad, format!("  LOST: {}", client_error_text(error)))
        }
    });
    for (probes, since_ns) in &model.mirror.held {
        let text =
            format!("  VERDICTS HELD ({}) for {}", printable(probes), age(now_ns, *since_ns));
        first.push(ink.span(Tone::Unsure, text));
    }
    let frontends: Vec<&str> = model.mirror.frontends.values().map(|f| f.state.as_str()).collect();
    let backends: Vec<&str> =
        model.mirror.backend_states.values().map(|b| b.state.as_str()).collect();
    let second = format!("frontends: {}  backends: {}", counted(&frontends), counted(&backends));
    let third = match &model.mirror.vpp {
        VppStatus::Unknown => Span::raw("VPP: not asked yet"),
        VppStatus::Connected(info) if !info.held_removals.is_empty() => {
            let held = info.held_removals.len();
            let text = format!("VPP {}: {held} VIPs of no frontend are", printable(&info.version));
            ink.span(Tone::Bad, text + " held, sync vpp lb state force removes them")
        }
        VppStatus::Connected(info) if info.missing_messages.is_empty() => {
            let since = match model.mirror.connected_for_ns(at) {
                0 => age(now_ns, info.connecttime_ns),
                span_ns => elapsed(span_ns),
            };
            ink.span(Tone::Good, format!("VPP {} connected for {since}", printable(&info.version)))
        }
        VppStatus::Connected(info) => {
            let missing = info.missing_messages.len();
            let text = format!("VPP {} lacks {missing} messages", printable(&info.version));
            ink.span(Tone::Bad, text + " and is not programmed")
        }
        VppStatus::Away(error) => ink.span(Tone::Bad, client_error_text(error)),
    };
    Paragraph::new(vec![Line::from(first), Line::from(second), Line::from(third)])
}

/// `1 down 3 up`, the most urgent first.
fn counted(states: &[&str]) -> String {
    let known = ["down", "unknown", "paused", "disabled", "up"];
    let count = |state: &str| states.iter().filter(|found| **found == state).count();
    let counts = known.iter().map(|state| (count(state), state)).filter(|(count, _)| *count > 0);
    let texts: Vec<String> = counts.map(|(count, state)| format!("{count} {state}")).collect();
    if texts.is_empty() { "none".into() } else { texts.join(" ") }
}

fn table(model: &LiveModel, now_ns: i64, ink: Ink, area: Rect, page: usize) -> Table<'static> {
    let rows = rows(model);
    let shown = rows.iter().skip(model.top).take(page);
    let name = u16::try_from(rows.iter().map(name_width).max().unwrap_or(0)).unwrap_or(u16::MAX);
    // Free text at the end is cut first, and then long names.
    let name = name.clamp(8, (area.width / 3).max(8));
    let titles = ["NAME", "STATE", "WEIGHT", "EFFECT", "SHARE", "AGE", "WHY"];
    let titles = TableRow::new(titles.map(|title| right(title, Span::raw(title))));
    let widths = [
        Constraint::Length(name),
        Constraint::Length(9),
        Constraint::Length(6),
        Constraint::Length(6),
        Constraint::Length(6),
        Constraint::Length(7),
        Constraint::Fill(1),
    ];
    Table::new(shown.map(|row| table_row(row, now_ns, ink)), widths)
        .header(titles.style(ink.style(Tone::Title)))
        .column_spacing(1)
}

/// Aligns columns of numbers to the right.
fn right(title: &str, text: Span<'static>) -> Cell<'static> {
    let number = ["WEIGHT", "EFFECT", "SHARE", "AGE"].contains(&title);
    let line = Line::from(text);
    Cell::new(if number { line.alignment(Alignment::Right) } else { line })
}

fn name_width(row: &Row<'_>) -> usize {
    match row {
        Row::Frontend { frontend, .. } => frontend.name.chars().count(),
        Row::Pool { pool, .. } => 2 + pool.name.chars().count(),
        Row::Server { member, .. } => 4 + member.name.chars().count(),
    }
}

fn table_row(row: &Row<'_>, now_ns: i64, ink: Ink) -> TableRow<'static> {
    let since = |status: Option<&MirroredState>| {
        status.map_or_else(String::new, |status| age(now_ns, status.since_ns))
    };
    let state = |state: &str| ink.span(Tone::of_state(state), printable(state));
    let blank = || Span::raw("");
    let cells = match row {
        Row::Frontend { frontend, status, serving, all } => {
            let mut why = format!("{} {serving}/{all} serving", vip(frontend));
            if !frontend.vpp_refusal.is_empty() {
                why = format!("VPP refuses {}", frontend.vpp_refusal);
            }
            let mut tone = Tone::Plain;
            if let Some(open) = fail_open_text(frontend) {
                let refusal = if frontend.vpp_refusal.is_empty() {
                    String::new()
                } else {
                    format!("; {why}")
                };
                (why, tone) = (format!("FAILS OPEN: {open}{refusal}"), Tone::Bad);
            }
            if let Some(oddity) = frontend.announcement.as_ref().and_then(announcement_oddity) {
                // That it fails open stays in front.
                why = match tone {
                    Tone::Bad => format!("{why}; {}", oddity.text),
                    _ => format!("{}; {why}", oddity.text),
                };
                tone = if oddity.is_bad { Tone::Bad } else { tone };
            }
            [
                ink.span(Tone::Title, printable(&frontend.name)),
                state(&frontend.state),
                blank(),
                blank(),
                blank(),
                Span::raw(since(*status)),
                ink.span(tone, printable(&why)),
            ]
        }
        Row::Pool { pool, serving } => {
            let (tone, word) =
                if *serving { (Tone::Good, "serving") } else { (Tone::Faint, "standby") };
            let name = format!("  {}", printable(&pool.name));
            let rest = [blank(), blank(), blank(), blank(), blank()];
            let [a, b, c, d, e] = rest;
            [Span::raw(name), ink.span(tone, word), a, b, c, d, e]
        }
        Row::Server { member, status } => {
            let known = status.map_or("unknown", |status| status.state.as_str());
            let mark = if member.weight_overridden { "*" } else { "" };
            let effective = match member.effective_weight {
                weight if weight >= 0 => weight.to_string(),
                _ => "as-is".into(),
            };
            let doubt = status.and_then(|status| status.doubt.as_ref());
            let drain = status.and_then(|status| status.drain.as_ref());
            let (known, why) = match (doubt, drain, &member.slow_start) {
                (None, Some(drain), _) => drain_cells(drain, ink),
                (None, None, Some(ramp)) if known == "up" => {
                    (state(known), ink.span(Tone::Unsure, slow_start::line(ramp)))
                }
                (None, None, _) => {
                    let why = status.map_or_else(String::new, |status| printable(&status.why));
                    (state(known), Span::raw(why))
                }
                (Some(doubt), _, _) => {
                    let why = printable(&format!("doubted: {}", doubt.why));
                    let known = printable(&format!("{known}?"));
                    (ink.span(Tone::Unsure, known), ink.span(Tone::Unsure, why))
                }
            };
            let share = member.real_share.map(|share| format!("{:.1}%", share * 100.0));
            [
                Span::raw(format!("    {}", printable(&member.name))),
                known,
                Span::raw(format!("{}{mark}", member.weight)),
                Span::raw(effective),
                Span::raw(share.unwrap_or_default()),
                Span::raw(since(*status)),
                why,
            ]
        }
    };
    let titles = ["NAME", "STATE", "WEIGHT", "EFFECT", "SHARE", "AGE", "WHY"];
    TableRow::new(titles.into_iter().zip(cells).map(|(title, cell)| right(title, cell)))
}

/// The state and the reason of a backend that is drained.
fn drain_cells(drain: &pb::DrainInfo, ink: Ink) -> (Span<'static>, Span<'static>) {
    let tone = drain::tone(&drain.phase);
    (ink.span(tone, printable(&drain.phase)), ink.span(tone, printable(&drain::line(drain))))
}

/// `192.0.2.80 tcp/80`
fn vip(frontend: &pb::FrontendInfo) -> String {
    if frontend.protocol.is_empty() {
        frontend.address.clone()
    } else {
        format!("{} {}/{}", frontend.address, frontend.protocol, frontend.port)
    }
}

fn recent_changes(model: &LiveModel, ink: Ink) -> Paragraph<'static> {
    let mut lines = vec![Line::from(ink.span(Tone::Title, "LATEST CHANGES (UTC)"))];
    let shown = model.mirror.recent.iter().take(usize::from(CHANGES));
    lines.extend(shown.map(|change| {
        let (text, tone) = described(change);
        Line::from(vec![Span::raw(moment(change.at_ns)), ink.span(tone, format!(" {text}"))])
    }));
    if model.mirror.recent.is_empty() {
        lines.push(Line::from("none since this began"));
    }
    Paragraph::new(lines)
}

fn keys(model: &LiveModel, count: usize, ink: Ink) -> Paragraph<'static> {
    if model.typing {
        return Paragraph::new(format!("filter: {}_  Enter keeps it, Esc clears it", model.filter));
    }
    let filter = if model.filter.is_empty() {
        "/ filter".into()
    } else {
        format!("/ filter: {} (Esc clears)", model.filter)
    };
    let last = (model.top + model.page).min(count);
    let place = format!("{}-{last} of {count}", (model.top + 1).min(count));
    let fold = if model.folded { "f unfold" } else { "f fold" };
    let order = model.order.as_str();
    let text = format!("q quit  s sort: {order}  {filter}  {fold}  ↑↓ {place}");
    Paragraph::new(text).style(ink.style(Tone::Faint))
}
