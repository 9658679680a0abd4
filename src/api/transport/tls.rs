//! TLS of the TCP listeners: the daemon's certificate, and the authority of
//! client certificates.
//!
//! The provider is ring, which builds with a C compiler alone.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;
use tokio::sync::watch;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::danger::ClientCertVerifier;
use tokio_rustls::rustls::server::{
    NoServerSessionStorage, VerifierBuilderError, WebPkiClientVerifier,
};
use tokio_rustls::rustls::{self, InconsistentKeys, RootCertStore, ServerConfig};
use tracing::{info, warn};

/// All in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The daemon's certificate, and the intermediate ones.
    pub cert: PathBuf,
    pub key: PathBuf,
    /// Only clients with a certificate of one of these authorities are
    /// accepted. `None`: all clients are.
    pub client_ca: Option<PathBuf>,
}

/// The certificates in use, and the files they were read from. Clones share
/// them.
#[derive(Clone, Debug)]
pub struct Certificates {
    files: TlsFiles,
    current: watch::Sender<Arc<ServerConfig>>,
}

impl Certificates {
    /// # Errors
    /// A file cannot be used.
    pub(super) fn load(files: &TlsFiles) -> Result<Self, TlsError> {
        Ok(Self { files: files.clone(), current: watch::Sender::new(files.load()?) })
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<Arc<ServerConfig>> {
        self.current.subscribe()
    }

    /// Reads the files again, for connections from now on.
    ///
    /// # Errors
    /// A file cannot be used: the certificates in use stay.
    pub async fn renew(&self) -> Result<(), TlsError> {
        let files = self.files.clone();
        // A slow disk delays a thread for blocking work only.
        let Ok(loaded) = tokio::task::spawn_blocking(move || files.load()).await else {
            return Ok(());
        };
        let renewed = loaded.map(|loaded| self.current.send_replace(loaded));
        match &renewed {
            Ok(_) => info!("grpc-certificates-renewed"),
            Err(error) => warn!(%error, "grpc-certificates-kept"),
        }
        renewed.map(drop)
    }
}

/// A file, by the flag that names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsFile {
    Cert,
    Key,
    ClientCa,
}

impl fmt::Display for TlsFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cert => "--grpc-tls-cert",
            Self::Key => "--grpc-tls-key",
            Self::ClientCa => "--grpc-tls-client-ca",
        })
    }
}

/// Why TLS cannot be set up.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A flag was given without another that it needs.
    #[error("{given} is of no use without {missing}: give both, or neither")]
    Alone { given: TlsFile, missing: TlsFile },
    #[error("{file} {}: {source}", path.display())]
    Unreadable { file: TlsFile, path: PathBuf, source: io::Error },
    #[error("{file} {}: {fault}", path.display())]
    Unusable { file: TlsFile, path: PathBuf, fault: TlsFault },
}

#[derive(Debug, Error)]
pub enum TlsFault {
    #[error("holds no certificate: give one in PEM, -----BEGIN CERTIFICATE-----")]
    NoCertificate,
    #[error("holds no private key that can be read: give one in PEM that is not encrypted")]
    NoKey,
    #[error("is not PEM: {0}")]
    NotPem(pem::Error),
    #[error("is not the key of the certificate in {}", .0.display())]
    OfAnother(PathBuf),
    #[error("cannot be used: {0}")]
    Refused(rustls::Error),
    #[error("cannot be used: {0}")]
    NoAuthority(VerifierBuilderError),
}

impl TlsFiles {
    /// `None` without flags.
    ///
    /// # Errors
    /// [`TlsError::Alone`]
    pub fn of_flags(
        cert: Option<PathBuf>,
        key: Option<PathBuf>,
        client_ca: Option<PathBuf>,
    ) -> Result<Option<Self>, TlsError> {
        let alone = |given, missing| Err(TlsError::Alone { given, missing });
        match (cert, key, client_ca) {
            (Some(cert), Some(key), client_ca) => Ok(Some(Self { cert, key, client_ca })),
            (None, None, None) => Ok(None),
            (Some(_), None, _) => alone(TlsFile::Cert, TlsFile::Key),
            (None, Some(_), _) => alone(TlsFile::Key, TlsFile::Cert),
            (None, None, Some(_)) => alone(TlsFile::ClientCa, TlsFile::Cert),
        }
    }

    /// Reads the files, for HTTP/2 over TLS 1.2 and 1.3.
    ///
    /// # Errors
    /// The first file that cannot be used.
    pub(super) fn load(&self) -> Result<Arc<ServerConfig>, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let chain = certificates(TlsFile::Cert, &self.cert)?;
        let key = self.private_key()?;
        let cert = |error| unusable(TlsFile::Cert, &self.cert, TlsFault::Refused(error));
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(cert)?;
        let builder = match &self.client_ca {
            None => builder.with_no_client_auth(),
            Some(path) => builder.with_client_cert_verifier(verifier(path, provider)?),
        };
        let mut config = builder.with_single_cert(chain, key).map_err(|error| match error {
            rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                unusable(TlsFile::Key, &self.key, TlsFault::OfAnother(self.cert.clone()))
            }
            // rustls has no type for this one: the key is of no known kind.
            rustls::Error::General(_) => {
                unusable(TlsFile::Key, &self.key, TlsFault::Refused(error))
            }
            error => cert(error),
        })?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        // A resumed session skips the client's certificate. Connections here are
        // few and long, so each can afford a full handshake.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Arc::new(config))
    }

    fn private_key(&self) -> Result<PrivateKeyDer<'static>, TlsError> {
        let text = read(TlsFile::Key, &self.key)?;
        PrivateKeyDer::from_pem_slice(&text).map_err(|error| {
            let fault = match error {
                pem::Error::NoItemsFound => TlsFault::NoKey,
                error => TlsFault::NotPem(error),
            };
            unusable(TlsFile::Key, &self.key, fault)
        })
    }
}

/// Accepts client certificates of the authorities in `path`.
fn verifier(
    path: &Path,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let wrong = |fault| unusable(TlsFile::ClientCa, path, fault);
    let mut roots = RootCertStore::empty();
    for certificate in certificates(TlsFile::ClientCa, path)? {
        roots.add(certificate).map_err(|error| wrong(TlsFault::Refused(error)))?;
    }
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
    verifier.map_err(|error| wrong(TlsFault::NoAuthority(error)))
}

/// The certificates in a file, at least one.
fn certificates(file: TlsFile, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = read(file, path)?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let certificates =
        certificates.map_err(|error| unusable(file, path, TlsFault::NotPem(error)))?;
    match certificates.is_empty() {
        true => Err(unusable(file, path, TlsFault::NoCertificate)),
        false => Ok(certificates),
    }
}

fn read(file: TlsFile, path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|source| TlsError::Unreadable {
        file,
        path: path.to_owned(),
        source,
    })
}

fn unusable(file: TlsFile, path: &Path, fault: TlsFault) -> TlsError {
    TlsError::Unusable { file, path: path.to_owned(), fault }
}
