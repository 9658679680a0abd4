//! What single options are made of.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use axum::http::HeaderName;
use thiserror::Error;

use crate::client::address::{DaemonAddress, DaemonAddressError};
use crate::domain::web::access::{WebRole, WebRoleError};

/// A daemon, and what it is called on the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedServer {
    pub name: String,
    pub address: DaemonAddress,
}

/// The text names no daemon.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum NamedServerError {
    #[error(transparent)]
    Address(#[from] DaemonAddressError),
    #[error("a name has 1 to 64 letters, digits, dots, dashes and underscores")]
    Name,
}

impl FromStr for NamedServer {
    type Err = NamedServerError;

    fn from_str(text: &str) -> Result<Self, NamedServerError> {
        let Some((name, address)) = text.split_once('=') else {
            return Ok(Self { name: text.to_owned(), address: text.parse()? });
        };
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if name.is_empty() || name.len() > 64 || !name.chars().all(is_plain) {
            return Err(NamedServerError::Name);
        }
        Ok(Self { name: name.to_owned(), address: address.parse()? })
    }
}

/// A path in front of all paths of the page: empty, or `/a/b`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BasePath(String);

/// The text is no path.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("write a path such as /maglev, of letters, digits, dots, dashes and underscores")]
pub struct BasePathError;

impl FromStr for BasePath {
    type Err = BasePathError;

    fn from_str(text: &str) -> Result<Self, BasePathError> {
        let text = text.trim_end_matches('/');
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let is_part = |part: &str| {
            !part.is_empty() && part.chars().all(is_plain) && !part.chars().all(|c| c == '.')
        };
        let mut parts = text.split('/');
        if parts.next() == Some("") && parts.all(is_part) {
            return Ok(Self(text.to_owned()));
        }
        Err(BasePathError)
    }
}

impl fmt::Display for BasePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl BasePath {
    /// What is behind it in `path`, from its slash on; `None`: the path is elsewhere, or
    /// the base without the slash at its end.
    #[must_use]
    pub fn behind<'a>(&self, path: &'a str) -> Option<&'a str> {
        path.strip_prefix(&self.0).filter(|rest| rest.starts_with('/'))
    }

    /// Where the cookie holds.
    #[must_use]
    pub fn cookie_path(&self) -> &str {
        if self.0.is_empty() { "/" } else { &self.0 }
    }
}

/// A span such as `90s`, `30m` or `12h`, at least a second.
pub(super) fn span(word: &str) -> Result<Duration, String> {
    let span = word.len().checked_sub(1).and_then(|end| {
        let (number, unit) = word.split_at_checked(end)?;
        let seconds = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 86_400,
            _ => return None,
        };
        number.parse::<u32>().ok().map(|number| Duration::from_secs(seconds * u64::from(number)))
    });
    let span = span.filter(|span| !span.is_zero());
    span.ok_or_else(|| "write a number with s, m, h or d, such as 30m".into())
}

/// The role of those who are in no file; `None`: none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DefaultRole(pub Option<WebRole>);

impl FromStr for DefaultRole {
    type Err = WebRoleError;

    fn from_str(word: &str) -> Result<Self, WebRoleError> {
        if word == "none" { Ok(Self(None)) } else { word.parse().map(|role| Self(Some(role))) }
    }
}

/// The name of a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderWord(pub HeaderName);

/// The text is no name of a header.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("a header's name has letters, digits and dashes, such as X-Remote-User")]
pub struct HeaderWordError;

impl FromStr for HeaderWord {
    type Err = HeaderWordError;

    fn from_str(word: &str) -> Result<Self, HeaderWordError> {
        word.parse().map(Self).map_err(|_| HeaderWordError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn daemons_have_names_if_they_are_given() {
        let server: NamedServer = "lb-1.a=192.0.2.1:9090".parse().unwrap();
        assert_eq!(
            (server.name.as_str(), server.address.to_string().as_str()),
            ("lb-1.a", "192.0.2.1:9090")
        );
        let server: NamedServer = "unix:/run/m.sock".parse().unwrap();
        assert_eq!(server.name, "unix:/run/m.sock");
        for text in ["=192.0.2.1:1", "a b=192.0.2.1:1", "a/b=192.0.2.1:1"] {
            assert_eq!(text.parse::<NamedServer>(), Err(NamedServerError::Name), "{text}");
        }
        let long = format!("{}=192.0.2.1:1", "x".repeat(65));
        assert_eq!(long.parse::<NamedServer>(), Err(NamedServerError::Name));
        assert!("a=nowhere".parse::<NamedServer>().is_err());
    }

    #[test]
    fn spans_have_a_unit() {
        for (word, seconds) in [("1s", 1), ("30m", 1800), ("12h", 43_200), ("2d", 172_800)] {
            assert_eq!(span(word), Ok(Duration::from_secs(seconds)));
        }
        for word in ["", "h", "0s", "1", "1w", "-1h", "1.5h", "1é"] {
            assert!(span(word).is_err(), "{word}");
        }
    }

    #[test]
    fn a_base_path_is_in_front_of_every_path() {
        let base: BasePath = "/a/b/".parse().unwrap();
        assert_eq!(base.behind("/a/b/api/state"), Some("/api/state"));
        assert_eq!(base.behind("/a/b/"), Some("/"));
        for path in ["/a/b", "/a/bc/", "/", "/x/a/b/"] {
            assert_eq!(base.behind(path), None, "{path}");
        }
        assert_eq!((base.cookie_path(), BasePath::default().cookie_path()), ("/a/b", "/"));
        assert_eq!("".parse::<BasePath>(), Ok(BasePath::default()));
        assert_eq!("/".parse::<BasePath>(), Ok(BasePath::default()));
        for text in ["a", "/a b", "/a//b", "/..", "/a/./b", "/é"] {
            assert_eq!(text.parse::<BasePath>(), Err(BasePathError), "{text}");
        }
    }
}
