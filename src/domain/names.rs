//! Names that operators give to things: cheap to copy, impossible to mix up.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

/// Whether `name` can name a thing: it can be typed as one word at a prompt,
/// stands in logs and metrics as it is, and cannot play tricks on a terminal.
#[must_use]
pub fn is_usable(name: &str) -> bool {
    // What Rust escapes in a string's Debug form is exactly what is meant:
    // control, invisible and combining characters, quotes and the backslash.
    let usable = |c: char| !c.is_whitespace() && c != '/' && c.escape_debug().len() == 1;
    (1..=128).contains(&name.chars().count()) && name.chars().all(usable)
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(Arc<str>);

        impl $type {
            /// The name as it stands in the configuration.
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
