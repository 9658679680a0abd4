//! The laws of following, against a simulated daemon that stops, restarts,
//! forgets events and repeats them.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::{RETRYING, event, missed, unreachable};
use crate::client::deadlines::RETRY_INTERVAL;
use crate::client::follow::{Follow, FollowEffect, FollowInput, FollowItem};
use crate::pb;

/// What happens to the follower and its daemon.
#[derive(Clone, Copy, Debug)]
enum Happening {
    /// Something changes in the daemon.
    Event,
    /// The daemon restarts, with a smaller seq.
    Restart,
    /// The daemon no longer holds earlier events.
    Forget,
    /// The daemon drops what is not sent yet, and sends a snapshot instead.
    Overflow,
    /// An event on its way is received.
    Receive,
    /// The daemon sends its last event once more.
    Repeat,
    /// The connection is lost, with everything on its way.
    Cut,
    /// Milliseconds pass, and the timer fires.
    Wait(u64),
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        4 => Just(Happening::Event),
        1 => Just(Happening::Restart),
        1 => Just(Happening::Forget),
        1 => Just(Happening::Overflow),
        8 => Just(Happening::Receive),
        1 => Just(Happening::Repeat),
        2 => Just(Happening::Cut),
        3 => (0..800_u64).prop_map(Happening::Wait),
    ]
}

/// A daemon with three objects, the follower, and a consumer that checks.
struct Simulation {
    follow: Follow,
    now: Instant,
    timer: Option<Instant>,
    boot_id: u64,
    seq: u64,
    /// Events up to this one are no longer held.
    forgotten: u64,
    /// What an open stream has on its way; `None`: none is open.
    sent: Option<VecDeque<pb::Event>>,
    /// The boot id and the seq up to which the consumer's copy is complete;
    /// `None`: it is incomplete.
    copy: Option<(u64, u64)>,
    /// The run of the last event that was delivered.
    delivered: Option<u64>,
    /// Whether `Restarted` was delivered, and no event since.
    restarted: bool,
}

impl Simulation {
    fn new() -> Self {
        let mut simulation = Self {
            follow: Follow::new(RETRYING),
            now: Instant::now(),
            timer: None,
            boot_id: 100,
            seq: 7,
            forgotten: 0,
            sent: None,
            copy: None,
            delivered: None,
            restarted: false,
        };
        simulation.step(FollowInput::Start);
        simulation
    }

    fn snapshot(&self) -> [pb::Event; 3] {
        let event = |seq| event(self.boot_id, seq);
        [event(0), event(0), event(self.seq)]
    }

    /// Answers a request for a stream by the rules of maglev.proto.
    fn open(&mut self, resume: Option<pb::ResumePoint>) {
        let mut sent = VecDeque::new();
        match resume {
            None => {
                assert_eq!(self.delivered, None, "a request without a resume point loses events");
                sent.extend(self.snapshot());
            }
            Some(point) if point.seq == 0 => {
                assert_eq!(self.copy, None);
                sent.push_back(missed(self.boot_id));
                sent.extend(self.snapshot());
            }
            Some(point) => {
                assert_eq!(self.copy, Some((point.boot_id, point.seq)), "resumed elsewhere");
                if point.boot_id == self.boot_id && point.seq >= self.forgotten {
                    sent.extend((point.seq + 1..=self.seq).map(|seq| event(self.boot_id, seq)));
                } else {
                    sent.push_back(missed(self.boot_id));
                    sent.extend(self.snapshot());
                }
            }
        }
        self.sent = Some(sent);
        self.step(FollowInput::Opened);
    }

    fn step(&mut self, input: FollowInput) {
        for effect in self.follow.step(input, self.now) {
            match effect {
                FollowEffect::Open(resume) => {
                    assert!(self.timer.take().is_none_or(|until| until <= self.now), "too early");
                    self.open(resume);
                }
                FollowEffect::SetTimer(until) => {
                    assert!(until <= self.now + RETRY_INTERVAL);
                    self.timer = Some(until);
                }
                FollowEffect::Deliver(item) => self.consume(item),
                FollowEffect::Stop(error) => panic!("stopped: {error}"),
            }
        }
    }

    /// Checks an item against the consumer's copy.
    fn consume(&mut self, item: FollowItem) {
        match item {
            FollowItem::Restarted => {
                assert!(self.delivered.is_some() && !self.restarted);
                self.restarted = true;
            }
            FollowItem::Event(event) => {
                let other = self.delivered.is_some_and(|known| known != event.boot_id);
                assert_eq!(std::mem::take(&mut self.restarted), other);
                self.delivered = Some(event.boot_id);
                let is_missed = matches!(event.event, Some(pb::event::Event::Missed(_)));
                self.copy = match self.copy {
                    _ if is_missed => None,
                    None => (event.seq > 0).then_some((event.boot_id, event.seq)),
                    Some((boot_id, seq)) => {
                        assert_eq!((event.boot_id, event.seq), (boot_id, seq + 1));
                        Some((boot_id, seq + 1))
                    }
                };
            }
            FollowItem::Connected { .. } | FollowItem::Lost { .. } => {}
            FollowItem::Refused(error) => panic!("nothing was refused: {error}"),
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Event => {
                self.seq += 1;
                let event = event(self.boot_id, self.seq);
                self.sent.iter_mut().for_each(|sent| sent.push_back(event.clone()));
            }
            Happening::Restart => {
                self.boot_id += 1;
                (self.seq, self.forgotten) = (3, 0);
                self.happen(Happening::Cut);
            }
            Happening::Forget => self.forgotten = self.seq,
            Happening::Overflow => {
                let (boot_id, snapshot) = (self.boot_id, self.snapshot());
                if let Some(sent) = &mut self.sent {
                    sent.clear();
                    sent.push_back(missed(boot_id));
                    sent.extend(snapshot);
                }
            }
            Happening::Receive => {
                if let Some(event) = self.sent.as_mut().and_then(VecDeque::pop_front) {
                    self.step(FollowInput::Received(event));
                }
            }
            Happening::Repeat => {
                // Of an event that was received; one on its way would overtake itself.
                if let Some((boot_id, seq)) = self.copy
                    && let Some(sent) = &mut self.sent
                {
                    sent.push_front(event(boot_id, seq));
                }
            }
            Happening::Cut => {
                if self.sent.take().is_some() {
                    self.step(FollowInput::Failed(unreachable()));
                }
            }
            Happening::Wait(milliseconds) => {
                self.now += Duration::from_millis(milliseconds);
                self.step(FollowInput::TimerFired);
            }
        }
    }

    /// Lets everything on its way arrive.
    fn settle(&mut self) {
        self.happen(Happening::Wait(1000));
        while self.sent.as_ref().is_some_and(|sent| !sent.is_empty()) {
            self.happen(Happening::Receive);
        }
    }
}

proptest! {
    #[test]
    fn no_event_is_lost_or_delivered_twice(
        happenings in prop::collection::vec(happening(), 0..120)
    ) {
        let mut simulation = Simulation::new();
        for happening in happenings {
            simulation.happen(happening);
        }
        simulation.settle();
        prop_assert_eq!(simulation.copy, Some((simulation.boot_id, simulation.seq)));
    }

    /// Whatever a daemon sends, and whichever stream or timer an input is of.
    #[test]
    fn no_order_of_inputs_repeats_an_event_or_opens_two_streams(
        inputs in prop::collection::vec((0..6_u8, 0..3_u64, 0..4_u64), 0..60)
    ) {
        let (mut follow, now) = (Follow::new(RETRYING), Instant::now());
        let mut open = false;
        let mut last = None;
        for (kind, boot_id, seq) in inputs {
            let input = match kind {
                0 => FollowInput::Start,
                1 => FollowInput::Opened,
                2 => FollowInput::Failed(unreachable()),
                3 => FollowInput::TimerFired,
                _ => FollowInput::Received(event(boot_id, seq)),
            };
            for effect in follow.step(input, now + RETRY_INTERVAL * u32::from(kind == 3)) {
                match effect {
                    FollowEffect::Open(_) => prop_assert!(!std::mem::replace(&mut open, true)),
                    FollowEffect::SetTimer(_) => open = false,
                    FollowEffect::Deliver(FollowItem::Event(event)) if event.seq > 0 => {
                        prop_assert_ne!(last, Some((event.boot_id, event.seq)));
                        last = Some((event.boot_id, event.seq));
                    }
                    FollowEffect::Deliver(FollowItem::Event(_)) => last = None,
                    FollowEffect::Deliver(_) => {}
                    FollowEffect::Stop(error) => prop_assert!(false, "stopped: {error}"),
                }
            }
        }
    }
}
