//! The names in a client's certificate: the common name of its subject and its
//! alternative ones (RFC 5280, 4.1 and 4.2.1.6). The certificate was verified before, so
//! that an authority stands for them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use crate::domain::printable::is_control;
use crate::domain::rights::CertificateName;

/// The most characters of a name that are shown.
const LONGEST: usize = 128;

// Tags of DER (X.690, 8.14).
const OID: u8 = 0x06;
const UTF8_STRING: u8 = 0x0c;
const PRINTABLE_STRING: u8 = 0x13;
const IA5_STRING: u8 = 0x16;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OCTET_STRING: u8 = 0x04;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
// Of `GeneralName`.
const EMAIL: u8 = 0x81;
const DNS: u8 = 0x82;
const URI: u8 = 0x86;
const IP: u8 = 0x87;

/// 2.5.4.3
const COMMON_NAME: [u8; 3] = [0x55, 0x04, 0x03];
/// 2.5.29.17
const SUBJECT_ALT_NAME: [u8; 3] = [0x55, 0x1d, 0x11];

/// A client's certificate, by its names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ClientCertificate {
    /// Whole, the common name first. One that is not one line of text is left out.
    pub(crate) names: Vec<CertificateName>,
    /// The common name, or else the first alternative one that is no address, shortened.
    pub(crate) shown: Option<Arc<str>>,
}

impl ClientCertificate {
    /// The names in a certificate in DER.
    pub(super) fn of(der: &[u8]) -> Self {
        let names = certificate_names(der).unwrap_or_default();
        let named = names.iter().find(|name| !matches!(name, CertificateName::Ip(_)));
        let shown = named.map(|name| name.text().chars().take(LONGEST).collect::<String>().into());
        Self { names, shown }
    }
}

fn certificate_names(der: &[u8]) -> Option<Vec<CertificateName>> {
    let mut certificate = Elements(Elements(der).expect(SEQUENCE)?);
    let mut body = Elements(certificate.expect(SEQUENCE)?);
    if body.next()?.0 == VERSION {
        // Then the serial number comes second.
        body.next()?;
    }
    // Signature, issuer and validity.
    body.by_ref().take(3).for_each(drop);
    let subject = body.expect(SEQUENCE)?;
    let common = common_name(subject).map(CertificateName::Common);
    Some(common.into_iter().chain(alternative_names(body).unwrap_or_default()).collect())
}

fn common_name(subject: &[u8]) -> Option<String> {
    let sets = Elements(subject).filter(|(tag, _)| *tag == SET);
    let attributes = sets.flat_map(|(_, set)| Elements(set));
    let names = attributes.filter_map(|(_, attribute)| {
        let mut attribute = Elements(attribute);
        let is_common = attribute.expect(OID)? == COMMON_NAME;
        let (tag, value) = attribute.next()?;
        let is_text = [UTF8_STRING, PRINTABLE_STRING, IA5_STRING].contains(&tag);
        (is_common && is_text).then(|| text(value))?
    });
    // The most specific is the last.
    names.last()
}

fn alternative_names(mut body: Elements<'_>) -> Option<Vec<CertificateName>> {
    let (_, extensions) = body.find(|(tag, _)| *tag == EXTENSIONS)?;
    let extensions = Elements(Elements(extensions).expect(SEQUENCE)?);
    let names = extensions.filter_map(|(_, extension)| {
        let mut extension = Elements(extension);
        let is_names = extension.expect(OID)? == SUBJECT_ALT_NAME;
        let (_, value) = extension.find(|(tag, _)| *tag == OCTET_STRING)?;
        is_names.then(|| Elements(value).expect(SEQUENCE))?
    });
    let names = names.flat_map(Elements);
    Some(names.filter_map(|(tag, value)| alternative_name(tag, value)).collect())
}

fn alternative_name(tag: u8, value: &[u8]) -> Option<CertificateName> {
    match tag {
        EMAIL => text(value).map(CertificateName::Email),
        DNS => text(value).map(|name| CertificateName::dns(&name)),
        URI => text(value).map(CertificateName::Uri),
        IP => address(value).map(CertificateName::Ip),
        _ => None,
    }
}

fn address(value: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(value).map(|octets| Ipv4Addr::from(octets).into());
    v4.or_else(|_| <[u8; 16]>::try_from(value).map(|octets| Ipv6Addr::from(octets).into())).ok()
}

fn text(value: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(value).ok()?;
    let is_line = !text.trim().is_empty() && !text.chars().any(is_control);
    is_line.then(|| text.to_owned())
}

/// The elements of DER, one after the other: tags and values. It ends at what is none.
struct Elements<'a>(&'a [u8]);

impl<'a> Elements<'a> {
    /// The value of the next element, if it has this tag.
    fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.next().filter(|(found, _)| *found == tag).map(|(_, value)| value)
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (&[tag, first], rest) = self.0.split_first_chunk()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            // So many bytes of length follow; four are more than any certificate has.
            0x81..=0x84 => {
                let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                let length = digits.iter().fold(0u32, |sum, byte| (sum << 8) | u32::from(*byte));
                (usize::try_from(length).ok()?, rest)
            }
            _ => return None,
        };
        let (value, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, value))
    }
}

#[cfg(test)]
mod tests {
    use openssl::asn1::Asn1Time;
    use openssl::bn::BigNum;
    use openssl::hash::MessageDigest;
    use openssl::pkey::PKey;
    use openssl::rsa::Rsa;
    use openssl::x509::extension::SubjectAlternativeName;
    use openssl::x509::{X509, X509Name};

    use super::*;

    /// A certificate with these names in its subject, and these alternative ones.
    fn certificate(subject: &[(&str, &str)], dns: &[&str], uri: &[&str]) -> Vec<u8> {
        let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
        let mut name = X509Name::builder().unwrap();
        for (kind, text) in subject {
            name.append_entry_by_text(kind, text).unwrap();
        }
        let mut builder = X509::builder().unwrap();
        builder.set_version(2).unwrap();
        builder
            .set_serial_number(&BigNum::from_u32(1 << 30).unwrap().to_asn1_integer().unwrap())
            .unwrap();
        builder.set_subject_name(&name.build()).unwrap();
        builder.set_pubkey(&key).unwrap();
        builder.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
        builder.set_not_after(&Asn1Time::days_from_now(1).unwrap()).unwrap();
        if !dns.is_empty() || !uri.is_empty() {
            let mut names = SubjectAlternativeName::new();
            dns.iter().for_each(|dns| {
                names.dns(dns);
            });
            uri.iter().for_each(|uri| {
                names.uri(uri);
            });
            let names = names.build(&builder.x509v3_context(None, None)).unwrap();
            builder.append_extension(names).unwrap();
        }
        builder.sign(&key, MessageDigest::sha256()).unwrap();
        builder.build().to_der().unwrap()
    }

    fn shown(der: &[u8]) -> Option<String> {
        ClientCertificate::of(der).shown.map(|name| name.to_string())
    }

    #[test]
    fn the_common_name_comes_before_alternative_ones() {
        let long = "x".repeat(64);
        for (subject, dns, uri, expected) in [
            (&[("O", "ops"), ("CN", "alice")][..], &["a.example"][..], &[][..], Some("alice")),
            (&[("CN", "größer")], &[], &[], Some("größer")),
            (&[("CN", "first"), ("CN", "last")], &[], &[], Some("last")),
            (&[("CN", &long)], &[], &[], Some(&*long)),
            (&[("O", "ops")], &["a.example", "b.example"], &[], Some("a.example")),
            (&[("O", "ops")], &[], &["spiffe://ops/alice"], Some("spiffe://ops/alice")),
            (&[("CN", "two\nlines")], &["a.example"], &[], Some("a.example")),
            (&[("O", "ops")], &[], &[], None),
        ] {
            let der = certificate(subject, dns, uri);
            assert_eq!(shown(&der).as_deref(), expected, "{subject:?}");
        }
    }

    #[test]
    fn every_name_is_known_with_its_kind_and_whole() {
        let long = format!("{}.example", "x".repeat(200));
        let dns = ["A.Example", &long];
        let der = certificate(&[("O", "ops"), ("CN", "alice")], &dns, &["spiffe://ops/alice"]);
        let names = ClientCertificate::of(&der).names;
        let expected =
            ["cn:alice", "dns:a.example", &format!("dns:{long}"), "uri:spiffe://ops/alice"];
        assert_eq!(names.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
        assert_eq!(
            [address(&[192, 0, 2, 1]), address(&[0; 5]), address(&[0; 16])],
            [Some([192, 0, 2, 1].into()), None, Some(Ipv6Addr::UNSPECIFIED.into())]
        );
    }

    #[test]
    fn what_is_cut_off_or_broken_has_no_name_and_does_no_harm() {
        let der = certificate(&[("CN", "alice")], &["a.example"], &[]);
        for length in 0..der.len() {
            assert_eq!(shown(&der[..length]), None, "{length}");
        }
        let mut rng = fastrand::Rng::with_seed(1);
        for _ in 0..20_000 {
            let mut broken = der.clone();
            for _ in 0..rng.usize(1..4) {
                let place = rng.usize(..broken.len());
                broken[place] = rng.u8(..);
            }
            // Whatever it is, it is one bounded line.
            let name = shown(&broken).unwrap_or_default();
            assert!(name.chars().count() <= LONGEST && !name.chars().any(is_control));
        }
    }
}
