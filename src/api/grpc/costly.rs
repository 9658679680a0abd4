//! Calls whose answers cost much and are the same for all who ask: each is built
//! once for everybody who waits, and one at a time.

use std::sync::Arc;

use prost::Message;
use prost::bytes::{BufMut, Bytes, BytesMut};
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::http::Response;
use tonic::codegen::http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};

use super::service::MaglevService;
use super::status::OrStatus;
use crate::api::answers::body::Answer;
use crate::api::answers::pool::AnswerPool;
use crate::api::answers::shared::SharedAnswer;

type BuiltAnswer = Result<Answer, Status>;

/// The calls, by the path of their method.
#[derive(Clone)]
pub(super) struct CostlyCalls(Arc<[(&'static str, SharedAnswer<BuiltAnswer>)]>);

impl CostlyCalls {
    /// To be called where the answers are to be built.
    pub(super) fn new(service: &Arc<MaglevService>, pool: &AnswerPool) -> Self {
        macro_rules! call {
            ($method:literal, $build:ident) => {{
                let (service, pool) = (Arc::clone(service), pool.clone());
                let build = move || {
                    let (service, pool) = (Arc::clone(&service), pool.clone());
                    async move { encoded(service.$build().await?, pool).await }
                };
                (concat!("/maglev.Maglev/", $method), SharedAnswer::new(build))
            }};
        }
        Self(Arc::new([
            call!("GetBackends", backends),
            call!("CheckConfig", check),
            call!("GetVPPLBState", lb_state),
            call!("GetVPPLBCounters", lb_counters),
            call!("GetVPPDoctor", doctor),
            call!("GetFingerprints", fingerprints),
        ]))
    }

    pub(super) fn of(&self, path: &str) -> Option<SharedAnswer<BuiltAnswer>> {
        self.0.iter().find(|(method, _)| *method == path).map(|(_, shared)| shared.clone())
    }
}

/// Asks for an answer, and has the connection hand it out.
pub(super) async fn answer(shared: SharedAnswer<BuiltAnswer>) -> Response<Body> {
    match shared.ask().await.or_status().and_then(|built| built) {
        Ok(answer) => {
            let mut response = Response::new(Body::empty());
            let grpc = HeaderValue::from_static("application/grpc");
            response.headers_mut().insert(CONTENT_TYPE, grpc);
            response.extensions_mut().insert(answer);
            response
        }
        Err(status) => status.into_http(),
    }
}

/// What follows an answer that was built.
pub(super) fn trailers() -> HeaderMap {
    HeaderMap::from_iter([(Status::GRPC_STATUS, HeaderValue::from_static("0"))])
}

/// A message as it stands on the wire: not compressed, its length, its bytes.
async fn encoded(message: impl Message + 'static, pool: AnswerPool) -> BuiltAnswer {
    let encode = move || {
        let length = u32::try_from(message.encoded_len());
        let length = length.map_err(|_| Status::resource_exhausted("the answer is over 4 GiB"))?;
        let mut bytes = BytesMut::with_capacity(length as usize + 5);
        bytes.put_u8(0);
        bytes.put_u32(length);
        message.encode(&mut bytes).map_err(|error| Status::internal(error.to_string()))?;
        Ok(Answer::new(Bytes::from(bytes), &pool))
    };
    super::service::blocking(encode).await?
}
