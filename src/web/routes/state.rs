//! `GET api/state`: all that is known of all daemons.

use std::io::Read;

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use axum::response::{IntoResponse, Response};
use flate2::read::GzDecoder;

use super::query::Query;
use crate::api::transport::encoding::Encoding;
use crate::domain::web::access::WebPermission;
use crate::web::caller::WebCaller;
use crate::web::reply::{JsonReply, WebError};
use crate::web::server::WebServer;

pub(super) async fn state(
    State(server): State<WebServer>,
    caller: WebCaller,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    caller.may(&server, WebPermission::Look)?;
    let query = Query::of(query.as_deref());
    let compressed = server.state.get(query.one("daemon")).await?;
    if Encoding::of(&headers) == Encoding::Plain {
        let mut json = Vec::new();
        // It was compressed here, so it is whole.
        let _ = GzDecoder::new(&*compressed).read_to_end(&mut json);
        return Ok(JsonReply(json).into_response());
    }
    let fields = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "no-store"),
        (CONTENT_ENCODING, "gzip"),
        (VARY, "Accept-Encoding"),
    ];
    Ok((fields, compressed).into_response())
}
