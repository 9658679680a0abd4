//! What happened, a line an event, in the order of the moments.

use crate::api::views::text::printable;
use crate::cli::render::context::{RenderContext, Tone};
use crate::cli::render::table::{Cell, Column, TextTable};
use crate::cli::render::time::{moment, span};
use crate::pb;
use crate::pb::event::Event;

/// An event of a timeline.
#[derive(Clone, Copy, Debug)]
pub struct TimelineRow<'a> {
    /// The daemon; `None`: there is only one.
    pub server: Option<&'a str>,
    pub event: &'a pb::Event,
}

/// When an event happened: Unix time in nanoseconds, 0 where it is of an unknown kind.
#[must_use]
pub fn event_at(event: &pb::Event) -> i64 {
    let of = |transition: &Option<pb::TransitionRecord>| {
        transition.as_ref().map_or(0, |transition| transition.at_unix_ns)
    };
    match &event.event {
        Some(Event::Backend(event)) => of(&event.transition),
        Some(Event::Frontend(event)) => of(&event.transition),
        Some(Event::FailOpen(event)) => of(&event.transition),
        Some(Event::Dataplane(event)) => event.at_unix_ns,
        Some(Event::Change(event)) => event.at_unix_ns,
        Some(Event::Hold(event)) => event.at_unix_ns,
        Some(Event::Drain(event)) => event.at_unix_ns,
        Some(Event::Audit(event)) => event.at_unix_ns,
        Some(Event::Announcement(event)) => event.at_unix_ns,
        Some(Event::Log(event)) => event.at_unix_ns,
        Some(Event::Missed(_)) | None => 0,
    }
}

pub(super) fn timeline(timeline: &pb::Timeline, context: &RenderContext) -> String {
    let rows = timeline.events.iter().map(|event| TimelineRow { server: None, event });
    let text = merged(&rows.collect::<Vec<_>>(), context);
    if !timeline.truncated {
        return text;
    }
    let note = "what happened before is no longer held (maglevd --event-history)";
    text + &context.paint(Tone::Faint, note) + "\n"
}

/// The events of one daemon, or of several in one order.
#[must_use]
pub fn merged(rows: &[TimelineRow<'_>], context: &RenderContext) -> String {
    if rows.is_empty() {
        return "nothing happened\n".into();
    }
    let several = rows.iter().any(|row| row.server.is_some());
    let (at, what) = (Column::left("AT (UTC)"), Column::left("WHAT"));
    let detail = Column::text("DETAIL");
    let mut table = match several {
        true => TextTable::new(&[at, Column::left("DAEMON"), what, detail]),
        false => TextTable::new(&[at, what, detail]),
    };
    for row in rows {
        let at = moment(event_at(row.event));
        let (what, detail, tone) = described(row.event);
        let what = Cell::new(&what, tone);
        match row.server {
            Some(server) => table.row([at.into(), server.into(), what, detail.into()]),
            None => table.row([at.into(), what, detail.into()]),
        }
    }
    table.render(context)
}

/// What happened to whom, the details, and how it is coloured.
fn described(event: &pb::Event) -> (String, String, Tone) {
    let moved = |kind: &str, name: &str, transition: Option<&pb::TransitionRecord>| {
        let transition = transition.cloned().unwrap_or_default();
        let tone = Tone::of_state(&transition.to);
        (format!("{kind} {name}"), described_transition(&transition), tone)
    };
    match &event.event {
        Some(Event::Backend(event)) => {
            moved("backend", &event.backend_name, event.transition.as_ref())
        }
        Some(Event::Frontend(event)) => {
            moved("frontend", &event.frontend_name, event.transition.as_ref())
        }
        Some(Event::FailOpen(event)) => {
            let (what, detail, _) =
                moved("fail-open", &event.frontend_name, event.transition.as_ref());
            (what, detail, Tone::Bad)
        }
        Some(Event::Dataplane(event)) => {
            let of = match event.frontend_name.as_str() {
                "" => "VPP".to_owned(),
                name => format!("VPP {name}"),
            };
            let tone = if event.kind == "disconnected" { Tone::Bad } else { Tone::Plain };
            let detail = match event.detail.as_str() {
                "" => event.kind.clone(),
                detail => format!("{}: {detail}", event.kind),
            };
            (of, detail, tone)
        }
        Some(Event::Change(event)) => described_change(event),
        Some(Event::Hold(event)) => {
            let detail = match event.kind.as_str() {
                "ended" => format!("ended ({}) after {}", event.outcome, span(event.lasted_ns)),
                kind => format!("{kind}, for {} at most", span(event.limit_ns)),
            };
            (format!("hold {}", event.probes), detail, Tone::Unsure)
        }
        Some(Event::Drain(event)) => {
            let flows = match event.flows {
                Some(1) => ", 1 flow".into(),
                Some(flows) => format!(", {flows} flows"),
                None => String::new(),
            };
            let detail = format!("{}{flows}: {}", event.kind, event.why);
            (format!("drain {}", event.backend_name), detail, Tone::Plain)
        }
        Some(Event::Audit(event)) => described_audit(event),
        Some(Event::Announcement(event)) => described_announcement(event),
        Some(Event::Log(event)) => (format!("log {}", event.msg), event.level.clone(), Tone::Faint),
        Some(Event::Missed(event)) => ("missed".into(), event.count.to_string(), Tone::Bad),
        None => ("unknown".into(), "an event of a newer daemon".into(), Tone::Faint),
    }
}

fn described_transition(transition: &pb::TransitionRecord) -> String {
    let moved = format!("{} → {}", transition.from, transition.to);
    match transition.why.as_str() {
        "" => moved,
        why => format!("{moved}: {why}"),
    }
}

fn described_announcement(event: &pb::AnnouncementEvent) -> (String, String, Tone) {
    let moved = format!("{} → {}", event.from, event.to);
    let why = match event.why.as_str() {
        "" => String::new(),
        why => format!(": {why}"),
    };
    let is_bad = matches!(event.to.as_str(), "withdrawn" | "failed" | "blocked");
    let tone = if is_bad { Tone::Bad } else { Tone::Plain };
    let (what, at) = match event.kind.as_str() {
        "driver" => (format!("driver {}", event.driver), String::new()),
        "placed" => (format!("announcement {}", event.prefix), format!(" at {}", event.driver)),
        _ => (format!("announcement {}", event.prefix), String::new()),
    };
    (what, printable(&format!("{moved}{at}{why}")), tone)
}

fn described_audit(audit: &pb::AuditEvent) -> (String, String, Tone) {
    let done = audit.outcome == "done";
    let detail = match audit.detail.as_str() {
        "" => String::new(),
        detail => format!(": {detail}"),
    };
    let why = match audit.why.as_str() {
        "" => String::new(),
        why => format!(" because {why:?}"),
    };
    let who = match audit.role.as_str() {
        "" => audit.who.clone(),
        role => format!("{} ({role})", audit.who),
    };
    let text = format!("{}{why} by {who}: {}{detail}", audit.what, audit.outcome);
    let tone = if done { Tone::Held } else { Tone::Bad };
    ("asked".into(), printable(&text), tone)
}

fn described_change(change: &pb::ChangeEvent) -> (String, String, Tone) {
    let moved = format!("{} → {}", change.from, change.to);
    match change.kind.as_str() {
        "config" => ("configuration".into(), "was read and is used".into(), Tone::Held),
        "weight" => (
            format!("set {}", change.backend_name),
            format!(
                "weight in {}/{} {moved} by {}",
                change.frontend_name, change.pool_name, change.who
            ),
            Tone::Held,
        ),
        "announcement" => (
            format!("set announcement {}", change.prefix),
            printable(&format!("{moved} by {}", change.who)),
            Tone::Held,
        ),
        _ => (
            format!("set {}", change.backend_name),
            printable(&format!("{moved} by {}", change.who)),
            Tone::Held,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: RenderContext = RenderContext { now_ns: 0, width: None, colour: false };

    #[test]
    fn every_kind_of_event_has_its_moment() {
        let at_unix_ns = 7;
        let transition = Some(pb::TransitionRecord { at_unix_ns, ..Default::default() });
        let (of, other) = (transition.clone(), transition.clone());
        let events = [
            Event::Backend(pb::BackendEvent { transition, ..Default::default() }),
            Event::Frontend(pb::FrontendEvent { transition: of, ..Default::default() }),
            Event::FailOpen(pb::FailOpenEvent { transition: other, ..Default::default() }),
            Event::Dataplane(pb::DataplaneEvent { at_unix_ns, ..Default::default() }),
            Event::Change(pb::ChangeEvent { at_unix_ns, ..Default::default() }),
            Event::Hold(pb::HoldEvent { at_unix_ns, ..Default::default() }),
            Event::Drain(pb::DrainEvent { at_unix_ns, ..Default::default() }),
            Event::Audit(pb::AuditEvent { at_unix_ns, ..Default::default() }.into()),
            Event::Log(pb::LogEvent { at_unix_ns, ..Default::default() }),
        ];
        for event in events {
            let event = pb::Event { event: Some(event), ..Default::default() };
            assert_eq!(event_at(&event), at_unix_ns, "{event:?}");
        }
        assert_eq!(event_at(&pb::Event::default()), 0, "of a newer daemon");
    }

    #[test]
    fn that_the_beginning_is_missing_is_told_where_it_is() {
        let told = |truncated| {
            let answer = pb::Timeline { truncated, ..Default::default() };
            timeline(&answer, &PLAIN).contains("no longer held")
        };
        assert!(told(true) && !told(false));
    }
}
