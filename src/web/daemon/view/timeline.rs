//! What happened at a daemon lately, each event once.

use prost::bytes::Bytes;

use super::DaemonView;
use crate::api::views::EventJson;
use crate::pb;
use crate::pb::event::Event;
use crate::web::json::to_json;

/// Entries of the timeline that a new tab gets.
const TIMELINE: usize = 100;

impl DaemonView {
    pub(super) fn add_to_timeline(&mut self, event: &pb::Event) {
        // Those of the present state are no news, and are numbered 0 or not new.
        if event.seq <= self.last_seq || is_of_snapshot(event) {
            return;
        }
        self.last_seq = event.seq;
        let json = Bytes::from(to_json(&EventJson::from(event)));
        if self.timeline.len() == TIMELINE {
            self.timeline.pop_front();
        }
        self.timeline.push_back(json.clone());
        self.pending.add_entry(json);
    }

    /// What happened before the server came, unless something is known already.
    pub(in crate::web) fn seed_timeline(&mut self, events: &[pb::Event]) {
        let is_older = |event: &&pb::Event| {
            let is_of_this_life = self.boot_id.is_none_or(|boot_id| boot_id == event.boot_id);
            is_of_this_life && self.timeline.is_empty()
        };
        let events: Vec<_> = events.iter().filter(is_older).collect();
        for event in events.iter().skip(events.len().saturating_sub(TIMELINE)) {
            self.last_seq = self.last_seq.max(event.seq);
            let json = Bytes::from(to_json(&EventJson::from(*event)));
            self.timeline.push_back(json.clone());
            self.pending.add_entry(json);
        }
    }
}

fn is_of_snapshot(event: &pb::Event) -> bool {
    let unchanged = |transition: &Option<pb::TransitionRecord>| {
        transition.as_ref().is_none_or(|last| last.from == last.to)
    };
    match &event.event {
        Some(Event::Backend(event)) => unchanged(&event.transition),
        Some(Event::Frontend(event)) => unchanged(&event.transition),
        Some(Event::FailOpen(event)) => unchanged(&event.transition),
        Some(Event::Log(_)) | None => true,
        _ => false,
    }
}
