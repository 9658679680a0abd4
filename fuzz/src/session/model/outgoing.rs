//! What goes out: whole messages, whose calls are found by the order in which
//! they were submitted, and no more of them than the settings allow.

use std::time::Duration;

use vpp_maglev::vpp::session::{Expect, SMALL_REPLY, SessionSettings};
use vpp_maglev::vpp::wire::frame::HEADER;

use super::{Flight, Model, Phase, word};

impl Model {
    /// Whole frames at the end of `output` that were not there before.
    pub(super) fn new_frames(&mut self, output: &[u8]) -> Vec<Vec<u8>> {
        let Some(mut new) = output.strip_prefix(self.output.as_slice()) else {
            panic!("output that was shown has changed");
        };
        self.output.extend_from_slice(new);
        let mut frames = Vec::new();
        while let Some(header) = new.get(..HEADER) {
            let end = HEADER + word(header, 8) as usize;
            frames.push(new[HEADER..end].to_vec());
            new = &new[end..];
        }
        assert!(new.is_empty(), "only whole frames go out");
        frames
    }

    pub(in super::super) fn sees_output(&mut self, output: &[u8], now: Duration) {
        let before = self.written + self.output.len();
        let frames = self.new_frames(output);
        let Phase::Up { index } = self.phase else {
            return assert!(frames.is_empty(), "nothing is sent in {:?}", self.phase);
        };
        let mut end = before;
        let mut frames = frames.into_iter().peekable();
        while frames.peek().is_some() {
            // Urgent ones first, each lane in order: that gives the message's call.
            let call = self.urgent.pop_front().or_else(|| self.bulk.pop_front());
            let Some(call) = call else { panic!("a message that was not submitted") };
            let mut messages: Vec<(u16, &[u8], u16)> = Vec::new();
            for request in &call.requests {
                let reply = match call.expect {
                    Expect::One(reply) => reply,
                    Expect::Rows { details, .. } => details,
                };
                messages.push((request.id, &request.fields, reply));
            }
            if let Expect::Rows { ping, ping_reply, .. } = call.expect {
                messages.push((ping, &[], ping_reply));
            }
            let mut contexts = Vec::new();
            for (id, fields, reply) in messages {
                let Some(frame) = frames.next() else { panic!("half a call went out") };
                assert_eq!(frame[..2], id.to_be_bytes());
                assert_eq!(word(&frame, 2), index);
                assert_eq!(&frame[10..], fields);
                contexts.push(word(&frame, 6));
                self.gives(word(&frame, 6), reply);
                end += HEADER + frame.len();
            }
            self.stats.messages.entry(call.name).or_default().sent += call.requests.len() as u64;
            if call.urgent {
                self.urgent_until = now + Duration::from_secs(1);
            }
            self.flights.push(Flight { call, contexts, rows: Vec::new(), sent_at: now, end });
            self.fits();
        }
        self.nothing_idles(now);
    }

    /// What is in flight is no more than what the settings allow.
    fn fits(&self) {
        let window = self.settings.window;
        let bulk = self.flights.iter().filter(|flight| !flight.call.urgent).count();
        assert!(bulk <= window, "{bulk} in a window of {window}");
        let all = self.flights.len();
        assert!(all <= 2 * window, "{all} in flight, urgent ones too, in a window of {window}");
        // One call alone may take more, and the last eighth is for urgent ones.
        let urgent = self.flights.last().is_some_and(|flight| flight.call.urgent);
        let budget = self.settings.budget;
        let share = if urgent { budget } else { budget - budget / 8 };
        assert!(all == 1 || self.cost() <= share, "{} bytes of replies in flight", self.cost());
    }

    fn cost(&self) -> usize {
        self.flights.iter().map(|flight| flight.call.cost).sum()
    }

    /// What waits has a reason to wait.
    fn nothing_idles(&self, now: Duration) {
        let SessionSettings { window, budget, .. } = self.settings;
        let (next, share) = match (self.urgent.front(), self.bulk.front()) {
            (Some(urgent), _) => (urgent, budget),
            (None, Some(bulk)) => (bulk, budget - budget / 8),
            (None, None) => return,
        };
        let bulk = || self.flights.iter().filter(|flight| !flight.call.urgent);
        let all = self.flights.len();
        // Beside urgent calls two small answers may be awaited, or one of any size.
        let ahead: usize = bulk().map(|flight| flight.call.cost).sum();
        let yields = now < self.urgent_until
            && bulk().next().is_some()
            && ahead.saturating_add(next.cost) > 2 * SMALL_REPLY;
        let full = all >= 2 * window || !next.urgent && (bulk().count() >= window || yields);
        assert!(all > 0 && (full || self.cost() + next.cost > share), "there is room for more");
    }
}
