//! Whom the daemon takes a client for, and which role follows.
//!
//! A client may prove several things at once. The first of these kinds that names somebody
//! decides, and the listener's role counts only if none does:
//!
//! 1. the token: it was chosen for this call;
//! 2. a name of the certificate;
//! 3. the user at the other end of a Unix socket;
//! 4. one of that user's groups.
//!
//! Where several identities are named in one kind, such as two groups, the least role
//! holds: what takes a right away is not undone by another group.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use thiserror::Error;

use super::credential::{CertificateName, TokenDigest};
use super::role::Role;
use crate::domain::names::IdentityName;

/// Everybody who is named, by the operator's name for them. Nobody is named twice by the
/// same name of a certificate, user, group or token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    pub identities: BTreeMap<IdentityName, RightsEntry>,
}

/// Who has a role, and by what they are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RightsEntry {
    pub role: Role,
    pub certificates: BTreeSet<CertificateName>,
    /// Numbers of users.
    pub users: BTreeSet<u32>,
    /// Numbers of groups.
    pub groups: BTreeSet<u32>,
    pub tokens: Vec<TokenDigest>,
}

/// What a client has proved. What it has not is empty.
#[derive(Clone, Copy, Debug, Default)]
pub struct Credentials<'a> {
    /// The role that the listener gives to whom nothing names.
    pub listener: Role,
    /// The names in its certificate, which an authority stands for.
    pub certificate: &'a [CertificateName],
    pub user: Option<u32>,
    pub groups: &'a [u32],
    pub token: Option<&'a TokenDigest>,
}

/// The role of a client, and why it has that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub role: Role,
    /// Whom the client was taken for; `None`: nothing names it.
    pub identity: Option<IdentityName>,
    pub reason: GrantReason,
}

/// What decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GrantReason {
    Listener,
    Token,
    Certificate(CertificateName),
    User(u32),
    Group(u32),
}

/// A token that no identity has is a mistake, or was taken back: whoever shows it gets
/// nothing, not the role of the listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the token is of nobody in the rights file")]
pub struct UnknownToken;

impl Rights {
    /// # Errors
    /// [`UnknownToken`]
    pub fn grant(&self, shown: Credentials<'_>) -> Result<Grant, UnknownToken> {
        if let Some(token) = shown.token {
            return self.of_token(token).ok_or(UnknownToken);
        }
        let names = shown.certificate.iter();
        let of_names = names.flat_map(|name| {
            let has = move |identity: &RightsEntry| identity.certificates.contains(name);
            self.named(has, GrantReason::Certificate(name.clone()))
        });
        let of_user = || {
            let user = shown.user?;
            least(self.named(|it| it.users.contains(&user), GrantReason::User(user)))
        };
        let of_groups = || {
            let groups = shown.groups.iter().copied();
            least(groups.flat_map(|group| {
                self.named(move |it| it.groups.contains(&group), GrantReason::Group(group))
            }))
        };
        let named = least(of_names).or_else(of_user).or_else(of_groups);
        Ok(named.unwrap_or(Grant {
            role: shown.listener,
            identity: None,
            reason: GrantReason::Listener,
        }))
    }

    /// Every token is compared, whichever it is.
    fn of_token(&self, shown: &TokenDigest) -> Option<Grant> {
        let is_its = |identity: &RightsEntry| {
            identity.tokens.iter().fold(false, |found, token| (token == shown) | found)
        };
        least(self.named(is_its, GrantReason::Token))
    }

    fn named(
        &self,
        has: impl Fn(&RightsEntry) -> bool,
        reason: GrantReason,
    ) -> impl Iterator<Item = Grant> {
        let named = self.identities.iter().filter(move |(_, identity)| has(identity));
        named.map(move |(name, identity)| Grant {
            role: identity.role,
            identity: Some(name.clone()),
            reason: reason.clone(),
        })
    }
}

/// The grant of the least role; the first by name of several.
fn least(grants: impl Iterator<Item = Grant>) -> Option<Grant> {
    grants.min_by(|one, other| (one.role, &one.identity).cmp(&(other.role, &other.identity)))
}

/// For people: `user 1000`.
impl fmt::Display for GrantReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listener => f.write_str("listener"),
            Self::Token => f.write_str("token"),
            Self::Certificate(name) => write!(f, "certificate {name}"),
            Self::User(user) => write!(f, "user {user}"),
            Self::Group(group) => write!(f, "group {group}"),
        }
    }
}

#[cfg(test)]
mod tests;
