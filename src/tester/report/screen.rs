//! The test on the whole terminal: a line a VIP, and the latest events.

use std::collections::VecDeque;
use std::io::{self, Stdout};

use crossterm::event::{Event, EventStream};
use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Cell, Paragraph, Row, Table};
use tokio_stream::StreamExt;

use super::test_report::TestReport;
use super::text::{fine_ms, ms};
use crate::api::views::text::printable;
use crate::cli::live::{Ink, PressedKey, Screen};
use crate::cli::render::context::Tone;
use crate::domain::tester::record::VipReport;
use crate::domain::tester::shares::ShareVerdict;
use crate::host::terminal::TerminalWatch;
use crate::tester::targets::target::VipTarget;

/// Events that are kept, and shown.
const EVENTS: usize = 8;

/// The columns, all but the first and the last of numbers.
const TITLES: [&str; 11] =
    ["VIP", "OK", "FAILED", "P50", "P99", "HELD", "BROKEN", "MOVED", "GAP", "LONGEST", "SHARES"];

const WIDTHS: [u16; 9] = [8, 7, 8, 8, 11, 6, 6, 8, 8];

/// The screen, and what is on it.
pub(in crate::tester) struct TestScreen {
    screen: Screen<Stdout>,
    keys: EventStream,
    terminal: TerminalWatch,
    shown: ShownTest,
}

/// What is drawn.
struct ShownTest {
    ink: Ink,
    events: VecDeque<(Tone, String)>,
    heading: String,
    rows: Vec<(VipTarget, VipReport)>,
    /// The first VIP that is shown.
    top: usize,
}

impl TestScreen {
    pub(super) fn enter(colour: bool) -> io::Result<Self> {
        let screen = Screen::enter(io::stdout())?;
        let terminal = TerminalWatch::of(io::stdin())?;
        let shown = ShownTest {
            ink: Ink { colour },
            events: VecDeque::new(),
            heading: "maglevt: waits for its first report".into(),
            rows: Vec::new(),
            top: 0,
        };
        let mut this = Self { screen, keys: EventStream::new(), terminal, shown };
        this.draw()?;
        Ok(this)
    }

    pub(super) fn add_event(&mut self, event: (Tone, String)) {
        self.shown.events.push_front(event);
        self.shown.events.truncate(EVENTS);
    }

    pub(super) fn show(&mut self, total: &TestReport) -> io::Result<()> {
        let seconds = total.elapsed.as_secs();
        self.shown.heading = format!("maglevt, {seconds} s, {} VIPs", total.vips.len());
        self.shown.rows.clone_from(&total.vips);
        self.draw()
    }

    /// Takes keys until the operator leaves, or the terminal is gone.
    pub(super) async fn left(&mut self) {
        loop {
            let key = tokio::select! {
                event = self.keys.next() => match event {
                    Some(Ok(Event::Key(key))) => PressedKey::of(&key, false),
                    Some(Ok(_)) => None,
                    Some(Err(_)) | None => return,
                },
                () = self.terminal.gone() => return,
            };
            let last = self.shown.rows.len().saturating_sub(1);
            let by = |lines: i64, top: usize| match usize::try_from(lines.unsigned_abs()) {
                Ok(lines_down) if lines > 0 => top.saturating_add(lines_down).min(last),
                Ok(lines_up) => top.saturating_sub(lines_up),
                Err(_) => top,
            };
            self.shown.top = match key {
                Some(PressedKey::Quit) => return,
                Some(PressedKey::Lines(lines)) => by(lines, self.shown.top),
                Some(PressedKey::Pages(pages)) => by(pages * 10, self.shown.top),
                Some(PressedKey::Top) => 0,
                Some(PressedKey::Bottom) => last,
                _ => self.shown.top,
            };
            if self.draw().is_err() {
                return;
            }
        }
    }

    fn draw(&mut self) -> io::Result<()> {
        let shown = &self.shown;
        self.screen.draw(|frame| draw(frame, shown))
    }
}

fn draw(frame: &mut Frame<'_>, shown: &ShownTest) {
    let events = u16::try_from(EVENTS).unwrap_or(u16::MAX) + 1;
    let parts = [
        Constraint::Length(1),
        Constraint::Min(3),
        Constraint::Length(events),
        Constraint::Length(1),
    ];
    let [head, body, recent, foot] = Layout::vertical(parts).areas(frame.area());
    let ink = shown.ink;
    frame.render_widget(Paragraph::new(ink.span(Tone::Title, shown.heading.clone())), head);
    let name = shown.rows.iter().map(|(target, _)| target.name.chars().count()).max().unwrap_or(8);
    let name = u16::try_from(name).unwrap_or(u16::MAX).clamp(8, (body.width / 4).max(8));
    let widths = std::iter::once(Constraint::Length(name))
        .chain(WIDTHS.map(Constraint::Length))
        .chain([Constraint::Fill(1)]);
    let titles = TITLES.map(|title| cell(title, Span::raw(title)));
    let rows = shown.rows.iter().skip(shown.top).map(|(target, vip)| row(target, vip, ink));
    let table = Table::new(rows, widths)
        .header(Row::new(titles).style(ink.style(Tone::Title)))
        .column_spacing(1);
    frame.render_widget(table, body);
    let mut lines = vec![Line::from(ink.span(Tone::Title, "LATEST EVENTS (UTC)"))];
    lines.extend(shown.events.iter().map(|(tone, text)| Line::from(ink.span(*tone, text.clone()))));
    if shown.events.is_empty() {
        lines.push(Line::from("none"));
    }
    frame.render_widget(Paragraph::new(lines), recent);
    let keys = Paragraph::new("q quit, with a summary  ↑↓ scroll").style(ink.style(Tone::Faint));
    frame.render_widget(keys, foot);
}

fn row(target: &VipTarget, vip: &VipReport, ink: Ink) -> Row<'static> {
    let counts = &vip.counts;
    let plain = |text: String| Span::styled(text, Style::new());
    let counted =
        |count: u64| ink.span(if count > 0 { Tone::Bad } else { Tone::Plain }, count.to_string());
    let latency = |percent| counts.latencies.percentile(percent).map(fine_ms).unwrap_or_default();
    let held = if vip.held_wanted > 0 {
        format!("{}/{}", vip.held_open, vip.held_wanted)
    } else {
        String::new()
    };
    let (tone, says) = match (&vip.full_size, vip.shares.verdict) {
        (Some(finding), _) if finding.passes == Some(false) => (Tone::Bad, finding.says.clone()),
        (_, ShareVerdict::Wrong) => (Tone::Bad, vip.shares.says.clone()),
        (_, ShareVerdict::AsExpected) => (Tone::Good, vip.shares.verdict.as_str().into()),
        (_, ShareVerdict::NotKnown) => (Tone::Faint, servers(vip)),
        (_, verdict) => (Tone::Unsure, verdict.as_str().into()),
    };
    let cells = [
        ink.span(Tone::Title, printable(&target.name)),
        plain(counts.ok.to_string()),
        counted(counts.failed()),
        plain(latency(50)),
        plain(latency(99)),
        plain(held),
        counted(counts.broken),
        counted(counts.moved),
        plain(ms(vip.gap)),
        plain(ms(vip.longest_gap)),
        ink.span(tone, printable(&says)),
    ];
    Row::new(TITLES.into_iter().zip(cells).map(|(title, text)| cell(title, text)))
}

/// Who answered, the most often first.
fn servers(vip: &VipReport) -> String {
    let mut tally: Vec<_> = vip.counts.tally.iter().collect();
    tally.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let texts: Vec<_> = tally.iter().map(|(server, count)| format!("{server} {count}")).collect();
    texts.join(", ")
}

fn cell(title: &str, text: Span<'static>) -> Cell<'static> {
    let line = Line::from(text);
    let is_text = title == "VIP" || title == "SHARES";
    Cell::new(if is_text { line } else { line.alignment(Alignment::Right) })
}
