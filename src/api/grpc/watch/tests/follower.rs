//! A client of the served stream that keeps a copy of the state, as docs/api.md tells
//! clients to.

use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use prost::Message;
use prost::bytes::{Buf, BufMut, BytesMut};
use tonic::body::Body;
use tonic::codegen::http::Request;
use tonic::codegen::{Body as _, Service};

use crate::api::answers::pool::AnswerPool;
use crate::api::grpc::interceptor::WatchEventsInterceptor;
use crate::api::{Actors, MaglevService};
use crate::pb::event::Event as Kind;
use crate::pb::{self, ResumePoint, TransitionRecord, WatchRequest};

/// How often each case occurred, over all seeds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct WatchCounts {
    pub(super) transitions: u32,
    pub(super) changes: u32,
    pub(super) reloads: u32,
    pub(super) resumed_whole: u32,
    pub(super) broken_in_the_snapshot: u32,
    pub(super) missed_while_away: u32,
    pub(super) missed_while_slow: u32,
}

impl WatchCounts {
    pub(super) fn is_complete(self) -> bool {
        let Self { transitions, changes, reloads, .. } = self;
        let Self { resumed_whole, broken_in_the_snapshot, .. } = self;
        let Self { missed_while_away, missed_while_slow, .. } = self;
        let resumes = [resumed_whole, broken_in_the_snapshot, missed_while_away];
        [transitions, changes, reloads, missed_while_slow].iter().chain(&resumes).all(|n| *n > 0)
    }
}

/// Knows nothing but the stream.
pub(super) struct FollowingClient {
    server: WatchEventsInterceptor,
    stream: Option<ServedStream>,
    /// Every backend and frontend with its state.
    pub(super) copy: BTreeMap<String, String>,
    /// Of the last event that was read.
    last: Option<ResumePoint>,
    /// The highest number on this stream.
    highest: u64,
    has_just_resumed: bool,
}

impl FollowingClient {
    pub(super) fn new(actors: Actors) -> Self {
        Self {
            server: WatchEventsInterceptor::new(MaglevService::new(actors), &AnswerPool::default()),
            stream: None,
            copy: BTreeMap::new(),
            last: None,
            highest: 0,
            has_just_resumed: false,
        }
    }

    pub(super) fn is_connected(&self) -> bool {
        self.stream.is_some()
    }

    /// Events that were received and not read are lost with the stream.
    pub(super) fn disconnect(&mut self) {
        self.stream = None;
    }

    pub(super) async fn connect(&mut self, counts: &mut WatchCounts) {
        if self.last.is_none() {
            self.copy.clear();
        } else if self.last.is_some_and(|point| point.seq == 0) {
            counts.broken_in_the_snapshot += 1;
        }
        let resume = self.last;
        let change = Some(true);
        let request = WatchRequest { log: Some(false), resume, change, ..WatchRequest::default() };
        self.stream = Some(ServedStream::open(&mut self.server, &request).await);
        self.highest = resume.map_or(0, |point| point.seq);
        self.has_just_resumed = resume.is_some_and(|point| point.seq > 0);
    }

    /// Reads up to `most` events, as far as there are.
    pub(super) fn read(&mut self, most: usize, counts: &mut WatchCounts) {
        for _ in 0..most {
            let Some(event) = self.stream.as_mut().and_then(ServedStream::next) else { return };
            self.apply(&event, counts);
        }
    }

    fn apply(&mut self, event: &pb::Event, counts: &mut WatchCounts) {
        self.last = Some(ResumePoint { boot_id: event.boot_id, seq: event.seq });
        if event.seq > 0 {
            assert!(event.seq >= self.highest, "{event:?} after {}", self.highest);
            self.highest = event.seq;
        }
        let resumed = std::mem::take(&mut self.has_just_resumed);
        match event.event.as_ref().unwrap() {
            Kind::Missed(_) => {
                self.copy.clear();
                if resumed {
                    counts.missed_while_away += 1;
                } else {
                    counts.missed_while_slow += 1;
                }
                return;
            }
            Kind::Backend(of) => self.change("backend", &of.backend_name, &of.transition, counts),
            Kind::Frontend(of) => {
                self.change("frontend", &of.frontend_name, &of.transition, counts);
            }
            Kind::Change(_) => counts.changes += 1,
            Kind::Dataplane(_)
            | Kind::Log(_)
            | Kind::FailOpen(_)
            | Kind::Hold(_)
            | Kind::Drain(_)
            | Kind::Audit(_)
            | Kind::Announcement(_) => {}
        }
        counts.resumed_whole += u32::from(resumed);
    }

    fn change(
        &mut self,
        kind: &str,
        name: &str,
        transition: &Option<TransitionRecord>,
        counts: &mut WatchCounts,
    ) {
        let TransitionRecord { from, to, why, .. } = transition.as_ref().unwrap();
        let name = format!("{kind} {name}");
        if from != to {
            counts.transitions += 1;
            let known = self.copy.get(&name).map_or("removed", String::as_str);
            assert_eq!(known, from, "{name} goes to {to}: {why}");
        }
        if to == "removed" {
            self.copy.remove(&name);
        } else {
            self.copy.insert(name, to.clone());
        }
    }
}

/// The body of a response of `WatchEvents`: gRPC's frames of a flag byte, four bytes
/// of length, and a message.
struct ServedStream {
    body: Body,
    /// Bytes that make no whole frame yet.
    bytes: BytesMut,
    events: VecDeque<pb::Event>,
}

impl ServedStream {
    async fn open(server: &mut WatchEventsInterceptor, request: &WatchRequest) -> Self {
        let mut frame = BytesMut::new();
        frame.put_u8(0);
        frame.put_u32(u32::try_from(request.encoded_len()).unwrap());
        request.encode(&mut frame).unwrap();
        let request = Request::post("/maglev.Maglev/WatchEvents")
            .header("content-type", "application/grpc")
            .body(Body::new(axum::body::Body::from(frame.freeze())))
            .unwrap();
        let response = server.call(request).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers().get("grpc-status"), None, "the call was refused");
        Self { body: response.into_body(), bytes: BytesMut::new(), events: VecDeque::new() }
    }

    /// The next event, if one is there.
    fn next(&mut self) -> Option<pb::Event> {
        while self.events.is_empty() {
            let mut context = Context::from_waker(Waker::noop());
            let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(&mut context) else {
                return None;
            };
            let data = frame.unwrap().unwrap().into_data().unwrap();
            self.bytes.extend_from_slice(&data);
            self.decode();
        }
        self.events.pop_front()
    }

    fn decode(&mut self) {
        while self.bytes.len() >= 5 {
            let mut header = &self.bytes[..5];
            assert_eq!(header.get_u8(), 0, "no message is compressed");
            let length = usize::try_from(header.get_u32()).unwrap();
            if self.bytes.len() < 5 + length {
                return;
            }
            self.bytes.advance(5);
            self.events.push_back(pb::Event::decode(self.bytes.split_to(length)).unwrap());
        }
    }
}
