//! Who a request is from, and whether it was forged.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::{COOKIE, HOST, ORIGIN};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, StatusCode, Uri};

use super::connection::ClientOfRequest;
use super::login_config::LoginConfig;
use super::options::BasePath;
use super::reply::WebError;
use super::server::WebServer;
use super::session_keeper::{GetSession, GetUserRole, SessionInfo};
use super::users::check_name;
use crate::api::ClientPeer;
use crate::domain::web::access::{Denied, LoginMode, WebPermission, grant};
use crate::domain::web::forgery::{
    Forgery, OriginHeaders, check_host, check_origin, is_same_secret,
};
use crate::domain::web::proxies::is_trusted;
use crate::domain::web::sessions::{LoginMethod, SessionKey, WebUser};

/// The header of the token that each POST has.
pub(super) const TOKEN: HeaderName = HeaderName::from_static("x-maglev-token");
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Who a request is from.
#[derive(Clone)]
pub(super) struct WebCaller {
    pub(super) user: Option<WebUser>,
    /// `None`: nobody is logged in, or no session has begun yet.
    pub(super) session: Option<(SessionKey, SessionInfo)>,
    /// `None` on a Unix socket.
    pub(super) address: Option<IpAddr>,
    pub(super) is_encrypted: bool,
}

impl WebCaller {
    /// # Errors
    /// They may not.
    pub(super) fn may(
        &self,
        server: &WebServer,
        permission: WebPermission,
    ) -> Result<(), WebError> {
        let role = self.user.as_ref().map(|user| user.role);
        grant(server.login.mode, role, permission).map_err(WebError::denied)
    }

    /// The name for logs and for daemons.
    pub(super) fn name(&self) -> &str {
        self.user.as_ref().map_or("nobody", |user| &user.name)
    }

    /// Checks the token of a POST.
    ///
    /// # Errors
    /// There is no session, or the token is not its own.
    pub(super) fn check_token(&self, headers: &HeaderMap) -> Result<(), WebError> {
        let given = headers.get(TOKEN).and_then(|token| token.to_str().ok()).unwrap_or_default();
        match &self.session {
            Some((_, session)) if is_same_secret(session.token.as_bytes(), given.as_bytes()) => {
                Ok(())
            }
            Some(_) => Err(Forgery::Token.into()),
            None if self.user.is_some() => Err(Forgery::Token.into()),
            None => Err(WebError::denied(Denied::LogIn)),
        }
    }

    /// The cookie of a session; without one, the cookie that ends it.
    pub(super) fn set_cookie(&self, base: &BasePath, key: Option<SessionKey>) -> String {
        let name = cookie_name(self.is_encrypted, base);
        let path = base.cookie_path();
        let secure = if self.is_encrypted { "; Secure" } else { "" };
        let (value, age) = match key {
            Some(key) => (key.to_cookie(), ""),
            None => (String::new(), "; Max-Age=0"),
        };
        format!("{name}={value}; Path={path}; HttpOnly; SameSite=Strict{secure}{age}")
    }
}

/// The name of the cookie: browsers let nobody but this server set those with a prefix.
fn cookie_name(is_encrypted: bool, base: &BasePath) -> &'static str {
    match (is_encrypted, base.cookie_path()) {
        (true, "/") => "__Host-maglev",
        (true, _) => "__Secure-maglev",
        (false, _) => "maglev",
    }
}

/// Checks where a POST comes from.
///
/// # Errors
/// From elsewhere.
pub(super) fn check_post(headers: &HeaderMap, uri: &Uri) -> Result<(), WebError> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let (fetch_site, origin) = (text(FETCH_SITE), text(ORIGIN));
    Ok(check_origin(OriginHeaders { fetch_site, origin, host: host(headers, uri) })?)
}

/// Where a request is sent to: `Host` in HTTP/1.1, and the authority in HTTP/2.
fn host<'a>(headers: &'a HeaderMap, uri: &'a Uri) -> Option<&'a str> {
    let header = headers.get(HOST).and_then(|host| host.to_str().ok());
    header.or(uri.authority().map(Authority::as_str))
}

impl FromRequestParts<WebServer> for WebCaller {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, server: &WebServer) -> Result<Self, WebError> {
        let Some(of) = parts.extensions.get::<ClientOfRequest>().cloned() else {
            return Err(WebError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "no peer"));
        };
        let login = &server.login;
        let headers = &parts.headers;
        let is_unix = matches!(of.client.peer, ClientPeer::Unix { .. });
        if login.mode != LoginMode::Required && !is_unix {
            check_host(host(headers, &parts.uri), &login.hosts)?;
        }
        let peer = match of.client.peer {
            ClientPeer::Tcp(address) => Some(address.ip()),
            ClientPeer::Unix { .. } | ClientPeer::Unknown => None,
        };
        let is_proxy = is_trusted(&login.proxies, peer);
        let text = |name: &HeaderName| {
            headers.get_all(name).iter().next_back().and_then(|value| value.to_str().ok())
        };
        let (mut address, mut is_encrypted) = (peer, of.is_encrypted);
        if is_proxy {
            // The last address is the one that the proxy itself has seen.
            let forwarded = text(&FORWARDED_FOR).and_then(|list| list.rsplit(',').next());
            address = forwarded.and_then(|last| last.trim().parse().ok()).or(address);
            is_encrypted |= text(&FORWARDED_PROTO) == Some("https");
        }
        let named = shown_by(&of, login, is_proxy, &text);
        let key = session_key(headers, cookie_name(is_encrypted, &server.base_path));
        let mut caller = Self { user: None, session: None, address, is_encrypted };
        if let Some(key) = key
            && let Some(session) = server.sessions.send(GetSession { key, is_use: true }).await?
            && holds(&session.user, named.as_ref())
        {
            caller.user = Some(session.user.clone());
            caller.session = Some((key, session));
        } else if let Some((name, via)) = named {
            let role = server.sessions.send(GetUserRole(name.to_string())).await?;
            let role = role.or(login.default_role);
            caller.user = role.map(|role| WebUser { name: name.to_string(), role, via });
        }
        Ok(caller)
    }
}

/// Who the certificate, or the proxy, says that the user is.
fn shown_by<'a>(
    of: &ClientOfRequest,
    login: &LoginConfig,
    is_proxy: bool,
    text: &impl Fn(&HeaderName) -> Option<&'a str>,
) -> Option<(Arc<str>, LoginMethod)> {
    if let Some(header) = login.proxy_header.as_ref().filter(|_| is_proxy) {
        let name = text(header).map(str::trim).filter(|name| check_name(name).is_ok());
        if let Some(name) = name {
            return Some((name.into(), LoginMethod::Proxy));
        }
    }
    let certificate = of.client.certificate.as_ref().filter(|_| of.is_encrypted)?;
    let name = certificate.shown.clone().filter(|name| check_name(name).is_ok())?;
    let is_method = login.methods.contains(&LoginMethod::Certificate);
    is_method.then_some((name, LoginMethod::Certificate))
}

/// Whether a session is still that of the one who shows who they are at each request.
fn holds(user: &WebUser, named: Option<&(Arc<str>, LoginMethod)>) -> bool {
    match user.via {
        LoginMethod::Password => true,
        via => named.is_some_and(|(name, method)| **name == *user.name && *method == via),
    }
}

fn session_key(headers: &HeaderMap, name: &str) -> Option<SessionKey> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';'));
    pairs.find_map(|pair| {
        let (key, value) = pair.trim().split_once('=')?;
        (key == name).then(|| SessionKey::of_cookie(value))?
    })
}
