//! `api/session`, `api/login`, `api/logout`.

use std::time::{Duration, SystemTime};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use tracing::{info, warn};

use super::body::json_body;
use crate::domain::utc::unix_rfc3339;
use crate::domain::web::access::WebPermission;
use crate::domain::web::sessions::{LoginMethod, SessionKey};
use crate::web::caller::{WebCaller, check_post};
use crate::web::password::{LONGEST_PASSWORD, random};
use crate::web::reply::{JsonReply, WebError};
use crate::web::server::WebServer;
use crate::web::session_keeper::{
    BeginLogin, CloseSession, LoginFailed, LoginPassed, OpenSession, SessionInfo,
};

/// Who is logged in. Those who show who they are by other means than a password get a
/// session here, so that they have a token.
pub(super) async fn session(
    State(server): State<WebServer>,
    mut caller: WebCaller,
) -> Result<Response, WebError> {
    let mut cookie = None;
    if caller.session.is_none()
        && let Some(user) = caller.user.clone()
    {
        let (key, token) = secrets()?;
        let session = server.sessions.send(OpenSession { user, key, token }).await?;
        caller.session = session.map(|session| (key, session));
        cookie = Some(caller.set_cookie(&server.base_path, Some(key)));
    }
    Ok(reply(&server, &caller, cookie))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LoginBody {
    name: String,
    password: String,
}

pub(super) async fn login(
    State(server): State<WebServer>,
    mut caller: WebCaller,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, WebError> {
    check_post(&headers, &uri)?;
    let LoginBody { name, password } = json_body(&headers, &body)?;
    if !server.login.methods.contains(&LoginMethod::Password) {
        let error = WebError::new(StatusCode::FORBIDDEN, "forbidden", "nobody logs in by password");
        return Err(error.remedy("give maglev-web --users"));
    }
    let wrong = || WebError::unauthenticated("the name or the password is wrong");
    if password.len() > LONGEST_PASSWORD || name.chars().count() > 64 {
        return Err(wrong());
    }
    let address = caller.address;
    let begun = server.sessions.send(BeginLogin { name: name.clone(), address }).await?;
    let hash = begun.map_err(|wait| {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        WebError::too_many("too many attempts to log in failed", seconds)
            .remedy(format!("try again in {seconds} s"))
    })?;
    let checked = server.passwords.is_correct(hash, password.into_bytes()).await;
    let is_correct = checked.map_err(|_| WebError::too_many("many log in at this moment", 1))?;
    let from = address.map_or_else(|| "a Unix socket".to_owned(), |address| address.to_string());
    if !is_correct {
        server.sessions.send(LoginFailed).await?;
        warn!(user = name, from, "login-failed");
        return Err(wrong());
    }
    let (key, token) = secrets()?;
    let passed = LoginPassed { name: name.clone(), address, key, token };
    let session = server.sessions.send(passed).await?.ok_or_else(wrong)?;
    // A browser that was logged in before has a new secret from now on.
    if let Some((old, _)) = caller.session.take() {
        server.sessions.send(CloseSession(old)).await?;
    }
    info!(user = name, from, role = %session.user.role, "login");
    caller.user = Some(session.user.clone());
    caller.session = Some((key, session));
    let cookie = caller.set_cookie(&server.base_path, Some(key));
    Ok(reply(&server, &caller, Some(cookie)))
}

pub(super) async fn logout(
    State(server): State<WebServer>,
    mut caller: WebCaller,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    check_post(&headers, &uri)?;
    caller.check_token(&headers)?;
    if let Some((key, session)) = caller.session.take() {
        server.sessions.send(CloseSession(key)).await?;
        info!(user = session.user.name, "logout");
    }
    caller.user = None;
    let cookie = caller.set_cookie(&server.base_path, None);
    Ok(reply(&server, &caller, Some(cookie)))
}

fn secrets() -> Result<(SessionKey, [u8; 16]), WebError> {
    let failed = |error: std::io::Error| {
        WebError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", error.to_string())
    };
    Ok((SessionKey::new(random().map_err(failed)?), random().map_err(failed)?))
}

fn reply(server: &WebServer, caller: &WebCaller, cookie: Option<String>) -> Response {
    let mut response = JsonReply::of(&session_json(server, caller)).into_response();
    if let Some(cookie) = cookie.and_then(|cookie| HeaderValue::from_str(&cookie).ok()) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}

fn session_json(server: &WebServer, caller: &WebCaller) -> Value {
    let session: Option<&SessionInfo> = caller.session.as_ref().map(|(_, session)| session);
    let user = caller.user.as_ref().map(
        |user| json!({ "name": user.name, "role": user.role.as_str(), "via": user.via.as_str() }),
    );
    let expires = session.map(|session| unix_rfc3339(SystemTime::now() + session.left));
    let nanoseconds = |span: Duration| i64::try_from(span.as_nanos()).unwrap_or(i64::MAX);
    let methods: Vec<_> = server.login.methods.iter().map(|method| method.as_str()).collect();
    json!({
        "login": server.login.mode.as_str(),
        "methods": methods,
        "user": user,
        "token": session.map(|session| &session.token),
        "expires": expires,
        "idle_ns": session.map(|session| nanoseconds(session.idle)),
        "may_operate": caller.may(server, WebPermission::Operate).is_ok(),
        "version": env!("CARGO_PKG_VERSION"),
    })
}
