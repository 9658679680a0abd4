//! How one may log in.

use axum::http::HeaderName;

use crate::domain::web::access::{LoginMode, WebRole};
use crate::domain::web::proxies::TrustedProxy;
use crate::domain::web::sessions::LoginMethod;

pub(super) struct LoginConfig {
    pub(super) mode: LoginMode,
    pub(super) methods: Vec<LoginMethod>,
    /// Of those whom a certificate or a proxy names and the users file does not; `None`:
    /// they may nothing.
    pub(super) default_role: Option<WebRole>,
    /// The header in which a proxy names the user.
    pub(super) proxy_header: Option<HeaderName>,
    pub(super) proxies: Vec<TrustedProxy>,
    /// Names by which a page that needs no login may be asked for.
    pub(super) hosts: Vec<String>,
}
