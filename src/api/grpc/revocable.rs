//! A stream of answers that ends when the caller's rights do.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::body::Frame;
use prost::bytes::Bytes;
use tokio::sync::watch;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::http::HeaderMap;

use super::caller::Caller;
use crate::domain::rights::{Rights, Role};

const REVOKED: &str = "the role that this stream takes was taken away: `maglevc show identity` \
    says whom the daemon takes you for";

pub(super) struct RevocableBody {
    body: Body,
    /// `None`: the stream has ended.
    revoked: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl RevocableBody {
    pub(super) fn new(
        body: Body,
        rights: watch::Receiver<Arc<Rights>>,
        caller: Caller,
        needed: Role,
    ) -> Self {
        Self { body, revoked: Some(Box::pin(revoked(rights, caller, needed))) }
    }
}

/// Ends when the caller no longer has the role.
async fn revoked(mut rights: watch::Receiver<Arc<Rights>>, caller: Caller, needed: Role) {
    // They may have changed since the caller was let through.
    rights.mark_changed();
    while rights.changed().await.is_ok() {
        if !caller.would_have(needed, &rights.borrow_and_update()) {
            return;
        }
    }
    // Without a sender the daemon is stopping, and ends the stream.
    std::future::pending::<()>().await;
}

impl hyper::body::Body for RevocableBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let Some(revoked) = &mut self.revoked else { return Poll::Ready(None) };
        if revoked.as_mut().poll(context).is_ready() {
            self.revoked = None;
            let mut trailers = HeaderMap::new();
            Status::permission_denied(REVOKED).add_header(&mut trailers)?;
            return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
        }
        Pin::new(&mut self.body).poll_frame(context)
    }
}
