//! The body of a POST.

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;

use crate::web::reply::WebError;

/// Bytes of a body, at most.
pub(super) const LONGEST: usize = 64 << 10;

/// The value of a body in JSON.
///
/// # Errors
/// It is of another type, or is not what is asked for. A form of another site could not
/// send this type without being asked whether it may.
pub(super) fn json_body<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: &[u8],
) -> Result<T, WebError> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(WebError::new(status, "unsupported_media_type", "the body is not JSON")
            .remedy("send it with Content-Type: application/json"));
    }
    serde_json::from_slice(body)
        .map_err(|error| WebError::bad_request(format!("the body cannot be used: {error}")))
}
