//! TLS towards the daemon: whom to believe, and what to show.

use std::path::{Path, PathBuf};

use tonic::transport::{Certificate, ClientTlsConfig, Identity};

use crate::cli::error::CliError;

/// The files and the name that TLS is made of. Sockets of the file system
/// never have it: the daemon does not offer it there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientTls {
    /// The authorities whose certificate the daemon has to show, in PEM.
    pub ca: PathBuf,
    /// What this side shows, if anything.
    pub identity: Option<OwnFiles>,
    /// The name in the daemon's certificate, where it is not the host of its
    /// address.
    pub server_name: Option<String>,
}

/// The certificate of this side and its private key, in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnFiles {
    /// The certificate, and those between it and its authority.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl ClientTls {
    /// Reads the files.
    ///
    /// # Errors
    /// [`CliError::Options`] for one that cannot be read.
    pub fn config(&self) -> Result<ClientTlsConfig, CliError> {
        let ca = Certificate::from_pem(read("--tls-ca", &self.ca, CERTIFICATE)?);
        let mut config = ClientTlsConfig::new().ca_certificate(ca);
        if let Some(OwnFiles { cert, key }) = &self.identity {
            let cert = read("--tls-cert", cert, CERTIFICATE)?;
            let key = read("--tls-key", key, KEY)?;
            config = config.identity(Identity::from_pem(cert, key));
        }
        Ok(match &self.server_name {
            Some(name) => config.domain_name(name),
            None => config,
        })
    }
}

/// How a certificate begins in PEM (RFC 7468).
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----";

/// What the beginnings of private keys have in common.
const KEY: &str = "PRIVATE KEY-----";

/// Reads a file, and looks whether there is in it what should be: without any
/// certificate in it an authority would be believed by nobody, and say nothing.
fn read(option: &str, path: &Path, mark: &str) -> Result<Vec<u8>, CliError> {
    let fault = |fault: &str| CliError::Options {
        message: format!("{option} {}: {fault}", path.display()),
    };
    let bytes = std::fs::read(path).map_err(|error| fault(&crate::cli::error::cause(&error)))?;
    if !String::from_utf8_lossy(&bytes).contains(mark) {
        let what = if mark == KEY { "private key" } else { "certificate" };
        return Err(fault(&format!("there is no {what} in PEM in it")));
    }
    Ok(bytes)
}
