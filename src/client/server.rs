//! Where the daemon listens, and the connection to it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use tonic::Status;
use tonic::transport::{Channel, Endpoint};

use crate::cli::error::{CliError, ConnectionLoss};
use crate::client::tls::ClientTls;
use crate::pb::maglev_client::MaglevClient;

/// How long a connection may take to come about.
pub const CONNECT_DEADLINE: Duration = Duration::from_secs(5);

/// How long an answer may take; a full sync of a large VPP is the slowest.
pub const ANSWER_DEADLINE: Duration = Duration::from_secs(60);

/// How long a daemon may be silent on an open connection: one that is stopped,
/// or whose machine is gone, is noticed.
pub const SILENCE: Duration = Duration::from_secs(10);

/// A silent connection is asked for a sign of life after this, and given up
/// after as long again.
const KEEPALIVE: Duration = Duration::from_secs(SILENCE.as_secs() / 2);

/// The state of a VPP with many VIPs is longer than gRPC's usual 4 MiB.
const LARGEST_ANSWER: usize = 256 << 20;

/// The address of a daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DaemonAddress {
    /// `host:port`; IPv6 addresses in brackets.
    Tcp {
        /// Name or address.
        host: String,
        /// TCP port.
        port: u16,
    },
    /// A Unix socket.
    Unix {
        /// Its path.
        path: String,
    },
}

/// A text is no address of a daemon.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("neither host:port, [address]:port nor unix:/path")]
pub struct DaemonAddressError;

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

/// A daemon, and all that is needed to talk to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DaemonAccess {
    /// Its address.
    pub server: DaemonAddress,
    /// How it is known to be the right one; `None`: it is not asked.
    pub tls: Option<ClientTls>,
}

impl From<DaemonAddress> for DaemonAccess {
    fn from(server: DaemonAddress) -> Self {
        Self { server, tls: None }
    }
}

impl DaemonAccess {
    /// How connections to it are made.
    ///
    /// # Errors
    /// [`CliError::Options`] for files of TLS that are of no use,
    /// [`CliError::Unreachable`] for an address that no connection can be
    /// made to.
    pub fn endpoint(&self) -> Result<Endpoint, CliError> {
        let (uri, tls) = match (&self.server, &self.tls) {
            (DaemonAddress::Unix { path }, _) => (format!("unix:{path}"), None),
            (DaemonAddress::Tcp { host, port }, None) => (format!("http://{host}:{port}"), None),
            (DaemonAddress::Tcp { host, port }, Some(tls)) => {
                (format!("https://{host}:{port}"), Some(tls.config()?))
            }
        };
        let mut endpoint = Endpoint::from_shared(uri)
            .map_err(|error| CliError::of_connecting(&self.server, &error))?
            .timeout(ANSWER_DEADLINE)
            .http2_keep_alive_interval(KEEPALIVE)
            .keep_alive_timeout(KEEPALIVE)
            .keep_alive_while_idle(true);
        if let Some(tls) = tls {
            endpoint = endpoint.tls_config(tls).map_err(|error| CliError::of_tls(&error))?;
        }
        Ok(endpoint)
    }
}

/// A connection to one daemon. Clones share it.
#[derive(Clone, Debug)]
pub struct DaemonClient {
    /// The generated client.
    pub grpc: MaglevClient<Channel>,
    server: DaemonAddress,
}

impl DaemonClient {
    /// Connects to a daemon.
    ///
    /// # Errors
    /// [`CliError::Unreachable`] when it fails or takes longer than
    /// [`CONNECT_DEADLINE`].
    pub async fn connect(access: &DaemonAccess) -> Result<Self, CliError> {
        let server = &access.server;
        let endpoint = access.endpoint()?;
        let channel = tokio::time::timeout(CONNECT_DEADLINE, endpoint.connect())
            .await
            .map_err(|_| CliError::Unreachable {
                server: server.clone(),
                why: ConnectionLoss::Silent { waited: CONNECT_DEADLINE },
            })?
            .map_err(|error| CliError::of_connecting(server, &error))?;
        Ok(Self::over(channel, server))
    }

    /// A client that connects when it is first used, and again whenever the
    /// connection was lost. It must be made within the runtime that it uses.
    ///
    /// # Errors
    /// As [`DaemonAccess::endpoint`].
    pub fn lazy(access: &DaemonAccess) -> Result<Self, CliError> {
        let endpoint = access.endpoint()?.connect_timeout(CONNECT_DEADLINE);
        Ok(Self::over(endpoint.connect_lazy(), &access.server))
    }

    fn over(channel: Channel, server: &DaemonAddress) -> Self {
        let grpc = MaglevClient::new(channel).max_decoding_message_size(LARGEST_ANSWER);
        Self { grpc, server: server.clone() }
    }

    /// The daemon's address.
    #[must_use]
    pub fn server(&self) -> &DaemonAddress {
        &self.server
    }

    /// The error of a request to this daemon.
    #[must_use]
    pub fn error(&self, status: &Status) -> CliError {
        CliError::of_status(&self.server, status)
    }

    /// This daemon was lost.
    #[must_use]
    pub fn lost(&self, why: ConnectionLoss) -> CliError {
        CliError::Unreachable { server: self.server.clone(), why }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_written_alike() {
        for text in
            ["127.0.0.1:9090", "lb-1.example.org:1", "[2001:db8::1]:65535", "unix:/run/m.sock"]
        {
            assert_eq!(text.parse::<DaemonAddress>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
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
