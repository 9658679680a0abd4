//! What probes are as TLS clients.

use std::time::Duration;

/// The settings of probes as TLS clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsSettings {
    /// The name that is sent (SNI) and that the certificate must have, without a final
    /// dot; `None`: the HTTP host, or the backend's address.
    pub server_name: Option<String>,
    /// False: every certificate is accepted.
    pub verify: bool,
    pub client: TlsClient,
    /// How long before the server's certificate ends that is told of; `None`: never.
    pub certificate_warning: Option<Duration>,
}

impl TlsSettings {
    /// As a browser would ask for this name.
    #[must_use]
    pub fn new(server_name: Option<String>, verify: bool) -> Self {
        let client = TlsClient::default();
        Self { server_name, verify, client, certificate_warning: None }
    }
}

/// What a TLS client shows, trusts and speaks. By default it shows nothing, trusts the
/// system's roots and speaks TLS 1.2 and later.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct TlsClient {
    pub credentials: Option<ClientCredentials>,
    /// The file of the issuers that are trusted in place of the system's.
    pub ca_file: Option<String>,
    pub min_version: MinTlsVersion,
    /// The protocols that are offered (RFC 7301), the preferred one first. The server has
    /// to choose one of them, if there are any.
    pub alpn: Vec<String>,
}

/// The files of a client's certificate, with its chain, and of its key, in PEM.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClientCredentials {
    pub certificate: String,
    pub key: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MinTlsVersion {
    #[default]
    V1_2,
    V1_3,
}

impl MinTlsVersion {
    /// The word in the configuration file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1_2 => "1.2",
            Self::V1_3 => "1.3",
        }
    }
}
