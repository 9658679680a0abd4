//! `WatchEvents`: a subscription to the Broadcaster as a response stream.

pub(super) mod codec;
pub(super) mod rpc;

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio_stream::Stream;
use tonic::Status;

use crate::actors::broadcaster::{EventFilter, ResumePoint, StreamItem, Subscribe, Subscription};
use crate::domain::events::{LogLevel, Seq};
use crate::pb;

/// The subscription that a request asks for. A kind that is not set is included,
/// except those that came after the first release; an empty level is info.
///
/// # Errors
/// INVALID_ARGUMENT for a word that is no level.
pub(super) fn subscribe(request: &pb::WatchRequest) -> Result<Subscribe, Status> {
    let included = |kind: Option<bool>| kind.unwrap_or(true);
    let level = match request.log_level.as_str() {
        "" => LogLevel::Info,
        word => LogLevel::from_word(word).ok_or_else(|| {
            Status::invalid_argument(format!(
                "log_level \"{word}\" is none of debug, info, warn, error"
            ))
        })?,
    };
    let filter = EventFilter {
        log: included(request.log).then_some(level),
        backend: included(request.backend),
        frontend: included(request.frontend),
        dataplane: included(request.dataplane),
        // Clients of vpp-maglev 1.0 know none of these.
        change: request.change.unwrap_or(false),
        hold: request.hold.unwrap_or(false),
        drain: request.drain.unwrap_or(false),
        audit: request.audit.unwrap_or(false),
        announcement: request.announcement.unwrap_or(false),
    };
    let resume = request.resume.as_ref();
    let resume = resume.map(|point| ResumePoint { boot_id: point.boot_id, seq: Seq(point.seq) });
    Ok(Subscribe { filter, resume })
}

/// A subscription as a stream that ends with the reason, UNAVAILABLE.
pub(super) struct EventStream {
    subscription: Subscription,
    has_ended: bool,
}

/// An item of the stream, with the daemon's boot id.
pub(super) struct WatchItem {
    item: StreamItem,
    boot_id: u64,
}

impl From<Subscription> for EventStream {
    fn from(subscription: Subscription) -> Self {
        Self { subscription, has_ended: false }
    }
}

impl Stream for EventStream {
    type Item = Result<WatchItem, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.has_ended {
            return Poll::Ready(None);
        }
        let boot_id = self.subscription.boot_id;
        self.subscription.poll_next(context).map(|item| {
            self.has_ended = item.is_none();
            let item = item.ok_or_else(|| Status::unavailable("maglevd is stopping"));
            Some(item.map(|item| WatchItem { item, boot_id }))
        })
    }
}

#[cfg(test)]
mod tests;
