//! The stream of `WatchEvents`.

pub(super) mod ready;

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio_stream::Stream;
use tonic::Status;

use crate::actors::broadcaster::{EventFilter, ResumePoint, StreamItem, Subscribe, Subscription};
use crate::api::grpc::convert;
use crate::domain::events::{LogLevel, Seq};
use crate::pb;

/// What a request asks for. An unset kind is wanted; an empty level is info.
///
/// # Errors
/// INVALID_ARGUMENT for a word that is no level.
pub(super) fn subscribe(request: &pb::WatchRequest) -> Result<Subscribe, Status> {
    let wanted = |kind: Option<bool>| kind.unwrap_or(true);
    let level = match request.log_level.as_str() {
        "" => LogLevel::Info,
        word => LogLevel::from_word(word).ok_or_else(|| {
            Status::invalid_argument(format!(
                "log_level \"{word}\" is none of debug, info, warn, error"
            ))
        })?,
    };
    let filter = EventFilter {
        log: wanted(request.log).then_some(level),
        backend: wanted(request.backend),
        frontend: wanted(request.frontend),
        dataplane: wanted(request.dataplane),
        // Clients of vpp-maglev 1.0 do not know of these.
        change: request.change.unwrap_or(false),
    };
    let resume = request.resume.as_ref();
    let resume = resume.map(|point| ResumePoint { boot_id: point.boot_id, seq: Seq(point.seq) });
    Ok(Subscribe { filter, resume })
}

/// A subscription as a stream, which says why it ends.
pub(super) struct Events {
    subscription: Subscription,
    /// Set once the end has been told.
    ended: bool,
}

impl From<Subscription> for Events {
    fn from(subscription: Subscription) -> Self {
        Self { subscription, ended: false }
    }
}

impl Events {
    fn boot_id(&self) -> u64 {
        self.subscription.boot_id
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<StreamItem, Status>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        self.subscription.poll_next(context).map(|told| {
            self.ended = told.is_none();
            Some(told.ok_or_else(|| Status::unavailable("maglevd is stopping")))
        })
    }
}

/// The stream of the generated trait. The listeners serve `ready` in its place,
/// which tells the same.
pub struct EventStream(Events);

impl From<Events> for EventStream {
    fn from(events: Events) -> Self {
        Self(events)
    }
}

impl Stream for EventStream {
    type Item = Result<pb::Event, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let boot_id = self.0.boot_id();
        self.0.poll_next(context).map(|told| {
            Some(told?.map(|told| match told {
                StreamItem::Event(seq, event) => convert::event(&event.event, seq, boot_id),
                StreamItem::Missed(count) => convert::missed(count, boot_id),
            }))
        })
    }
}

#[cfg(test)]
mod tests;
