//! Connectors that are not every check's: with credentials of the client, issuers or
//! protocols of their own. They are made anew when a file of theirs changes.

use std::time::{Duration, SystemTime};

use openssl::asn1::Asn1Time;
use openssl::pkey::PKey;
use openssl::x509::X509;
use tokio_native_tls::TlsConnector;
use tokio_native_tls::native_tls::{self, Certificate, Identity, Protocol};

use super::fault::ProbeFault;
use super::from_files::FromFiles;
use crate::domain::config::{MinTlsVersion, TlsClient};

pub(super) struct ConnectorFromFiles {
    verify: bool,
    client: TlsClient,
    made: FromFiles<TlsConnector>,
}

/// The place of the file that is of no use, and why.
type Unusable = (usize, String);

impl ConnectorFromFiles {
    pub(super) fn new(verify: bool, client: &TlsClient) -> Self {
        let credentials = client.credentials.iter();
        let files = credentials.flat_map(|it| [it.certificate.clone(), it.key.clone()]);
        let files = files.chain(client.ca_file.clone()).collect();
        Self { verify, client: client.clone(), made: FromFiles::new(files) }
    }

    /// The connector with what the files hold now.
    pub(super) async fn get(&self) -> Result<TlsConnector, ProbeFault> {
        self.made.get(|contents| self.make(contents)).await
    }

    fn make(&self, mut contents: &[Vec<u8>]) -> Result<TlsConnector, Unusable> {
        let TlsClient { credentials, ca_file, min_version, alpn } = &self.client;
        let mut builder = native_tls::TlsConnector::builder();
        builder.danger_accept_invalid_certs(!self.verify);
        builder.danger_accept_invalid_hostnames(!self.verify);
        builder.min_protocol_version(Some(match min_version {
            MinTlsVersion::V1_2 => Protocol::Tlsv12,
            MinTlsVersion::V1_3 => Protocol::Tlsv13,
        }));
        let protocols: Vec<_> = alpn.iter().map(String::as_str).collect();
        builder.request_alpns(&protocols);
        let mut place = 0;
        if let (Some(_), [certificate, key, others @ ..]) = (credentials, contents) {
            builder.identity(identity(certificate, key)?);
            (contents, place) = (others, 2);
        }
        if let (Some(_), [issuers]) = (ca_file, contents) {
            let issuers = Certificate::stack_from_pem(issuers).unwrap_or_default();
            if issuers.is_empty() {
                return Err((place, "holds no certificate in PEM".into()));
            }
            builder.disable_built_in_roots(true);
            for issuer in issuers {
                builder.add_root_certificate(issuer);
            }
        }
        let made = builder.build().map_err(|error| (0, format!("cannot be used: {error}")))?;
        Ok(made.into())
    }
}

/// A certificate with its chain, and its key. The errors say nothing of the key.
fn identity(certificate: &[u8], key: &[u8]) -> Result<Identity, Unusable> {
    let of_certificate = |why: &str| (0, why.to_owned());
    let of_key = |why: &str| (1, why.to_owned());
    let chain = X509::stack_from_pem(certificate).unwrap_or_default();
    let first = chain.first().ok_or_else(|| of_certificate("holds no certificate in PEM"))?;
    // No passphrase is asked for.
    let key = PKey::private_key_from_pem_callback(key, |_| Ok(0))
        .map_err(|_| of_key("holds no private key in PEM, without a passphrase"))?;
    if !first.public_key().is_ok_and(|public| public.public_eq(&key)) {
        return Err(of_key("is not the key of the client certificate"));
    }
    let pem = key.private_key_to_pem_pkcs8().map_err(|_| of_key("is a key of an unknown kind"))?;
    Identity::from_pkcs8(certificate, &pem)
        .map_err(|error| of_certificate(&format!("cannot be used: {error}")))
}

/// When a certificate in DER ends.
pub(super) fn end_of(certificate: &[u8]) -> Option<SystemTime> {
    let certificate = X509::from_der(certificate).ok()?;
    let since_1970 = Asn1Time::from_unix(0).ok()?.diff(certificate.not_after()).ok()?;
    let seconds = i64::from(since_1970.days) * 86_400 + i64::from(since_1970.secs);
    let span = Duration::from_secs(seconds.unsigned_abs());
    match seconds {
        ..0 => SystemTime::UNIX_EPOCH.checked_sub(span),
        0.. => SystemTime::UNIX_EPOCH.checked_add(span),
    }
}
