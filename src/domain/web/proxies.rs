//! Whose word is taken for who a user is: the proxies that are named, and nobody else's.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use thiserror::Error;

/// Who sends a header that names the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrustedProxy {
    /// Any address of the network.
    Network(IpNet),
    /// Whoever may write to the server's Unix socket.
    UnixSocket,
}

/// The text is no proxy.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("\"{0}\" is no proxy: write an address, a network as 192.0.2.0/24, or unix")]
pub struct TrustedProxyError(String);

impl FromStr for TrustedProxy {
    type Err = TrustedProxyError;

    fn from_str(text: &str) -> Result<Self, TrustedProxyError> {
        if text == "unix" {
            return Ok(Self::UnixSocket);
        }
        let network = text.parse::<IpNet>().ok();
        let network = network.or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
        network.map(Self::Network).ok_or_else(|| TrustedProxyError(text.to_owned()))
    }
}

impl fmt::Display for TrustedProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(network) => network.fmt(f),
            Self::UnixSocket => f.write_str("unix"),
        }
    }
}

/// Whether the peer of a connection is one of the proxies. `address`: `None` on a Unix
/// socket.
#[must_use]
pub fn is_trusted(proxies: &[TrustedProxy], address: Option<IpAddr>) -> bool {
    proxies.iter().any(|proxy| match (proxy, address) {
        (TrustedProxy::UnixSocket, None) => true,
        (TrustedProxy::Network(network), Some(address)) => {
            network.contains(&address.to_canonical())
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_proxies_that_are_named_are_trusted() {
        let proxies: Vec<TrustedProxy> =
            ["192.0.2.1", "2001:db8::/64"].map(|text| text.parse().unwrap()).into();
        let is = |address: &str| is_trusted(&proxies, Some(address.parse().unwrap()));
        assert!(is("192.0.2.1") && is("2001:db8::7") && is("::ffff:192.0.2.1"));
        assert!(!is("192.0.2.2") && !is("2001:db8:0:1::7") && !is_trusted(&proxies, None));
        assert!(is_trusted(&[TrustedProxy::UnixSocket], None));
        assert!(!is_trusted(&[TrustedProxy::UnixSocket], Some("127.0.0.1".parse().unwrap())));
        assert!(!is_trusted(&[], None));
    }

    #[test]
    fn a_proxy_is_read_as_it_is_written() {
        for text in ["192.0.2.0/24", "unix", "2001:db8::1/128"] {
            assert_eq!(text.parse::<TrustedProxy>().unwrap().to_string(), text);
        }
        for text in ["", "nginx", "192.0.2.0/33"] {
            assert!(text.parse::<TrustedProxy>().is_err(), "{text}");
        }
    }
}
