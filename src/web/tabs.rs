//! The actor that has what tabs are sent, and the stream of one tab.
//!
//! A tab asks for what follows the frame that it has; it waits where nothing does. So a
//! tab that does not read asks for nothing, holds nothing and holds up nobody: when it
//! asks again and is too far behind, it is told to read the state anew.

mod stream;

use std::time::Duration;

use actix::prelude::*;
use prost::bytes::Bytes;
use tokio::sync::oneshot;

use crate::domain::web::event_id::EventId;
use crate::domain::web::frames::{FrameLimits, FrameReplay, FrameRing};
use crate::web::json::JsonObject;

pub(super) use stream::{TabStream, tab_body};

/// What is held for tabs that come back.
const LIMITS: FrameLimits = FrameLimits { frames: 4096, bytes: 4 << 20 };
/// What a tab takes at a time, about.
const PART: usize = 128 << 10;
/// How often a stream has something to say, even if it is that there is nothing.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// Tabs at one time.
const MOST_TABS: usize = 1000;

pub(super) struct TabBroker {
    ring: FrameRing<Bytes>,
    waiting: Vec<(EventId, oneshot::Sender<TabFrames>)>,
    stats: TabStats,
    is_ended: bool,
}

/// Something for all tabs.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) enum PublishFrame {
    Event {
        kind: &'static str,
        json: Bytes,
    },
    /// Every tab reads the state anew.
    Reset {
        why: &'static str,
    },
}

/// The id of the last frame. A state that is read after it has what it tells.
#[derive(Message)]
#[rtype(result = "LastEventId")]
pub(super) struct GetLastEventId;

#[derive(Clone, Copy, Debug, MessageResponse)]
pub(super) struct LastEventId(pub(super) EventId);

/// Begins a tab; `false`: there is no room for it.
#[derive(Message)]
#[rtype(result = "bool")]
pub(super) struct OpenTab;

#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct CloseTab {
    pub(super) why: TabEnd,
}

/// How a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TabEnd {
    /// The browser closed it, or the server stops.
    Closed,
    /// It was told to read the state anew.
    Reset,
    /// It took nothing for too long.
    Slow,
    /// Its session is over.
    LoggedOut,
}

/// What follows a frame, once something does.
#[derive(Message)]
#[rtype(result = "TabFrames")]
pub(super) struct NextFrames {
    pub(super) after: EventId,
}

#[derive(Clone, Debug)]
pub(super) enum TabFrames {
    Frames(Vec<Bytes>, EventId),
    /// Nothing happened for a while.
    Quiet,
    /// What followed is gone.
    Gone,
    /// The server stops.
    Ended,
}

#[derive(Message)]
#[rtype(result = "TabStats")]
pub(super) struct GetTabStats;

#[derive(Clone, Copy, Debug, Default, MessageResponse)]
pub(super) struct TabStats {
    pub(super) open: usize,
    pub(super) opened: u64,
    pub(super) turned_away: u64,
    pub(super) reset: u64,
    pub(super) slow: u64,
    pub(super) frames: u64,
    pub(super) bytes_held: usize,
}

/// Ends all streams.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct EndTabs;

impl TabBroker {
    /// `epoch`: another one in each life of the server.
    pub(super) fn new(epoch: u64) -> Self {
        Self {
            ring: FrameRing::new(epoch, LIMITS),
            waiting: Vec::new(),
            stats: TabStats::default(),
            is_ended: false,
        }
    }

    fn following(&self, after: EventId) -> Option<TabFrames> {
        match self.ring.after(after, PART) {
            _ if self.is_ended => Some(TabFrames::Ended),
            FrameReplay::Frames(frames, id) => Some(TabFrames::Frames(frames, id)),
            FrameReplay::Gone => Some(TabFrames::Gone),
            FrameReplay::UpToDate => None,
        }
    }

    fn wake(&mut self, or: Option<&TabFrames>) {
        for (after, waiting) in std::mem::take(&mut self.waiting) {
            match self.following(after).or_else(|| or.cloned()) {
                // A tab that is gone needs no answer.
                Some(frames) => drop(waiting.send(frames)),
                None => self.waiting.push((after, waiting)),
            }
        }
    }
}

/// A frame of server-sent events.
fn frame(id: Option<EventId>, kind: &str, json: &[u8]) -> Bytes {
    let mut frame = Vec::with_capacity(json.len() + 64);
    if let Some(id) = id {
        frame.extend_from_slice(format!("id: {id}\n").as_bytes());
    }
    frame.extend_from_slice(format!("event: {kind}\ndata: ").as_bytes());
    frame.extend_from_slice(json);
    frame.extend_from_slice(b"\n\n");
    frame.into()
}

fn reset_json(why: &str) -> Vec<u8> {
    let mut object = JsonObject::default();
    object.set("why", &why);
    object.finish()
}

impl Actor for TabBroker {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Context<Self>) {
        context.run_interval(KEEP_ALIVE, |broker, _| broker.wake(Some(&TabFrames::Quiet)));
    }
}

impl Handler<PublishFrame> for TabBroker {
    type Result = ();

    fn handle(&mut self, publish: PublishFrame, _: &mut Context<Self>) {
        self.stats.frames += 1;
        self.ring.push(|id| match publish {
            PublishFrame::Event { kind, json } => frame(Some(id), kind, &json),
            PublishFrame::Reset { why } => frame(Some(id), "reset", &reset_json(why)),
        });
        self.wake(None);
    }
}

impl Handler<GetLastEventId> for TabBroker {
    type Result = LastEventId;

    fn handle(&mut self, _: GetLastEventId, _: &mut Context<Self>) -> LastEventId {
        LastEventId(self.ring.last())
    }
}

impl Handler<OpenTab> for TabBroker {
    type Result = bool;

    fn handle(&mut self, _: OpenTab, _: &mut Context<Self>) -> bool {
        let has_room = self.stats.open < MOST_TABS && !self.is_ended;
        if has_room {
            self.stats.open += 1;
            self.stats.opened += 1;
        } else {
            self.stats.turned_away += 1;
        }
        has_room
    }
}

impl Handler<CloseTab> for TabBroker {
    type Result = ();

    fn handle(&mut self, CloseTab { why }: CloseTab, _: &mut Context<Self>) {
        self.stats.open = self.stats.open.saturating_sub(1);
        match why {
            TabEnd::Reset => self.stats.reset += 1,
            TabEnd::Slow => self.stats.slow += 1,
            TabEnd::Closed | TabEnd::LoggedOut => {}
        }
    }
}

impl Handler<NextFrames> for TabBroker {
    type Result = ResponseFuture<TabFrames>;

    fn handle(
        &mut self,
        NextFrames { after }: NextFrames,
        _: &mut Context<Self>,
    ) -> ResponseFuture<TabFrames> {
        if let Some(frames) = self.following(after) {
            return Box::pin(std::future::ready(frames));
        }
        let (waiting, frames) = oneshot::channel();
        self.waiting.push((after, waiting));
        Box::pin(async move { frames.await.unwrap_or(TabFrames::Ended) })
    }
}

impl Handler<GetTabStats> for TabBroker {
    type Result = TabStats;

    fn handle(&mut self, _: GetTabStats, _: &mut Context<Self>) -> TabStats {
        TabStats { bytes_held: self.ring.bytes(), ..self.stats }
    }
}

impl Handler<EndTabs> for TabBroker {
    type Result = ();

    fn handle(&mut self, _: EndTabs, _: &mut Context<Self>) {
        self.is_ended = true;
        self.wake(Some(&TabFrames::Ended));
    }
}
