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
    pub service: TlsService,
    /// The certificate of this side, and the intermediate ones.
    pub cert: PathBuf,
    pub key: PathBuf,
    /// Only clients with a certificate of one of these authorities are
    /// accepted, or of a browser's those that it has. `None`: all clients are.
    pub client_ca: Option<PathBuf>,
}

/// What is served with the files. Their flags are named after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsService {
    /// HTTP/2. Where an authority is named, a client has to have a certificate.
    Grpc,
    /// HTTP/2 and HTTP/1.1. A browser may come without a certificate, and log in.
    Web,
}

impl TlsService {
    fn name(self) -> &'static str {
        match self {
            Self::Grpc => "grpc",
            Self::Web => "web",
        }
    }

    fn protocols(self) -> Vec<Vec<u8>> {
        match self {
            Self::Grpc => vec![b"h2".to_vec()],
            Self::Web => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        }
    }
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
    pub(crate) fn load(files: &TlsFiles) -> Result<Self, TlsError> {
        Ok(Self { files: files.clone(), current: watch::Sender::new(files.load()?) })
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<Arc<ServerConfig>> {
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
        let service = self.files.service.name();
        match &renewed {
            Ok(_) => info!("{service}-certificates-renewed"),
            Err(error) => warn!(%error, "{service}-certificates-kept"),
        }
        renewed.map(drop)
    }
}

/// A file, by the flag that names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TlsFile {
    service: TlsService,
    part: TlsPart,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TlsPart {
    Cert,
    Key,
    ClientCa,
}

impl fmt::Display for TlsFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.service, self.part) {
            (TlsService::Grpc, TlsPart::Cert) => "--grpc-tls-cert",
            (TlsService::Grpc, TlsPart::Key) => "--grpc-tls-key",
            (TlsService::Grpc, TlsPart::ClientCa) => "--grpc-tls-client-ca",
            (TlsService::Web, TlsPart::Cert) => "--listen-tls-cert",
            (TlsService::Web, TlsPart::Key) => "--listen-tls-key",
            (TlsService::Web, TlsPart::ClientCa) => "--listen-tls-client-ca",
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
        service: TlsService,
        cert: Option<PathBuf>,
        key: Option<PathBuf>,
        client_ca: Option<PathBuf>,
    ) -> Result<Option<Self>, TlsError> {
        let alone = |given, missing| {
            let file = |part| TlsFile { service, part };
            Err(TlsError::Alone { given: file(given), missing: file(missing) })
        };
        match (cert, key, client_ca) {
            (Some(cert), Some(key), client_ca) => Ok(Some(Self { service, cert, key, client_ca })),
            (None, None, None) => Ok(None),
            (Some(_), None, _) => alone(TlsPart::Cert, TlsPart::Key),
            (None, Some(_), _) => alone(TlsPart::Key, TlsPart::Cert),
            (None, None, Some(_)) => alone(TlsPart::ClientCa, TlsPart::Cert),
        }
    }

    /// Reads the files, for TLS 1.2 and 1.3.
    ///
    /// # Errors
    /// The first file that cannot be used.
    pub(super) fn load(&self) -> Result<Arc<ServerConfig>, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let chain = certificates(self.file(TlsPart::Cert), &self.cert)?;
        let key = self.private_key()?;
        let cert = |error| unusable(self.file(TlsPart::Cert), &self.cert, TlsFault::Refused(error));
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(cert)?;
        let builder = match &self.client_ca {
            None => builder.with_no_client_auth(),
            Some(path) => builder.with_client_cert_verifier(self.verifier(path, provider)?),
        };
        let mut config = builder.with_single_cert(chain, key).map_err(|error| match error {
            rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                unusable(self.file(TlsPart::Key), &self.key, TlsFault::OfAnother(self.cert.clone()))
            }
            // rustls has no type for this one: the key is of no known kind.
            rustls::Error::General(_) => {
                unusable(self.file(TlsPart::Key), &self.key, TlsFault::Refused(error))
            }
            error => cert(error),
        })?;
        config.alpn_protocols = self.service.protocols();
        // A resumed session skips the client's certificate. Connections here are
        // few and long, so each can afford a full handshake.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Arc::new(config))
    }

    fn private_key(&self) -> Result<PrivateKeyDer<'static>, TlsError> {
        let text = read(self.file(TlsPart::Key), &self.key)?;
        PrivateKeyDer::from_pem_slice(&text).map_err(|error| {
            let fault = match error {
                pem::Error::NoItemsFound => TlsFault::NoKey,
                error => TlsFault::NotPem(error),
            };
            unusable(self.file(TlsPart::Key), &self.key, fault)
        })
    }

    /// Accepts client certificates of the authorities in `path`.
    fn verifier(
        &self,
        path: &Path,
        provider: Arc<CryptoProvider>,
    ) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
        let file = self.file(TlsPart::ClientCa);
        let wrong = |fault| unusable(file, path, fault);
        let mut roots = RootCertStore::empty();
        for certificate in certificates(file, path)? {
            roots.add(certificate).map_err(|error| wrong(TlsFault::Refused(error)))?;
        }
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        let verifier = match self.service {
            TlsService::Grpc => verifier,
            TlsService::Web => verifier.allow_unauthenticated(),
        };
        verifier.build().map_err(|error| wrong(TlsFault::NoAuthority(error)))
    }

    fn file(&self, part: TlsPart) -> TlsFile {
        TlsFile { service: self.service, part }
    }
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
