//! How a client of the daemon talks TLS, and by what it is known: the options of maglevc
//! and of maglevt.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::client::address::DaemonAddress;
use crate::client::connection::DaemonAccess;
use crate::client::tls::{ClientIdentity, ClientTls};
use crate::client::token::TokenFile;

#[derive(Debug, Args)]
pub struct TlsOptions {
    /// Talk TLS, and believe only a daemon whose certificate is of these
    /// authorities (PEM).
    #[arg(long, value_name = "FILE", env = "MAGLEV_TLS_CA", value_hint = ValueHint::FilePath)]
    pub tls_ca: Option<PathBuf>,
    /// The certificate to show the daemon (PEM).
    #[arg(
        long,
        value_name = "FILE",
        env = "MAGLEV_TLS_CERT",
        value_hint = ValueHint::FilePath,
        requires_all = ["tls_ca", "tls_key"]
    )]
    pub tls_cert: Option<PathBuf>,
    /// The private key of that certificate (PEM).
    #[arg(
        long,
        value_name = "FILE",
        env = "MAGLEV_TLS_KEY",
        value_hint = ValueHint::FilePath,
        requires = "tls_cert"
    )]
    pub tls_key: Option<PathBuf>,
    /// The name in the daemon's certificate, where it is not the host of ADDR.
    #[arg(long, value_name = "NAME", env = "MAGLEV_TLS_SERVER_NAME", requires = "tls_ca")]
    pub tls_server_name: Option<String>,
    /// A file with a bearer token to show the daemon, which only its owner and its
    /// group may read.
    #[arg(
        long,
        value_name = "FILE",
        env = "MAGLEV_TOKEN_FILE",
        value_hint = ValueHint::FilePath
    )]
    pub token_file: Option<PathBuf>,
}

impl TlsOptions {
    /// How a daemon is dialled, and what it is shown.
    #[must_use]
    pub fn access(&self, server: DaemonAddress) -> DaemonAccess {
        let path = self.token_file.clone().filter(|path| !path.as_os_str().is_empty());
        let token = path.map(|path| TokenFile { path });
        DaemonAccess { server, tls: self.client_tls(), token, on_behalf_of: None }
    }

    /// `None`: without TLS.
    fn client_tls(&self) -> Option<ClientTls> {
        let identity = self.tls_cert.as_ref().zip(self.tls_key.as_ref());
        let files = |(cert, key): (&PathBuf, &PathBuf)| ClientIdentity {
            cert: cert.clone(),
            key: key.clone(),
        };
        Some(ClientTls {
            ca: self.tls_ca.clone()?,
            identity: identity.map(files),
            server_name: self.tls_server_name.clone(),
        })
    }
}
