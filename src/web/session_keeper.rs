//! The actor that knows who is logged in, who may log in, and how often a password was
//! tried.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use actix::prelude::*;

use super::users::WebUsers;
use crate::domain::web::access::WebRole;
use crate::domain::web::forecasts::{ForecastError, ForecastTable};
use crate::domain::web::sessions::{LoginMethod, SessionKey, SessionLimits, SessionTable, WebUser};
use crate::domain::web::throttle::LoginThrottle;

/// How often sessions that are over are forgotten.
const SWEEP: Duration = Duration::from_secs(60);

pub(super) struct SessionKeeper {
    users: WebUsers,
    sessions: SessionTable,
    throttle: LoginThrottle,
    forecasts: ForecastTable,
    stats: LoginStats,
}

/// What a request is told of its session.
#[derive(Clone, Debug)]
pub(super) struct SessionInfo {
    pub(super) user: WebUser,
    pub(super) token: String,
    /// Until it ends at the latest.
    pub(super) left: Duration,
    pub(super) idle: Duration,
}

/// The session of a key. With `is_use`, it counts as used.
#[derive(Message)]
#[rtype(result = "Option<SessionInfo>")]
pub(super) struct GetSession {
    pub(super) key: SessionKey,
    pub(super) is_use: bool,
}

/// Begins an attempt to log in with a password: the user's hash, or `None` for one who has
/// none.
///
/// # Errors
/// How long to wait before the next attempt.
#[derive(Message)]
#[rtype(result = "Result<Option<String>, Duration>")]
pub(super) struct BeginLogin {
    pub(super) name: String,
    pub(super) address: Option<IpAddr>,
}

/// The password was wrong.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct LoginFailed;

/// The password was right: a session begins, unless the user is gone meanwhile.
#[derive(Message)]
#[rtype(result = "Option<SessionInfo>")]
pub(super) struct LoginPassed {
    pub(super) name: String,
    pub(super) address: Option<IpAddr>,
    pub(super) key: SessionKey,
    pub(super) token: [u8; 16],
}

/// Begins a session of one who has shown who they are in another way.
#[derive(Message)]
#[rtype(result = "Option<SessionInfo>")]
pub(super) struct OpenSession {
    pub(super) user: WebUser,
    pub(super) key: SessionKey,
    pub(super) token: [u8; 16],
}

#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct CloseSession(pub(super) SessionKey);

/// The users of a file that was read anew. Sessions of those who are gone, or who have
/// another role or another password, end.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct ReplaceUsers(pub(super) WebUsers);

/// The role that the file gives a name.
#[derive(Message)]
#[rtype(result = "Option<WebRole>")]
pub(super) struct GetUserRole(pub(super) String);

#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct AddForecast {
    pub(super) id: String,
    pub(super) what: String,
}

#[derive(Message)]
#[rtype(result = "Result<(), ForecastError>")]
pub(super) struct TakeForecast {
    pub(super) id: String,
    pub(super) what: String,
}

#[derive(Message)]
#[rtype(result = "LoginStats")]
pub(super) struct GetLoginStats;

#[derive(Clone, Copy, Debug, Default, MessageResponse)]
pub(super) struct LoginStats {
    pub(super) sessions: usize,
    pub(super) logins: u64,
    /// Wrong passwords.
    pub(super) failed: u64,
    /// Attempts that came too soon.
    pub(super) slowed: u64,
}

impl SessionKeeper {
    pub(super) fn new(users: WebUsers, limits: SessionLimits) -> Self {
        Self {
            users,
            sessions: SessionTable::new(limits),
            throttle: LoginThrottle::default(),
            forecasts: ForecastTable::default(),
            stats: LoginStats::default(),
        }
    }

    fn open(&mut self, key: SessionKey, token: [u8; 16], user: WebUser) -> Option<SessionInfo> {
        self.stats.logins += 1;
        self.sessions.open(key, token, user, Instant::now());
        self.session(key, true)
    }

    fn session(&mut self, key: SessionKey, is_use: bool) -> Option<SessionInfo> {
        let now = Instant::now();
        let limits = *self.sessions.limits();
        let session =
            if is_use { self.sessions.used(key, now) } else { self.sessions.seen(key, now) };
        session.map(|session| SessionInfo {
            user: session.user.clone(),
            token: session.token().to_owned(),
            left: session.ends(&limits).saturating_duration_since(now),
            idle: limits.idle,
        })
    }
}

impl Actor for SessionKeeper {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Context<Self>) {
        context.run_interval(SWEEP, |keeper, _| keeper.sessions.expire(Instant::now()));
    }
}

impl Handler<GetSession> for SessionKeeper {
    type Result = Option<SessionInfo>;

    fn handle(
        &mut self,
        GetSession { key, is_use }: GetSession,
        _: &mut Context<Self>,
    ) -> Self::Result {
        self.session(key, is_use)
    }
}

impl Handler<BeginLogin> for SessionKeeper {
    type Result = Result<Option<String>, Duration>;

    fn handle(
        &mut self,
        BeginLogin { name, address }: BeginLogin,
        _: &mut Context<Self>,
    ) -> Self::Result {
        let begun = self.throttle.begin(&name, address, Instant::now());
        begun.inspect_err(|_| self.stats.slowed += 1)?;
        Ok(self.users.0.get(&name).and_then(|user| user.hash.clone()))
    }
}

impl Handler<LoginFailed> for SessionKeeper {
    type Result = ();

    fn handle(&mut self, _: LoginFailed, _: &mut Context<Self>) {
        self.stats.failed += 1;
    }
}

impl Handler<LoginPassed> for SessionKeeper {
    type Result = Option<SessionInfo>;

    fn handle(&mut self, passed: LoginPassed, _: &mut Context<Self>) -> Self::Result {
        let LoginPassed { name, address, key, token } = passed;
        self.throttle.passed(&name, address);
        let role = self.users.role(&name)?;
        self.open(key, token, WebUser { name, role, via: LoginMethod::Password })
    }
}

impl Handler<OpenSession> for SessionKeeper {
    type Result = Option<SessionInfo>;

    fn handle(&mut self, open: OpenSession, _: &mut Context<Self>) -> Self::Result {
        self.open(open.key, open.token, open.user)
    }
}

impl Handler<CloseSession> for SessionKeeper {
    type Result = ();

    fn handle(&mut self, CloseSession(key): CloseSession, _: &mut Context<Self>) {
        self.sessions.close(key);
    }
}

impl Handler<ReplaceUsers> for SessionKeeper {
    type Result = ();

    fn handle(&mut self, ReplaceUsers(users): ReplaceUsers, _: &mut Context<Self>) {
        let before = std::mem::replace(&mut self.users, users);
        let users = &self.users;
        self.sessions.keep_users(|user| match user.via {
            LoginMethod::Password => users.0.get(&user.name) == before.0.get(&user.name),
            LoginMethod::Certificate | LoginMethod::Proxy => {
                users.role(&user.name) == before.role(&user.name)
            }
        });
    }
}

impl Handler<GetUserRole> for SessionKeeper {
    type Result = Option<WebRole>;

    fn handle(&mut self, GetUserRole(name): GetUserRole, _: &mut Context<Self>) -> Self::Result {
        self.users.role(&name)
    }
}

impl Handler<AddForecast> for SessionKeeper {
    type Result = ();

    fn handle(&mut self, AddForecast { id, what }: AddForecast, _: &mut Context<Self>) {
        self.forecasts.add(id, what, Instant::now());
    }
}

impl Handler<TakeForecast> for SessionKeeper {
    type Result = Result<(), ForecastError>;

    fn handle(
        &mut self,
        TakeForecast { id, what }: TakeForecast,
        _: &mut Context<Self>,
    ) -> Self::Result {
        self.forecasts.take(&id, &what, Instant::now())
    }
}

impl Handler<GetLoginStats> for SessionKeeper {
    type Result = LoginStats;

    fn handle(&mut self, _: GetLoginStats, _: &mut Context<Self>) -> LoginStats {
        LoginStats { sessions: self.sessions.len(), ..self.stats }
    }
}
