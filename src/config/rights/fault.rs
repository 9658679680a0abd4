//! The rules that a rights file can break, with messages that say what to do.

use thiserror::Error;

use crate::domain::names::IdentityName;
use crate::domain::rights::{CertificateNameError, Role, TokenDigestError};

/// Looks up users and groups of this machine.
pub trait AccountNames {
    /// The number of the user with this name.
    fn user(&self, name: &str) -> Option<u32>;
    /// The number of the group with this name.
    fn group(&self, name: &str) -> Option<u32>;
}

#[derive(Clone, Debug, PartialEq, Error)]
#[error("{path}: {problem}")]
pub struct RightsFault {
    /// `rights.alice.users[1]`
    pub path: String,
    pub problem: RightsProblem,
}

#[derive(Clone, Debug, PartialEq, Error)]
pub enum RightsProblem {
    #[error(
        "is not a usable name: give 1 to 128 printable characters, \
         without spaces, slashes, backslashes or quotes"
    )]
    BadName,
    #[error("is missing: give {}", Role::WORDS.join(", "))]
    NoRole,
    #[error("{given:?} is no role: give {}", Role::WORDS.join(", "))]
    BadRole { given: String },
    #[error(
        "names nobody: give certificates, users, groups or tokens that it is known by, \
         or remove it"
    )]
    NamesNobody,
    #[error("{given:?} is no name of a certificate: {error}")]
    BadCertificate { given: String, error: CertificateNameError },
    #[error("there is no user {given:?} in /etc/passwd: add it, or give a user's number")]
    NoUser { given: String },
    #[error("there is no group {given:?} in /etc/group: add it, or give a group's number")]
    NoGroup { given: String },
    /// Without what was given, which may be a token.
    #[error("is no digest of a token: {0}")]
    BadToken(TokenDigestError),
    #[error("is given for rights.{other} as well: remove it from one of the two")]
    GivenTwice { other: IdentityName },
}
