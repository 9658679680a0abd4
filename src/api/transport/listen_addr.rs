//! Addresses to listen on, as the operator writes them.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use thiserror::Error;

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
}
