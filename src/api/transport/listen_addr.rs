//! Addresses to listen on, and who is let in as what there, as the operator writes them.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use thiserror::Error;

use crate::domain::rights::Role;

/// `host:port`, `:port` for all addresses of the machine, or `unix:/path`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenAddr {
    /// Resolved when it is bound.
    Tcp(String),
    Unix(PathBuf),
}

#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("\"{0}\" is no address to listen on: write host:port, :port or unix:/path")]
pub struct ListenAddrError(String);

impl FromStr for ListenAddr {
    type Err = ListenAddrError;

    fn from_str(text: &str) -> Result<Self, ListenAddrError> {
        let wrong = || ListenAddrError(text.into());
        if let Some(path) = text.strip_prefix("unix:") {
            return if path.starts_with('/') { Ok(Self::Unix(path.into())) } else { Err(wrong()) };
        }
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        port.parse::<u16>().map_err(|_| wrong())?;
        let bare_ipv6 = host.contains(':') && !host.starts_with('[');
        if bare_ipv6 { Err(wrong()) } else { Ok(Self::Tcp(text.into())) }
    }
}

impl fmt::Display for ListenAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => f.write_str(address),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// An address, and the role of those whom nothing in the rights file names:
/// `127.0.0.1:9090,role=viewer`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenerSpec {
    pub address: ListenAddr,
    /// `None`: it is not given, which means an operator's.
    pub role: Option<Role>,
}

/// Several, separated by commas; a role is of the address before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenerList(pub Vec<ListenerSpec>);

#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ListenerListError {
    #[error(transparent)]
    Address(#[from] ListenAddrError),
    #[error("role={given} is not known: write role= and one of {}", Role::WORDS.join(", "))]
    BadRole { given: String },
    #[error("role={given} has no address before it: write ADDRESS,role={given}")]
    NoAddress { given: String },
    #[error("{address} is given two roles: write one")]
    TwoRoles { address: ListenAddr },
}

impl FromStr for ListenerList {
    type Err = ListenerListError;

    fn from_str(text: &str) -> Result<Self, ListenerListError> {
        let mut listeners: Vec<ListenerSpec> = Vec::new();
        for part in text.split(',') {
            let Some(word) = part.strip_prefix("role=") else {
                listeners.push(ListenerSpec { address: part.parse()?, role: None });
                continue;
            };
            let given = || word.to_owned();
            let role = Role::from_word(word)
                .ok_or_else(|| ListenerListError::BadRole { given: given() })?;
            let last = listeners.last_mut();
            let last = last.ok_or_else(|| ListenerListError::NoAddress { given: given() })?;
            if last.role.replace(role).is_some() {
                return Err(ListenerListError::TwoRoles { address: last.address.clone() });
            }
        }
        Ok(Self(listeners))
    }
}

impl ListenerSpec {
    /// The role of those whom nothing names.
    #[must_use]
    pub fn default_role(&self) -> Role {
        self.role.unwrap_or(Role::Operator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_to_listen_on() {
        let parse = |text: &str| text.parse::<ListenAddr>().map(|address| address.to_string());
        for (text, expected) in [
            ("127.0.0.1:9090", "127.0.0.1:9090"),
            (":9090", ":9090"),
            ("[::1]:0", "[::1]:0"),
            ("localhost:1", "localhost:1"),
            ("unix:/run/vpp-maglev/grpc.sock", "unix:/run/vpp-maglev/grpc.sock"),
        ] {
            assert_eq!(parse(text).unwrap(), expected);
        }
        for wrong in ["", "9090", "host:", "host:65536", "::1:80", "unix:relative"] {
            assert_eq!(parse(wrong), Err(ListenAddrError(wrong.into())));
        }
    }

    #[test]
    fn a_role_is_of_the_address_before_it() {
        let parse = |text: &str| {
            let ListenerList(listeners) = text.parse()?;
            let shown = listeners.iter().map(|it| format!("{} {:?}", it.address, it.role));
            Ok::<_, ListenerListError>(shown.collect::<Vec<_>>().join("; "))
        };
        for (text, expected) in [
            ("127.0.0.1:9090", "127.0.0.1:9090 None"),
            ("127.0.0.1:9090,unix:/run/m.sock", "127.0.0.1:9090 None; unix:/run/m.sock None"),
            (
                "unix:/run/m.sock,role=operator,127.0.0.1:9090,role=viewer",
                "unix:/run/m.sock Some(Operator); 127.0.0.1:9090 Some(Viewer)",
            ),
            (":1,role=none,:2", ":1 Some(Nobody); :2 None"),
        ] {
            assert_eq!(parse(text).unwrap(), expected);
        }
        for (wrong, part) in [
            ("", "is no address"),
            ("role=viewer", "has no address before it: write ADDRESS,role=viewer"),
            (":1,role=admin", "write role= and one of none, viewer, operator"),
            (":1,role=viewer,role=viewer", ":1 is given two roles"),
            (":1,rolle=viewer", "\"rolle=viewer\" is no address"),
        ] {
            let error = parse(wrong).unwrap_err().to_string();
            assert!(error.contains(part), "{wrong}: {error}");
        }
        let default = ":1".parse::<ListenerList>().unwrap().0[0].default_role();
        assert_eq!(default, Role::Operator, "as before there were roles");
    }
}
