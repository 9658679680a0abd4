//! Where a daemon listens.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DaemonAddress {
    /// `host:port`; IPv6 addresses in brackets.
    Tcp {
        /// Name or address.
        host: String,
        /// TCP port, at least 1.
        port: u16,
    },
    /// A Unix socket, written as `unix:/path`.
    Unix {
        /// The path, without `unix:`.
        path: String,
    },
}

/// The text is not the address of a daemon.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("neither host:port, [address]:port nor unix:/path")]
pub struct DaemonAddressError;

impl DaemonAddress {
    /// Whether what is sent there does not leave this machine: a Unix socket, or loopback.
    #[must_use]
    pub fn is_of_this_machine(&self) -> bool {
        match self {
            Self::Unix { .. } => true,
            Self::Tcp { host, .. } => {
                let bare = host.trim_start_matches('[').trim_end_matches(']');
                let address = bare.parse::<IpAddr>();
                host == "localhost"
                    || address.is_ok_and(|address| address.to_canonical().is_loopback())
            }
        }
    }
}

impl FromStr for DaemonAddress {
    type Err = DaemonAddressError;

    fn from_str(text: &str) -> Result<Self, DaemonAddressError> {
        if let Some(path) = text.strip_prefix("unix:") {
            return match path {
                "" => Err(DaemonAddressError),
                path => Ok(Self::Unix { path: path.to_owned() }),
            };
        }
        let (host, port) = text.rsplit_once(':').ok_or(DaemonAddressError)?;
        let port = port.parse().ok().filter(|port| *port > 0).ok_or(DaemonAddressError)?;
        let bare = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => {
                !host.is_empty() && host.chars().all(|c| c.is_alphanumeric() || "-._".contains(c))
            }
        };
        bare.then(|| Self::Tcp { host: host.to_owned(), port }).ok_or(DaemonAddressError)
    }
}

impl fmt::Display for DaemonAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
            Self::Unix { path } => write!(f, "unix:{path}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_displayed_as_it_was_parsed() {
        for text in
            ["127.0.0.1:9090", "lb-1.example.org:1", "[2001:db8::1]:65535", "unix:/run/m.sock"]
        {
            assert_eq!(text.parse::<DaemonAddress>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_stays_on_this_machine() {
        let stays = |text: &str| text.parse::<DaemonAddress>().unwrap().is_of_this_machine();
        for text in ["unix:/m", "127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "localhost:1"] {
            assert!(stays(text), "{text}");
        }
        for text in ["192.0.2.1:1", "[2001:db8::1]:1", "localhost.example:1", "lb-1:1"] {
            assert!(!stays(text), "{text}");
        }
    }

    #[test]
    fn other_texts_are_rejected() {
        let cases = [
            "",
            "host",
            ":9090",
            "host:",
            "host:0",
            "host:65536",
            "2001:db8::1:90",
            "[x]:1",
            "a:1,b:2",
            "unix:",
            "http://a:1",
        ];
        for text in cases {
            assert_eq!(text.parse::<DaemonAddress>(), Err(DaemonAddressError), "{text}");
        }
    }
}
