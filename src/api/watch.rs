//! The stream of `WatchEvents`.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::vec;

use tokio_stream::Stream;
use tonic::Status;

use super::convert;
use crate::actors::broadcaster::{Filter, Item, ResumePoint, Subscribe, Subscription};
use crate::domain::events::{LogLevel, Numbered, Seq};
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
    let filter = Filter {
        log: wanted(request.log).then_some(level),
        backend: wanted(request.backend),
        frontend: wanted(request.frontend),
        dataplane: wanted(request.dataplane),
    };
    let resume = request.resume.as_ref();
    let resume = resume.map(|point| ResumePoint { boot_id: point.boot_id, seq: Seq(point.seq) });
    Ok(Subscribe { filter, resume })
}

/// A subscription as the stream of a response.
pub struct EventStream {
    subscription: Subscription,
    /// What is left of the batch that is being sent.
    batch: vec::IntoIter<Arc<Numbered>>,
    /// Set once the end has been told.
    ended: bool,
}

impl From<Subscription> for EventStream {
    fn from(subscription: Subscription) -> Self {
        Self { subscription, batch: Vec::new().into_iter(), ended: false }
    }
}

impl Stream for EventStream {
    type Item = Result<pb::Event, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let boot_id = self.subscription.boot_id;
        loop {
            if let Some(event) = self.batch.next() {
                return Poll::Ready(Some(Ok(convert::event(&event, boot_id))));
            }
            if self.ended {
                return Poll::Ready(None);
            }
            let Poll::Ready(item) = self.subscription.items.poll_recv(context) else {
                return Poll::Pending;
            };
            match item {
                Some(Item::Live(event)) => {
                    return Poll::Ready(Some(Ok(convert::event(&event, boot_id))));
                }
                Some(Item::Batch(batch)) => self.batch = batch.into_iter(),
                Some(Item::Missed(count, seq)) => {
                    return Poll::Ready(Some(Ok(convert::missed(count, seq.0, boot_id))));
                }
                None => {
                    self.ended = true;
                    return Poll::Ready(Some(Err(Status::unavailable("maglevd is stopping"))));
                }
            }
        }
    }
}
