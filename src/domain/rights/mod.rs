//! Who may do what: the roles, the role that each method needs, and whom the
//! daemon takes a client for.

mod credential;
mod grant;
mod method;
mod role;

pub use credential::{CertificateName, CertificateNameError, TokenDigest, TokenDigestError};
pub use grant::{Credentials, Grant, GrantReason, Rights, RightsEntry, UnknownToken};
pub use method::{METHODS, Requirement, method, requirement};
pub use role::Role;
