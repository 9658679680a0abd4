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
use hyper_util::rt::TokioIo;
use tonic::codegen::Service;
use tracing::debug;

use crate::api::answers::body::{Answer, AnswerBody, HeldBody};
use crate::api::transport::activity::ConnectionActivity;
use crate::api::transport::http_limits::HttpLimits;
use crate::api::transport::peer::AcceptedConnection;

/// How long a connection may be without a request, or with half of one. Scrapers
/// that come more often keep theirs.
pub(super) const IDLE_LIMIT: Duration = Duration::from_secs(90);
const LIMITS: HttpLimits = HttpLimits {
    idle: IDLE_LIMIT,
    buffer: 16 << 10,
    headers: 64,
    streams: 4,
    windows: (64 << 10, 64 << 10),
};

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
    let builder = LIMITS.builder();
    let serving = builder.serve_connection(TokioIo::new(stream), service);
    if let Err(error) = serving.await {
        debug!(%peer, %error, "metrics-connection-failed");
    }
}
