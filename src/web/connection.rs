//! One connection of a browser or proxy, and the headers that every answer has.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, LOCATION, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::sync::watch;
use tokio::time::timeout;
use tonic::codegen::Service;
use tracing::debug;

use super::options::BasePath;
use super::reply::WebError;
use super::server::WebServer;
use crate::api::ClientPeer;
use crate::api::answers::body::{Answer, AnswerBody, HeldBody};
use crate::api::answers::pool::AnswerPool;
use crate::api::transport::activity::{ConnectionActivity, RequestUnderWay};
use crate::api::transport::http_limits::HttpLimits;
use crate::api::transport::peer::{AcceptedConnection, IdentifiedClient};
use crate::api::transport::phase::{DaemonPhase, stopped};

/// How long a connection may be without a request, or with half of one.
pub(super) const IDLE_LIMIT: Duration = Duration::from_secs(90);
/// How long a request may take, its body included. What it has begun goes on.
const REQUEST_LIMIT: Duration = Duration::from_secs(90);
/// The type of the stream of events, which lasts.
pub(super) const EVENT_STREAM: &str = "text/event-stream";
const LIMITS: HttpLimits = HttpLimits {
    idle: IDLE_LIMIT,
    buffer: 64 << 10,
    headers: 64,
    streams: 64,
    windows: (64 << 10, 256 << 10),
};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; font-src 'self'; manifest-src 'self'; frame-ancestors 'none'; \
    base-uri 'none'; form-action 'self'; require-trusted-types-for 'script'";

/// What a request is known by beside its own text.
#[derive(Clone)]
pub(super) struct ClientOfRequest {
    pub(super) client: IdentifiedClient,
    /// Whether this server encrypts the connection.
    pub(super) is_encrypted: bool,
}

/// What the connections of one server have in common.
#[derive(Clone)]
pub(super) struct ConnectionContext {
    pub(super) routes: Router,
    pub(super) server: WebServer,
    pub(super) answers: AnswerPool,
    pub(super) is_encrypted: bool,
    /// Whether the URLs are below the base path.
    pub(super) has_base: bool,
    pub(super) phase: watch::Receiver<DaemonPhase>,
}

/// Serves a connection to its end.
pub(super) async fn serve(
    context: ConnectionContext,
    stream: AcceptedConnection,
    activity: Arc<ConnectionActivity>,
) {
    let peer = stream.client.peer;
    let is_tcp = matches!(peer, ClientPeer::Tcp(_));
    let is_encrypted = context.is_encrypted && is_tcp;
    let client = ClientOfRequest { client: stream.client.clone(), is_encrypted };
    let mut phase = context.phase.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let under_way = activity.begin();
        activity.received();
        let (context, client, activity) = (context.clone(), client.clone(), Arc::clone(&activity));
        async move { Ok::<_, Infallible>(answer(context, client, activity, request, under_way).await) }
    });
    let builder = LIMITS.builder();
    let serving = builder.serve_connection(TokioIo::new(stream), service);
    let mut serving = std::pin::pin!(serving);
    let served = tokio::select! {
        served = serving.as_mut() => served,
        () = stopped(&mut phase) => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = served {
        debug!(%peer, %error, "web-connection-failed");
    }
}

async fn answer(
    context: ConnectionContext,
    client: ClientOfRequest,
    activity: Arc<ConnectionActivity>,
    request: Request<Incoming>,
    under_way: RequestUnderWay,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let is_encrypted = client.is_encrypted;
    let none = BasePath::default();
    let base = if context.has_base { &context.server.base_path } else { &none };
    let mut response = match base.behind(parts.uri.path()).map(|path| within(path, &parts.uri)) {
        Some(Some(uri)) => {
            parts.uri = uri;
            parts.extensions.insert(client);
            parts.extensions.insert(activity);
            let request = Request::from_parts(parts, Body::new(body));
            let mut routes = context.routes.clone();
            let called = timeout(REQUEST_LIMIT, Service::call(&mut routes, request)).await;
            let response = called.map_or_else(|_| late(), |Ok(response)| response);
            match response.status() {
                // axum's own has no JSON.
                status @ StatusCode::PAYLOAD_TOO_LARGE => {
                    WebError::new(status, "too_large", "the body is too long").into_response()
                }
                _ => response,
            }
        }
        _ if parts.uri.path() == base.to_string() => {
            (StatusCode::PERMANENT_REDIRECT, [(LOCATION, format!("{base}/"))]).into_response()
        }
        _ => WebError::not_found("there is no such page").into_response(),
    };
    context.server.requests.count(response.status().as_u16());
    secure(response.headers_mut(), is_encrypted);
    let is_stream = response.headers().get(CONTENT_TYPE).is_some_and(|it| it == EVENT_STREAM);
    if is_stream {
        return response.map(|body| Body::new(HeldBody::new(body, under_way)));
    }
    // All others are at hand, and are taken in time or dropped.
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let answer = Answer::new(bytes, &context.answers);
    Response::from_parts(parts, Body::new(AnswerBody::new(answer, None, under_way)))
}

fn late() -> Response {
    let seconds = REQUEST_LIMIT.as_secs();
    let message = format!("the request was not answered within {seconds} s");
    WebError::new(StatusCode::GATEWAY_TIMEOUT, "timeout", message).into_response()
}

/// The URI with `path` in place of its own.
fn within(path: &str, uri: &Uri) -> Option<Uri> {
    let text = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(text).ok()?);
    Uri::from_parts(parts).ok()
}

fn secure(headers: &mut HeaderMap, is_encrypted: bool) {
    let fields: [(HeaderName, &'static str); 6] = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in fields {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if is_encrypted {
        let value = HeaderValue::from_static("max-age=31536000");
        headers.insert(STRICT_TRANSPORT_SECURITY, value);
    }
}
