//! The names of backends, frontends, pools, health checks and identities: a type for
//! each, so that they cannot be mixed up, and cheap to clone.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

/// Whether `name` is accepted as a name: it is one word on a command line, is
/// written to logs and metrics unchanged, and contains nothing that a terminal
/// would interpret.
#[must_use]
pub fn is_usable(name: &str) -> bool {
    // `escape_debug` escapes exactly these: control, invisible and combining
    // characters, quotes and the backslash.
    let usable = |c: char| !c.is_whitespace() && c != '/' && c.escape_debug().len() == 1;
    (1..=128).contains(&name.chars().count()) && name.chars().all(usable)
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(Arc<str>);

        impl $type {
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $type {
            fn from(name: &str) -> Self {
                Self(name.into())
            }
        }

        impl Borrow<str> for $type {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
    };
}

name!(
    /// A server that is probed: a key of `backends`.
    BackendName
);
name!(
    /// A service with a VIP: a key of `frontends`.
    FrontendName
);
name!(
    /// One of a frontend's ordered groups of backends.
    PoolName
);
name!(
    /// A key of `healthchecks`.
    CheckName
);
name!(
    /// Somebody who may use the daemon: a key of `rights`.
    IdentityName
);
