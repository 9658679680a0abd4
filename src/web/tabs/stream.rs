//! The stream of one tab.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use actix::Addr;
use axum::body::Body;
use prost::bytes::Bytes;
use tokio::sync::mpsc::{self, error::SendTimeoutError};
use tokio::time::sleep_until;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

use super::{CloseTab, NextFrames, TabBroker, TabEnd, TabFrames, frame, reset_json};
use crate::api::transport::activity::ConnectionActivity;
use crate::domain::utc::unix_rfc3339;
use crate::domain::web::event_id::EventId;
use crate::domain::web::pending::BATCH_INTERVAL;
use crate::web::json::JsonObject;

/// A tab that takes nothing for so long is cut off.
const PROGRESS: Duration = Duration::from_secs(60);
/// How often it is asked whether the tab may still look.
const WATCH: Duration = Duration::from_secs(5);
/// Frames on the way to one tab, which are written together.
const TOGETHER: usize = 8;
/// How soon a browser comes back.
const RETRY: &[u8] = b"retry: 2000\n";

/// What a stream is made of.
pub(in crate::web) struct TabStream<W> {
    pub(in crate::web) broker: Addr<TabBroker>,
    /// The frame that the tab has; `Err`: what it names is no frame of this server.
    pub(in crate::web) after: Result<EventId, ()>,
    pub(in crate::web) connection: Option<Arc<ConnectionActivity>>,
    /// Why the tab may no longer look; `None`: it may.
    pub(in crate::web) watch: W,
}

/// The body of the answer. The tab counts as open from before until it ends.
pub(in crate::web) fn tab_body<W, F>(stream: TabStream<W>) -> Body
where
    W: Fn() -> F + Send + 'static,
    F: Future<Output = Option<&'static str>> + Send,
{
    let (sender, frames) = mpsc::channel(TOGETHER);
    tokio::spawn(async move {
        let broker = stream.broker.clone();
        let connection = stream.connection.clone();
        let why = stream.send_to(&sender).await;
        if why == TabEnd::Slow
            && let Some(connection) = connection
        {
            connection.close();
        }
        broker.do_send(CloseTab { why });
    });
    Body::from_stream(ReceiverStream::new(frames).map(Ok::<_, Infallible>))
}

impl<W, F> TabStream<W>
where
    W: Fn() -> F,
    F: Future<Output = Option<&'static str>>,
{
    async fn send_to(self, sender: &mpsc::Sender<Bytes>) -> TabEnd {
        let mut hello = JsonObject::default();
        hello.set("version", &env!("CARGO_PKG_VERSION"));
        hello.set("now", &unix_rfc3339(SystemTime::now()));
        let hello = [RETRY, &frame(None, "hello", &hello.finish())].concat();
        if let Err(end) = send(sender, hello.into()).await {
            return end;
        }
        let Ok(mut after) = self.after else { return reset(sender).await };
        let mut watched = Instant::now();
        // However many daemons there are, a tab is told of what they did in one go.
        let mut next_due = tokio::time::Instant::now();
        loop {
            let next = async {
                sleep_until(next_due).await;
                self.broker.send(NextFrames { after }).await
            };
            let next = tokio::select! {
                next = next => next,
                () = sender.closed() => return TabEnd::Closed,
            };
            next_due = tokio::time::Instant::now() + BATCH_INTERVAL;
            let frames = match next {
                Ok(TabFrames::Frames(frames, id)) => {
                    after = id;
                    frames
                }
                // A comment would do for proxies, and scripts do not see it.
                Ok(TabFrames::Quiet) => vec![alive()],
                Ok(TabFrames::Gone) => return reset(sender).await,
                Ok(TabFrames::Ended) | Err(_) => return TabEnd::Closed,
            };
            if watched.elapsed() >= WATCH {
                watched = Instant::now();
                if let Some(why) = (self.watch)().await {
                    let mut ended = JsonObject::default();
                    ended.set("user", &()).set("why", &why);
                    let ended = frame(None, "session", &ended.finish());
                    return send(sender, ended).await.err().unwrap_or(TabEnd::LoggedOut);
                }
            }
            for frame in frames {
                if let Err(end) = send(sender, frame).await {
                    return end;
                }
            }
        }
    }
}

fn alive() -> Bytes {
    let mut alive = JsonObject::default();
    alive.set("now", &unix_rfc3339(SystemTime::now()));
    frame(None, "alive", &alive.finish())
}

async fn reset(sender: &mpsc::Sender<Bytes>) -> TabEnd {
    let reset = frame(None, "reset", &reset_json("what followed is no longer held"));
    send(sender, reset).await.err().unwrap_or(TabEnd::Reset)
}

async fn send(sender: &mpsc::Sender<Bytes>, frame: Bytes) -> Result<(), TabEnd> {
    sender.send_timeout(frame, PROGRESS).await.map_err(|error| match error {
        SendTimeoutError::Timeout(_) => TabEnd::Slow,
        SendTimeoutError::Closed(_) => TabEnd::Closed,
    })
}

#[cfg(test)]
mod tests {
    use actix::Actor;

    use super::super::{GetLastEventId, LastEventId, PublishFrame};
    use super::*;

    #[actix_rt::test]
    async fn a_tab_is_told_at_once_and_then_ten_times_a_second_whatever_is_published() {
        tokio::time::pause();
        let begun = tokio::time::Instant::now();
        let broker = TabBroker::new(7).start();
        let LastEventId(after) = broker.send(GetLastEventId).await.unwrap();
        let watch = async || None;
        let tab = TabStream { broker: broker.clone(), after: Ok(after), connection: None, watch };
        let mut body = tab_body(tab).into_data_stream();
        let mut next = async || {
            let part = body.next().await.unwrap().unwrap();
            let text = String::from_utf8(part.to_vec()).unwrap();
            let name = text.split("event: ").nth(1).unwrap().split('\n').next().unwrap().to_owned();
            // The clock of timers has milliseconds, of which one may be begun.
            (name, begun.elapsed().as_millis() / 5 * 5)
        };
        assert_eq!(next().await, ("hello".into(), 0));
        let publish = |kind| broker.do_send(PublishFrame::Event { kind, json: "{}".into() });
        publish("a");
        assert_eq!(next().await, ("a".into(), 0), "an event alone does not wait");
        for kind in ["b", "c"] {
            publish(kind);
            tokio::time::advance(Duration::from_millis(10)).await;
        }
        assert_eq!(next().await, ("b".into(), 100));
        assert_eq!(next().await, ("c".into(), 100), "what others did comes with it");
    }
}
