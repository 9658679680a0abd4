//! Who may look and who may operate.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// What a user of the page may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WebRole {
    /// Look.
    Viewer,
    /// Look and operate.
    Operator,
}

impl WebRole {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
        }
    }
}

impl fmt::Display for WebRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The word is no role.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("\"{0}\" is no role: write viewer or operator")]
pub struct WebRoleError(String);

impl FromStr for WebRole {
    type Err = WebRoleError;

    fn from_str(word: &str) -> Result<Self, WebRoleError> {
        match word {
            "viewer" => Ok(Self::Viewer),
            "operator" => Ok(Self::Operator),
            word => Err(WebRoleError(word.to_owned())),
        }
    }
}

/// Whether one has to log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginMode {
    /// Nobody can: everybody may look, and nobody operate.
    None,
    /// Only to operate.
    Optional,
    Required,
}

impl LoginMode {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Optional => "optional",
            Self::Required => "required",
        }
    }
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebPermission {
    Look,
    Operate,
}

/// Why a request is not granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// Nobody is logged in.
    LogIn,
    /// The user may look and not operate.
    ViewerOnly,
    /// No way to log in is configured.
    NobodyOperates,
}

/// Whether a request is granted to whoever is logged in, if anybody is.
///
/// # Errors
/// Why not.
pub fn grant(
    mode: LoginMode,
    user: Option<WebRole>,
    permission: WebPermission,
) -> Result<(), Denied> {
    match (permission, user, mode) {
        (WebPermission::Operate, _, LoginMode::None) => Err(Denied::NobodyOperates),
        (WebPermission::Operate, Some(WebRole::Operator), _)
        | (WebPermission::Look, Some(_), _)
        | (WebPermission::Look, None, LoginMode::None | LoginMode::Optional) => Ok(()),
        (WebPermission::Operate, Some(WebRole::Viewer), _) => Err(Denied::ViewerOnly),
        (_, None, _) => Err(Denied::LogIn),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_operators_operate_and_who_may_look_depends_on_the_mode() {
        use LoginMode::{None as Nowhere, Optional, Required};
        let (viewer, operator) = (Some(WebRole::Viewer), Some(WebRole::Operator));
        let cases = [
            (Nowhere, None, Ok(()), Err(Denied::NobodyOperates)),
            (Nowhere, operator, Ok(()), Err(Denied::NobodyOperates)),
            (Optional, None, Ok(()), Err(Denied::LogIn)),
            (Optional, viewer, Ok(()), Err(Denied::ViewerOnly)),
            (Optional, operator, Ok(()), Ok(())),
            (Required, None, Err(Denied::LogIn), Err(Denied::LogIn)),
            (Required, viewer, Ok(()), Err(Denied::ViewerOnly)),
            (Required, operator, Ok(()), Ok(())),
        ];
        for (mode, user, look, operate) in cases {
            assert_eq!(grant(mode, user, WebPermission::Look), look, "{mode:?} {user:?}");
            assert_eq!(grant(mode, user, WebPermission::Operate), operate, "{mode:?} {user:?}");
        }
    }

    #[test]
    fn a_role_is_read_as_it_is_written() {
        for role in [WebRole::Viewer, WebRole::Operator] {
            assert_eq!(role.to_string().parse(), Ok(role));
        }
        assert!("Operator".parse::<WebRole>().is_err());
    }
}
