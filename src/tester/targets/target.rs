//! What a target is, and what a frontend is known by before it is one.

use std::net::SocketAddr;

use crate::domain::tester::shares::ExpectedShares;
use crate::tester::options::KindChoice;

/// What a VIP is asked over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetKind {
    Tcp,
    Tls,
    Http,
    Https,
    Udp,
}

impl TargetKind {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Http => "http",
            Self::Https => "https",
            Self::Udp => "udp",
        }
    }

    pub(super) fn from_word(word: &str) -> Option<Self> {
        let all = [Self::Tcp, Self::Tls, Self::Http, Self::Https, Self::Udp];
        all.into_iter().find(|kind| kind.as_str() == word)
    }

    #[must_use]
    pub fn is_http(self) -> bool {
        matches!(self, Self::Http | Self::Https)
    }

    #[must_use]
    pub fn is_tls(self) -> bool {
        matches!(self, Self::Tls | Self::Https)
    }

    /// What usually speaks on a port of TCP.
    pub(super) fn of_port(port: u16) -> Self {
        match port {
            80 | 8080 => Self::Http,
            443 | 8443 => Self::Https,
            _ => Self::Tcp,
        }
    }
}

/// One VIP to test.
#[derive(Clone, Debug, PartialEq)]
pub struct VipTarget {
    /// The frontend's name, or what was given.
    pub name: String,
    pub address: SocketAddr,
    pub kind: TargetKind,
    /// The `Host` header, and what TLS asks for; `None`: the address.
    pub host: Option<String>,
    /// Path and query.
    pub uri: String,
    /// What is expected until a daemon says otherwise.
    pub expected: Option<ExpectedShares>,
}

/// A frontend, wherever it is known from.
pub(super) struct KnownFrontend {
    pub(super) name: String,
    /// A prefix, or an address.
    pub(super) prefix: String,
    /// IANA's number and the port; `None`: every protocol and port.
    pub(super) service: Option<(u8, u16)>,
    pub(super) expected: Option<ExpectedShares>,
}

/// The kind that was chosen for all; `None`: each has its own.
pub(super) fn chosen(choice: KindChoice) -> Option<TargetKind> {
    match choice {
        KindChoice::Auto => None,
        KindChoice::Tcp => Some(TargetKind::Tcp),
        KindChoice::Tls => Some(TargetKind::Tls),
        KindChoice::Http => Some(TargetKind::Http),
        KindChoice::Https => Some(TargetKind::Https),
        KindChoice::Udp => Some(TargetKind::Udp),
    }
}
