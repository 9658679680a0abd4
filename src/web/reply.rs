//! Answers: JSON, and errors that say what to do.

use std::fmt;

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::client::error::ClientError;
use crate::domain::printable::printable;
use crate::domain::web::access::Denied;
use crate::domain::web::forgery::Forgery;
use crate::web::json::{JsonObject, to_json};

/// An answer in JSON that no cache keeps.
pub(super) struct JsonReply(pub(super) Vec<u8>);

impl JsonReply {
    pub(super) fn of(value: &impl Serialize) -> Self {
        Self(to_json(value))
    }
}

impl IntoResponse for JsonReply {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.0));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

/// Why a request was not granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct WebError {
    status: StatusCode,
    code: &'static str,
    message: String,
    remedy: Option<String>,
    /// Seconds.
    retry_after: Option<u64>,
}

impl WebError {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        let message = printable(&message.into());
        Self { status, code, message, remedy: None, retry_after: None }
    }

    pub(super) fn remedy(self, remedy: impl Into<String>) -> Self {
        Self { remedy: Some(remedy.into()), ..self }
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", message)
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    pub(super) fn unauthenticated(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", message)
    }

    pub(super) fn too_many(message: impl Into<String>, seconds: u64) -> Self {
        let error = Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many", message);
        Self { retry_after: Some(seconds), ..error }
    }

    /// The server stops: an actor is gone.
    pub(super) fn stopping() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "maglev-web is stopping")
    }

    pub(super) fn denied(denied: Denied) -> Self {
        match denied {
            Denied::LogIn => Self::unauthenticated("nobody is logged in").remedy("log in"),
            Denied::ViewerOnly => {
                Self::new(StatusCode::FORBIDDEN, "forbidden", "a viewer may look and not operate")
                    .remedy("ask for the role operator")
            }
            Denied::NobodyOperates => Self::new(
                StatusCode::FORBIDDEN,
                "forbidden",
                "this page is for viewing: no login is configured",
            )
            .remedy("give maglev-web --users, and log in"),
        }
    }
}

impl fmt::Display for WebError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<actix::MailboxError> for WebError {
    fn from(_: actix::MailboxError) -> Self {
        Self::stopping()
    }
}

impl From<Forgery> for WebError {
    fn from(forgery: Forgery) -> Self {
        let error = Self::new(StatusCode::FORBIDDEN, "forged", forgery.to_string());
        error.remedy(match forgery {
            Forgery::OtherSite => "use the page itself",
            Forgery::OtherOrigin => {
                "use the page itself; a proxy in between has to pass on the Host header"
            }
            Forgery::Token => "read api/session anew",
            Forgery::OtherHost => "use an address, or give maglev-web --host NAME",
        })
    }
}

impl From<&ClientError> for WebError {
    fn from(error: &ClientError) -> Self {
        let (status, code) = match error {
            ClientError::Refused { code: tonic::Code::NotFound, .. } => {
                (StatusCode::NOT_FOUND, "not_found")
            }
            ClientError::Refused { .. } => (StatusCode::BAD_GATEWAY, "daemon_refused"),
            _ => (StatusCode::BAD_GATEWAY, "daemon_unreachable"),
        };
        Self::new(status, code, error.to_string())
    }
}

impl IntoResponse for WebError {
    fn into_response(self) -> Response {
        let mut error = JsonObject::default();
        error.set("code", &self.code).set("message", &self.message).set("remedy", &self.remedy);
        let mut body = JsonObject::default();
        body.set_json("error", &error.finish());
        let mut response = JsonReply(body.finish()).into_response();
        *response.status_mut() = self.status;
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
