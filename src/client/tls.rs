//! TLS towards the daemon: the authorities that are trusted, and the
//! certificate that this side presents.

use std::io;
use std::path::{Path, PathBuf};

use tonic::transport::{Certificate, ClientTlsConfig, Identity};

/// The files and the name that TLS is configured with. Unix sockets never use
/// TLS: the daemon does not offer it there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientTls {
    /// Certificates of the authorities that the daemon's certificate must come
    /// from, in PEM.
    pub ca: PathBuf,
    /// What this side presents to a daemon that asks for a certificate.
    pub identity: Option<ClientIdentity>,
    /// The name in the daemon's certificate, where it is not the host of its
    /// address.
    pub server_name: Option<String>,
}

/// The certificate of this side and its private key, in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientIdentity {
    /// The certificate, followed by the intermediate ones.
    pub cert: PathBuf,
    /// The certificate's private key.
    pub key: PathBuf,
}

/// Which of the files an error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientTlsFile {
    /// [`ClientTls::ca`].
    Ca,
    /// [`ClientIdentity::cert`].
    Certificate,
    /// [`ClientIdentity::key`].
    Key,
}

impl ClientTlsFile {
    /// What every file of this kind contains. A CA file without a certificate
    /// is accepted by the TLS library and then trusts nobody.
    fn mark(self) -> &'static str {
        match self {
            // RFC 7468, section 5.
            Self::Ca | Self::Certificate => "-----BEGIN CERTIFICATE-----",
            // PKCS #8, PKCS #1 and SEC1 keys have this end in common.
            Self::Key => "PRIVATE KEY-----",
        }
    }

    /// What the file should contain, in words.
    #[must_use]
    pub fn content(self) -> &'static str {
        match self {
            Self::Ca | Self::Certificate => "certificate",
            Self::Key => "private key",
        }
    }
}

/// TLS cannot be configured with the files.
#[derive(Debug, thiserror::Error)]
pub enum ClientTlsError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", .path.display())]
    Unreadable {
        /// Which of the files.
        file: ClientTlsFile,
        /// Where it was looked for.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The file lacks what it should contain.
    #[error("there is no {} in PEM in {}", .file.content(), .path.display())]
    NoPem {
        /// Which of the files.
        file: ClientTlsFile,
        /// The file.
        path: PathBuf,
    },
    /// The TLS library does not accept the files together.
    #[error("the files cannot be used for TLS: {reason}")]
    Rejected {
        /// The library's reason.
        reason: String,
    },
}

impl ClientTls {
    /// Reads the files.
    ///
    /// # Errors
    /// [`ClientTlsError::Unreadable`] and [`ClientTlsError::NoPem`].
    pub fn config(&self) -> Result<ClientTlsConfig, ClientTlsError> {
        let ca = Certificate::from_pem(read(ClientTlsFile::Ca, &self.ca)?);
        let mut config = ClientTlsConfig::new().ca_certificate(ca);
        if let Some(ClientIdentity { cert, key }) = &self.identity {
            let cert = read(ClientTlsFile::Certificate, cert)?;
            let key = read(ClientTlsFile::Key, key)?;
            config = config.identity(Identity::from_pem(cert, key));
        }
        Ok(match &self.server_name {
            Some(name) => config.domain_name(name),
            None => config,
        })
    }
}

fn read(file: ClientTlsFile, path: &Path) -> Result<Vec<u8>, ClientTlsError> {
    let bytes = std::fs::read(path).map_err(|source| ClientTlsError::Unreadable {
        file,
        path: path.to_owned(),
        source,
    })?;
    if String::from_utf8_lossy(&bytes).contains(file.mark()) {
        Ok(bytes)
    } else {
        Err(ClientTlsError::NoPem { file, path: path.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_names_the_file_that_cannot_be_used() {
        let folder = tempfile::tempdir().unwrap();
        let (ca, cert, key) =
            (folder.path().join("ca"), folder.path().join("cert"), folder.path().join("key"));
        let identity = Some(ClientIdentity { cert: cert.clone(), key: key.clone() });
        let tls = ClientTls { ca: ca.clone(), identity, server_name: None };
        let missing = tls.config().unwrap_err();
        assert!(
            matches!(missing, ClientTlsError::Unreadable { file: ClientTlsFile::Ca, .. }),
            "{missing}"
        );
        std::fs::write(&ca, "-----BEGIN CERTIFICATE-----\n").unwrap();
        std::fs::write(&cert, "-----BEGIN CERTIFICATE-----\n").unwrap();
        std::fs::write(&key, "-----BEGIN CERTIFICATE-----\n").unwrap();
        let error = tls.config().unwrap_err().to_string();
        assert_eq!(error, format!("there is no private key in PEM in {}", key.display()));
        std::fs::write(&key, "-----BEGIN EC PRIVATE KEY-----\n").unwrap();
        assert!(tls.config().is_ok());
    }
}
