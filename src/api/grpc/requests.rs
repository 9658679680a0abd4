//! Every request of a connection: received whole and within a bound, passed to its
//! service, answered in a way that an answer which nobody reads costs little.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::{Body as _, Frame, Incoming};
use hyper::{HeaderMap, Request, Response};
use prost::bytes::{Bytes, BytesMut};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::service::Routes;

use super::costly;
use super::gate::{AdmittedCall, Gate};
use super::streaming::{self, WholeBody};
use super::timeout::requested_timeout;
use crate::api::answers::body::{Answer, AnswerBody, HeldBody};
use crate::api::answers::pool::AnswerPool;
use crate::api::transport::activity::{ConnectionActivity, RequestUnderWay};
use crate::api::transport::peer::IdentifiedClient;

/// The longest request. No call of ours has one of a thousand bytes.
pub(in crate::api) const LONGEST_REQUEST: u32 = 64 << 10;
/// gRPC's own bytes in front of a message: a flag and its length.
const PREFIX: usize = 5;
/// How long a request may take to come, from its head on.
const RECEIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// Requests and streams at a time, over all connections.
const REQUESTS: usize = 16_384;
/// Of a request, what counts towards no bound in all.
const FREE: usize = 1 << 10;
/// Bytes of long requests that are being received, over all connections.
const LONG_REQUESTS: usize = 16 << 20;

/// The services, and what all connections share. Clones share it.
#[derive(Clone)]
pub(in crate::api) struct GrpcServer {
    routes: Routes,
    gate: Gate,
    answers: AnswerPool,
    requests: Arc<Semaphore>,
    long_requests: Arc<Semaphore>,
}

/// A request as it is passed to its service.
struct ReceivedRequest {
    request: Request<Body>,
    call: AdmittedCall,
    under_way: RequestUnderWay,
    permit: OwnedSemaphorePermit,
}

impl GrpcServer {
    pub(in crate::api) fn new(routes: Routes, gate: Gate, answers: AnswerPool) -> Self {
        let requests = Arc::new(Semaphore::new(REQUESTS));
        let long_requests = Arc::new(Semaphore::new(LONG_REQUESTS));
        Self { routes, gate, answers, requests, long_requests }
    }

    /// Answers a request of a connection.
    pub(super) async fn answer(
        self,
        request: Request<Incoming>,
        client: IdentifiedClient,
        connection: Arc<ConnectionActivity>,
    ) -> Response<Body> {
        let under_way = connection.begin();
        let Ok(permit) = Arc::clone(&self.requests).try_acquire_owned() else {
            let all = "all requests that there may be at a time are under way: try again";
            return Status::resource_exhausted(all).into_http();
        };
        let within = requested_timeout(request.headers());
        let answering = async {
            let received = self.receive(request, client, under_way, permit).await;
            match received {
                Ok(received) => self.pass_on(received).await,
                Err(status) => status.into_http(),
            }
        };
        match within {
            None => answering.await,
            Some(within) => timeout(within, answering)
                .await
                .unwrap_or_else(|_| Status::cancelled("Timeout expired").into_http()),
        }
    }

    async fn receive(
        &self,
        request: Request<Incoming>,
        client: IdentifiedClient,
        under_way: RequestUnderWay,
        permit: OwnedSemaphorePermit,
    ) -> Result<ReceivedRequest, Status> {
        let (parts, body) = request.into_parts();
        let mut whole = None;
        let body = if streaming::is_of_requests(parts.uri.path()) {
            under_way.connection().received();
            Body::new(body)
        } else {
            let receiving = timeout(RECEIVE_TIMEOUT, self.receive_body(body)).await;
            let body = receiving.unwrap_or_else(|_| {
                let seconds = RECEIVE_TIMEOUT.as_secs();
                let late = format!("the request was not complete within {seconds} s");
                Err(Status::deadline_exceeded(late))
            })?;
            under_way.connection().received();
            whole = Some(body.clone());
            Body::new(WholeBody::new(body))
        };
        let mut request = Request::from_parts(parts, body);
        let call = self.gate.admit(&mut request, &client, whole.as_ref())?;
        Ok(ReceivedRequest { request, call, under_way, permit })
    }

    async fn receive_body(&self, mut body: Incoming) -> Result<Bytes, Status> {
        let mut bytes = BytesMut::new();
        let mut beyond: Option<OwnedSemaphorePermit> = None;
        while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
            let frame = frame.map_err(|error| Status::cancelled(error.to_string()))?;
            let Ok(data) = frame.into_data() else { continue };
            let length = bytes.len() + data.len();
            if length > LONGEST_REQUEST as usize + PREFIX {
                let long = format!("a request has {LONGEST_REQUEST} bytes at most");
                return Err(Status::resource_exhausted(long));
            }
            let held = beyond.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
            let more = length.saturating_sub(FREE).saturating_sub(held);
            if let Ok(more @ 1..) = u32::try_from(more) {
                let more = Arc::clone(&self.long_requests).try_acquire_many_owned(more);
                let more = more.map_err(|_| {
                    Status::resource_exhausted("too many long requests come at a time: try again")
                })?;
                match &mut beyond {
                    Some(beyond) => beyond.merge(more),
                    None => beyond = Some(more),
                }
            }
            bytes.extend_from_slice(&data);
        }
        Ok(bytes.freeze())
    }

    async fn pass_on(&self, received: ReceivedRequest) -> Response<Body> {
        let ReceivedRequest { request, call, under_way, permit } = received;
        let is_stream = streaming::is_of_answers(request.uri().path());
        let Ok(response) = Service::call(&mut self.routes.clone(), request).await;
        let (mut parts, body) = response.into_parts();
        if is_stream {
            let body = self.gate.guard(body, call);
            let body = HeldBody::new(body, (under_way, permit));
            return Response::from_parts(parts, Body::new(body));
        }
        if let Some(audit) = call.audit {
            audit.answered(&parts);
        }
        let shared = parts.extensions.remove::<Answer>();
        match whole(body).await {
            Ok((bytes, trailers)) => {
                let (answer, trailers) = match shared {
                    Some(answer) => (answer, Some(costly::trailers())),
                    None => (Answer::new(bytes, &self.answers), trailers),
                };
                let body = AnswerBody::new(answer, trailers, under_way);
                Response::from_parts(parts, Body::new(HeldBody::new(body, permit)))
            }
            Err(status) => status.into_http(),
        }
    }
}

/// An answer of one message, as tonic encodes it.
async fn whole(mut body: Body) -> Result<(Bytes, Option<HeaderMap>), Status> {
    let (mut bytes, mut trailers) = (Bytes::new(), None);
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        match frame.map(Frame::into_data)? {
            Ok(data) if bytes.is_empty() => bytes = data,
            Ok(data) => bytes = [bytes, data].concat().into(),
            Err(frame) => trailers = frame.into_trailers().ok(),
        }
    }
    Ok((bytes, trailers))
}

/// What hyper calls for each request of a connection.
pub(super) struct ConnectionRequests {
    pub(super) server: GrpcServer,
    pub(super) client: IdentifiedClient,
    pub(super) connection: Arc<ConnectionActivity>,
}

impl hyper::service::Service<Request<Incoming>> for ConnectionRequests {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = tonic::codegen::BoxFuture<Self::Response, Infallible>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let answer =
            self.server.clone().answer(request, self.client.clone(), Arc::clone(&self.connection));
        Box::pin(async move { Ok(answer.await) })
    }
}
