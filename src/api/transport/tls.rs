//! The certificate that TCP listeners show, and the authority whose
//! certificates they ask clients for.
//!
//! The provider is ring: it builds with a C compiler alone.

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

/// The files that TLS is made of, in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The daemon's certificate, and those between it and its authority.
    pub cert: PathBuf,
    /// The private key of that certificate.
    pub key: PathBuf,
    /// Authorities of clients: only who shows a certificate of one is let in.
    /// `None`: everybody is.
    pub client_ca: Option<PathBuf>,
}

/// What TCP listeners show at present, and where it came from. Clones show the
/// same.
#[derive(Clone, Debug)]
pub struct Certificates {
    files: TlsFiles,
    shown: watch::Sender<Arc<ServerConfig>>,
}

impl Certificates {
    /// What the files hold.
    ///
    /// # Errors
    /// A file cannot be used.
    pub(super) fn load(files: &TlsFiles) -> Result<Self, TlsError> {
        Ok(Self { files: files.clone(), shown: watch::Sender::new(files.load()?) })
    }

    pub(super) fn shown(&self) -> watch::Receiver<Arc<ServerConfig>> {
        self.shown.subscribe()
    }

    /// Reads the files again. Connections from now on see what is in them; those
    /// that there are stay.
    ///
    /// # Errors
    /// A file cannot be used: what was there before stays.
    pub async fn renew(&self) -> Result<(), TlsError> {
        let files = self.files.clone();
        // On a thread where a slow disk holds nobody up.
        let Ok(loaded) = tokio::task::spawn_blocking(move || files.load()).await else {
            return Ok(());
        };
        let renewed = loaded.map(|loaded| self.shown.send_replace(loaded));
        match &renewed {
            Ok(_) => info!("grpc-certificates-renewed"),
            Err(error) => warn!(%error, "grpc-certificates-kept"),
        }
        renewed.map(drop)
    }
}

/// What a file is for, by the flag that names it.
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

/// Why there can be no TLS with these files.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A file without the one that belongs to it.
    #[error("{given} is of no use without {missing}: give both, or neither")]
    Alone {
        /// The flag that was given.
        given: TlsFile,
        /// The flag that was not.
        missing: TlsFile,
    },
    /// A file cannot be read.
    #[error("{file} {}: {source}", path.display())]
    Unreadable {
        /// What it is for.
        file: TlsFile,
        /// Where it should be.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not what it should be.
    #[error("{file} {}: {fault}", path.display())]
    Unusable {
        /// What it is for.
        file: TlsFile,
        /// Where it is.
        path: PathBuf,
        /// What is wrong with it.
        fault: TlsFault,
    },
}

/// What is wrong with a file.
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
    /// The files that the flags name; `None` if they name none.
    ///
    /// # Errors
    /// One is missing beside another.
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

    /// Reads the files. What comes of it serves HTTP/2 over TLS 1.2 and 1.3.
    ///
    /// # Errors
    /// The first file that cannot be used, and why.
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
            // The one error without a type: the key is of no known kind.
            rustls::Error::General(_) => {
                unusable(TlsFile::Key, &self.key, TlsFault::Refused(error))
            }
            error => cert(error),
        })?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        // A session that is taken up again skips the client's certificate. The
        // connections here are few and long, and each is to be looked at.
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

/// Lets in who shows a certificate of an authority in `path`.
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
