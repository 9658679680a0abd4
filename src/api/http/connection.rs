//! One HTTP connection: a request at a time, or a few in HTTP/2, each within a
//! deadline.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::header::CONTENT_LENGTH;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tonic::codegen::Service;
use tracing::debug;

use crate::api::answers::body::{Answer, AnswerBody, HeldBody};
use crate::api::transport::activity::ConnectionActivity;
use crate::api::transport::peer::AcceptedConnection;

/// How long a connection may be without a request, or with half of one. Scrapers
/// that come more often keep theirs.
pub(super) const IDLE_LIMIT: Duration = Duration::from_secs(90);
/// Bytes of a request's head, and of an answer that the client has not taken.
const BUFFER: usize = 16 << 10;
const HEADERS: usize = 64;
/// Requests at a time, and bytes of them that may be in flight, in HTTP/2.
const STREAMS: u32 = 4;
const WINDOW: u32 = 64 << 10;

/// Serves a connection to its end.
pub(super) async fn serve(
    routes: Router,
    stream: AcceptedConnection,
    activity: Arc<ConnectionActivity>,
) {
    let peer = stream.client.peer;
    let service = service_fn(move |request: Request<Incoming>| {
        let (mut routes, under_way) = (routes.clone(), activity.begin());
        // No page reads a body.
        activity.received();
        async move {
            let response = Service::call(&mut routes, request).await?;
            let (mut parts, body) = response.into_parts();
            let body = match parts.extensions.remove::<Answer>() {
                Some(answer) => {
                    // axum's, of the empty body that the page had.
                    parts.headers.remove(CONTENT_LENGTH);
                    Body::new(AnswerBody::new(answer, None, under_way))
                }
                None => Body::new(HeldBody::new(body, under_way)),
            };
            Ok::<_, Infallible>(Response::from_parts(parts, body))
        }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE_LIMIT)
        .max_buf_size(BUFFER)
        .max_headers(HEADERS);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .max_send_buf_size(BUFFER)
        .keep_alive_interval(IDLE_LIMIT)
        .keep_alive_timeout(IDLE_LIMIT);
    let serving = builder.serve_connection(TokioIo::new(stream), service);
    if let Err(error) = serving.await {
        debug!(%peer, %error, "metrics-connection-failed");
    }
}
