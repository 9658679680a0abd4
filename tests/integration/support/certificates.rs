//! Certificates for tests, made anew for each.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::extension::{
    BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName,
};
use openssl::x509::{X509, X509Builder, X509Name, X509NameBuilder};

const DAY: i64 = 86_400;

/// Whom certificates are believed for the sake of.
pub(crate) struct Authority {
    cert: X509,
    key: PKey<Private>,
}

/// A certificate and its key, in PEM.
pub(crate) struct Identity {
    pub(crate) cert: Vec<u8>,
    pub(crate) key: Vec<u8>,
}

/// When a certificate holds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Holds {
    Now,
    UntilYesterday,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let key = key();
        let name = x509_name(name);
        let mut builder = draft(&name, &key, Holds::Now);
        builder.set_issuer_name(&name).unwrap();
        let constraints = BasicConstraints::new().critical().ca().build().unwrap();
        builder.append_extension(constraints).unwrap();
        let usage = KeyUsage::new().critical().key_cert_sign().build().unwrap();
        builder.append_extension(usage).unwrap();
        builder.sign(&key, MessageDigest::sha256()).unwrap();
        Self { cert: builder.build(), key }
    }

    /// Its own certificate in PEM.
    pub(crate) fn pem(&self) -> Vec<u8> {
        self.cert.to_pem().unwrap()
    }

    /// A certificate for servers and clients at `localhost` and `127.0.0.1`.
    pub(crate) fn issue(&self, name: &str, holds: Holds) -> Identity {
        let key = key();
        let mut builder = draft(&x509_name(name), &key, holds);
        builder.set_issuer_name(self.cert.subject_name()).unwrap();
        let uses = ExtendedKeyUsage::new().server_auth().client_auth().build().unwrap();
        builder.append_extension(uses).unwrap();
        let context = builder.x509v3_context(Some(&self.cert), None);
        let names = SubjectAlternativeName::new().dns("localhost").ip("127.0.0.1").build(&context);
        let names = names.unwrap();
        builder.append_extension(names).unwrap();
        builder.sign(&self.key, MessageDigest::sha256()).unwrap();
        let cert = builder.build().to_pem().unwrap();
        Identity { cert, key: key.private_key_to_pem_pkcs8().unwrap() }
    }
}

impl Identity {
    /// Writes `NAME.pem` and `NAME.key` into `dir`; gives both paths.
    pub(crate) fn write(&self, dir: &Path, name: &str) -> (PathBuf, PathBuf) {
        let (cert, key) = (dir.join(format!("{name}.pem")), dir.join(format!("{name}.key")));
        std::fs::write(&cert, &self.cert).unwrap();
        std::fs::write(&key, &self.key).unwrap();
        (cert, key)
    }
}

fn draft(name: &X509Name, key: &PKey<Private>, holds: Holds) -> X509Builder {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().cast_signed();
    let (from, to) = match holds {
        Holds::Now => (now - DAY, now + DAY),
        Holds::UntilYesterday => (now - 2 * DAY, now - DAY),
    };
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    let mut serial = BigNum::new().unwrap();
    serial.rand(127, MsbOption::ONE, false).unwrap();
    builder.set_serial_number(&serial.to_asn1_integer().unwrap()).unwrap();
    builder.set_subject_name(name).unwrap();
    builder.set_pubkey(key).unwrap();
    builder.set_not_before(&Asn1Time::from_unix(from).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::from_unix(to).unwrap()).unwrap();
    builder
}

fn x509_name(name: &str) -> X509Name {
    let mut builder = X509NameBuilder::new().unwrap();
    builder.append_entry_by_nid(Nid::COMMONNAME, name).unwrap();
    builder.build()
}

fn key() -> PKey<Private> {
    let curve = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    PKey::from_ec_key(EcKey::generate(&curve).unwrap()).unwrap()
}
