//! Who calls: the client of the connection, and whom the daemon takes it for.

use std::fmt;
use std::sync::Arc;

use tonic::Request;
use tonic::codegen::http::{Extensions, HeaderMap};

use crate::api::transport::peer::{ClientPeer, IdentifiedClient};
use crate::domain::rights::{Credentials, Grant, Rights, Role, TokenDigest, UnknownToken};

/// An extension of every request that is served.
#[derive(Clone, Debug)]
pub(in crate::api) struct Caller {
    pub(super) client: IdentifiedClient,
    pub(super) grant: Grant,
    pub(super) token: Option<TokenDigest>,
    /// For whom it says that it asks. Nothing depends on it but what is recorded.
    pub(super) on_behalf_of: Option<Arc<str>>,
}

/// Characters of the name in [`ON_BEHALF_OF`], at most.
const LONGEST_NAME: usize = 64;
/// For whom a program asks that asks for others, such as a web server for its users.
const ON_BEHALF_OF: &str = "x-maglev-on-behalf-of";

/// Takes the name out of a request that it is in. What is no name counts for nothing.
pub(super) fn take_on_behalf_of(headers: &mut HeaderMap) -> Option<Arc<str>> {
    let value = headers.remove(ON_BEHALF_OF)?;
    let name = value.to_str().ok()?;
    let is_name = (1..=LONGEST_NAME).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_graphic());
    is_name.then(|| name.into())
}

impl Caller {
    /// # Errors
    /// The token is of nobody.
    pub(super) fn identify(
        client: &IdentifiedClient,
        token: Option<&TokenDigest>,
        rights: &Rights,
    ) -> Result<Self, UnknownToken> {
        let user = match client.peer {
            ClientPeer::Unix { uid, .. } => Some(uid),
            ClientPeer::Tcp(_) | ClientPeer::Unknown => None,
        };
        // Whom the kernel does not name may be somebody whose role is less.
        let is_unknown = client.peer == ClientPeer::Unknown;
        let listener = if is_unknown { Role::Nobody } else { client.entrance.role };
        let certificate = client.certificate.as_ref().map_or(&[][..], |it| &it.names);
        let groups = &client.groups;
        let shown = Credentials { listener, certificate, user, groups, token };
        let grant = rights.grant(shown)?;
        Ok(Self { client: client.clone(), grant, token: token.cloned(), on_behalf_of: None })
    }

    /// Whether it would have this role under other rights.
    pub(super) fn would_have(&self, role: Role, rights: &Rights) -> bool {
        let now = Self::identify(&self.client, self.token.as_ref(), rights);
        now.is_ok_and(|now| now.grant.role >= role)
    }

    pub(super) fn of(extensions: &Extensions) -> Option<&Self> {
        extensions.get()
    }

    /// All that it has proved, as the rights file would have it.
    pub(super) fn proved(&self) -> Vec<String> {
        let token = self.token.is_some().then(|| "token".to_owned());
        let names = self.client.certificate.iter().flat_map(|certificate| &certificate.names);
        let user = match self.client.peer {
            ClientPeer::Unix { uid, .. } => Some(format!("user {uid}")),
            ClientPeer::Tcp(_) | ClientPeer::Unknown => None,
        };
        let groups = self.client.groups.iter().map(|group| format!("group {group}"));
        let names = names.map(ToString::to_string);
        token.into_iter().chain(names).chain(user).chain(groups).collect()
    }
}

/// Who asks, by the connection and what was shown: "alice 192.0.2.1:4711".
pub(super) fn who<T>(request: &Request<T>) -> String {
    Caller::of(request.extensions())
        .map_or_else(|| ClientPeer::Unknown.to_string(), ToString::to_string)
}

/// The name in the rights file, or else in the certificate, and the other end.
impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = || self.client.certificate.as_ref()?.shown.as_ref().map(Arc::as_ref);
        if let Some(name) = self.grant.identity.as_ref().map(|name| name.as_str()).or_else(shown) {
            write!(f, "{name} ")?;
        }
        self.client.peer.fmt(f)?;
        self.on_behalf_of.as_ref().map_or(Ok(()), |name| write!(f, " for {name}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_name_is_taken_for_one() {
        let take = |name: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(ON_BEHALF_OF, name.parse().unwrap());
            let taken = take_on_behalf_of(&mut headers);
            assert!(headers.is_empty(), "it goes no further");
            taken.map(|name| name.to_string())
        };
        assert_eq!(take("ann").as_deref(), Some("ann"));
        for text in ["", "ann 192.0.2.1:1", &"x".repeat(65)] {
            assert_eq!(take(text), None, "{text}");
        }
        assert_eq!(take_on_behalf_of(&mut HeaderMap::new()), None);
    }
}
