//! Who is logged in, until when. There is room for a bounded number of sessions; one
//! ends when it was not used for long, when it has lasted for long, or when it is ended.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use super::access::WebRole;
use super::forgery::is_same_secret;

/// How somebody has shown who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginMethod {
    Password,
    /// By a certificate that the TLS handshake has verified.
    Certificate,
    /// By a header of a proxy that is trusted.
    Proxy,
}

impl LoginMethod {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Certificate => "certificate",
            Self::Proxy => "proxy",
        }
    }
}

/// A user of the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebUser {
    pub name: String,
    pub role: WebRole,
    pub via: LoginMethod,
}

/// The secret in the cookie. It is not printed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SessionKey([u8; 32]);

impl SessionKey {
    /// Of random bytes.
    #[must_use]
    pub fn new(random: [u8; 32]) -> Self {
        Self(random)
    }

    /// As the cookie has it: 64 hexadecimal digits.
    #[must_use]
    pub fn to_cookie(self) -> String {
        hexadecimal(&self.0)
    }

    /// `None`: the text is no key.
    #[must_use]
    pub fn of_cookie(text: &str) -> Option<Self> {
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        let mut key = [0; 32];
        for (byte, digits) in key.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digits = std::str::from_utf8(digits).ok()?;
            let is_plain = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
            *byte = u8::from_str_radix(digits, 16).ok().filter(|_| is_plain)?;
        }
        Some(Self(key))
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKey(…)")
    }
}

/// Bytes as hexadecimal digits.
#[must_use]
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Bounds of sessions.
#[derive(Clone, Copy, Debug)]
pub struct SessionLimits {
    /// One that is not used for so long ends.
    pub idle: Duration,
    /// One that has lasted for so long ends.
    pub whole: Duration,
    pub most: usize,
    /// Of one user.
    pub most_of_user: usize,
}

#[derive(Clone, Debug)]
pub struct WebSession {
    pub user: WebUser,
    /// What each POST has to name.
    token: String,
    begun: Instant,
    used: Instant,
}

impl WebSession {
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    #[must_use]
    pub fn is_token(&self, text: &str) -> bool {
        is_same_secret(self.token.as_bytes(), text.as_bytes())
    }

    /// When it ends at the latest.
    #[must_use]
    pub fn ends(&self, limits: &SessionLimits) -> Instant {
        self.begun + limits.whole
    }

    fn is_over(&self, limits: &SessionLimits, now: Instant) -> bool {
        now >= self.begun + limits.whole || now >= self.used + limits.idle
    }
}

/// All sessions.
#[derive(Debug)]
pub struct SessionTable {
    limits: SessionLimits,
    sessions: BTreeMap<SessionKey, WebSession>,
}

impl SessionTable {
    #[must_use]
    pub fn new(limits: SessionLimits) -> Self {
        Self { limits, sessions: BTreeMap::new() }
    }

    #[must_use]
    pub fn limits(&self) -> &SessionLimits {
        &self.limits
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.sessions.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }

    /// Begins a session. Where there is no room, that which was not used for the longest
    /// time ends: the user's own, if they have as many as one may.
    pub fn open(&mut self, key: SessionKey, token: [u8; 16], user: WebUser, now: Instant) {
        self.expire(now);
        let own = |session: &WebSession| session.user.name == user.name;
        while self.sessions.values().filter(|session| own(session)).count()
            >= self.limits.most_of_user.max(1)
        {
            self.end_longest_unused(own);
        }
        while self.sessions.len() >= self.limits.most.max(1) {
            self.end_longest_unused(|_| true);
        }
        let token = hexadecimal(&token);
        self.sessions.insert(key, WebSession { user, token, begun: now, used: now });
    }

    fn end_longest_unused(&mut self, of: impl Fn(&WebSession) -> bool) {
        let candidates = self.sessions.iter().filter(|(_, session)| of(session));
        let oldest = candidates.min_by_key(|(_, session)| session.used).map(|(key, _)| *key);
        if let Some(key) = oldest {
            self.sessions.remove(&key);
        }
    }

    /// The session of a request, which counts as a use of it.
    pub fn used(&mut self, key: SessionKey, now: Instant) -> Option<&WebSession> {
        self.expire_one(key, now);
        let session = self.sessions.get_mut(&key)?;
        session.used = now;
        Some(session)
    }

    /// The session, without a use of it.
    pub fn seen(&mut self, key: SessionKey, now: Instant) -> Option<&WebSession> {
        self.expire_one(key, now);
        self.sessions.get(&key)
    }

    fn expire_one(&mut self, key: SessionKey, now: Instant) {
        if self.sessions.get(&key).is_some_and(|session| session.is_over(&self.limits, now)) {
            self.sessions.remove(&key);
        }
    }

    /// Ends a session; whether there was one.
    pub fn close(&mut self, key: SessionKey) -> bool {
        self.sessions.remove(&key).is_some()
    }

    /// Ends those that are over.
    pub fn expire(&mut self, now: Instant) {
        let limits = self.limits;
        self.sessions.retain(|_, session| !session.is_over(&limits, now));
    }

    /// Ends those whose user is no longer as they were.
    pub fn keep_users(&mut self, is_kept: impl Fn(&WebUser) -> bool) {
        self.sessions.retain(|_, session| is_kept(&session.user));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: SessionLimits = SessionLimits {
        idle: Duration::from_secs(60),
        whole: Duration::from_secs(300),
        most: 4,
        most_of_user: 2,
    };

    fn user(name: &str) -> WebUser {
        WebUser { name: name.into(), role: WebRole::Viewer, via: LoginMethod::Password }
    }

    fn key(number: u8) -> SessionKey {
        SessionKey::new([number; 32])
    }

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn a_session_ends_unused_and_at_last_in_any_case() {
        let begun = Instant::now();
        let mut table = SessionTable::new(LIMITS);
        table.open(key(1), [0; 16], user("ann"), begun);
        assert!(table.used(key(1), begun + seconds(59)).is_some());
        assert!(table.seen(key(1), begun + seconds(118)).is_some(), "used at 59");
        assert!(table.used(key(1), begun + seconds(119)).is_none(), "a look is no use");
        table.open(key(2), [0; 16], user("ann"), begun);
        for at in (0..300).step_by(50) {
            let session = table.used(key(2), begun + seconds(at)).unwrap();
            assert_eq!(session.ends(&LIMITS), begun + seconds(300));
        }
        assert!(table.used(key(2), begun + seconds(300)).is_none());
        assert!(table.is_empty());
    }

    #[test]
    fn sessions_are_bounded_and_a_user_crowds_out_their_own_first() {
        let now = Instant::now();
        let mut table = SessionTable::new(LIMITS);
        table.open(key(1), [0; 16], user("ann"), now);
        table.open(key(2), [0; 16], user("ann"), now + seconds(1));
        table.used(key(1), now + seconds(2));
        table.open(key(3), [0; 16], user("ann"), now + seconds(3));
        assert!(table.seen(key(2), now + seconds(3)).is_none());
        assert!(table.seen(key(1), now + seconds(3)).is_some());
        table.open(key(4), [0; 16], user("bob"), now + seconds(4));
        table.open(key(5), [0; 16], user("eve"), now + seconds(5));
        table.open(key(6), [0; 16], user("joe"), now + seconds(6));
        assert_eq!(table.len(), 4);
        assert!(table.seen(key(1), now + seconds(6)).is_none(), "not used for the longest time");
        assert!(table.close(key(6)) && !table.close(key(6)));
        table.keep_users(|user| user.name == "bob");
        assert_eq!(table.len(), 1);
        table.expire(now + seconds(64));
        assert!(table.is_empty());
    }

    #[test]
    fn a_key_is_read_from_its_cookie_and_never_printed() {
        let key = SessionKey::new(std::array::from_fn(|index| u8::try_from(index * 7).unwrap()));
        let cookie = key.to_cookie();
        assert_eq!(SessionKey::of_cookie(&cookie), Some(key));
        assert_eq!(format!("{key:?}"), "SessionKey(…)");
        let plus = cookie.replacen("00", "+1", 1);
        for text in ["", "00", &cookie[..63], &format!("{cookie}0"), &plus, &"é".repeat(32)] {
            assert_eq!(SessionKey::of_cookie(text), None, "{text}");
        }
    }

    #[test]
    fn a_token_is_the_session_s_own() {
        let mut table = SessionTable::new(LIMITS);
        let now = Instant::now();
        table.open(key(1), [0xab; 16], user("ann"), now);
        let session = table.seen(key(1), now).unwrap();
        assert!(session.is_token(&"ab".repeat(16)) && !session.is_token(""));
        assert!(!session.is_token(&"ab".repeat(15)));
    }
}
