//! What a client proves who it is by: names of a certificate, and tokens.

use std::fmt;
use std::hint::black_box;
use std::net::IpAddr;

use thiserror::Error;

use crate::domain::printable::is_control;

/// A name in a client's certificate, with the kind of name that it is: an authority may
/// answer for one kind and not for another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CertificateName {
    /// The common name of the subject.
    Common(String),
    /// An alternative name of DNS, in small letters.
    Dns(String),
    /// An alternative name that is a URI, such as a SPIFFE ID.
    Uri(String),
    /// An alternative name that is an address of mail.
    Email(String),
    /// An alternative name that is an address.
    Ip(IpAddr),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "give the kind and the name, such as cn:alice, dns:ops.example, uri:spiffe://ops/alice, \
         email:alice@example.org or ip:192.0.2.1"
)]
pub struct CertificateNameError;

impl CertificateName {
    /// A name of DNS: letters count alike, however they are written.
    #[must_use]
    pub fn dns(name: &str) -> Self {
        Self::Dns(name.to_ascii_lowercase())
    }

    /// # Errors
    /// The text has no kind, an unknown one, or nothing behind it.
    pub fn parse(text: &str) -> Result<Self, CertificateNameError> {
        let (kind, name) = text.split_once(':').ok_or(CertificateNameError)?;
        if name.is_empty() || name.trim() != name || name.chars().any(is_control) {
            return Err(CertificateNameError);
        }
        match kind {
            "cn" => Ok(Self::Common(name.into())),
            "dns" => Ok(Self::dns(name)),
            "uri" => Ok(Self::Uri(name.into())),
            "email" => Ok(Self::Email(name.into())),
            "ip" => name.parse().map(Self::Ip).map_err(|_| CertificateNameError),
            _ => Err(CertificateNameError),
        }
    }

    /// The name without its kind.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Common(name) | Self::Dns(name) | Self::Uri(name) | Self::Email(name) => {
                name.clone()
            }
            Self::Ip(address) => address.to_string(),
        }
    }
}

/// As it is parsed: `cn:alice`.
impl fmt::Display for CertificateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Self::Common(_) => "cn",
            Self::Dns(_) => "dns",
            Self::Uri(_) => "uri",
            Self::Email(_) => "email",
            Self::Ip(_) => "ip",
        };
        write!(f, "{kind}:{}", self.text())
    }
}

/// The SHA-256 of a bearer token. The token itself is not kept.
#[derive(Clone)]
pub struct TokenDigest([u8; 32]);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "give the SHA-256 of a token, sha256: and 64 hexadecimal digits, as maglevd --new-token \
         prints it; the token itself must not stand here"
)]
pub struct TokenDigestError;

impl TokenDigest {
    #[must_use]
    pub fn new(sha256: [u8; 32]) -> Self {
        Self(sha256)
    }

    /// # Errors
    /// The text is not `sha256:` and 64 hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self, TokenDigestError> {
        let digits = text.strip_prefix("sha256:").ok_or(TokenDigestError)?;
        if digits.len() != 64 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(TokenDigestError);
        }
        let mut digest = [0; 32];
        for (place, byte) in digest.iter_mut().enumerate() {
            let pair = &digits[2 * place..2 * place + 2];
            *byte = u8::from_str_radix(pair, 16).map_err(|_| TokenDigestError)?;
        }
        Ok(Self(digest))
    }

    /// As it is parsed, for `maglevd --new-token`.
    #[must_use]
    pub fn to_text(&self) -> String {
        let digits = self.0.iter().map(|byte| format!("{byte:02x}"));
        format!("sha256:{}", digits.collect::<String>())
    }
}

/// Takes as long whether the first byte differs or the last.
impl PartialEq for TokenDigest {
    fn eq(&self, other: &Self) -> bool {
        let pairs = self.0.iter().zip(&other.0);
        black_box(pairs.fold(0, |difference, (own, its)| difference | black_box(own ^ its))) == 0
    }
}

impl Eq for TokenDigest {}

/// Without the digest, which nobody needs to read.
impl fmt::Debug for TokenDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenDigest")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_name_has_its_kind_and_is_displayed_as_it_is_parsed() {
        for text in [
            "cn:alice",
            "cn:größer als: das",
            "dns:ops.example",
            "uri:spiffe://ops/alice",
            "email:alice@example.org",
            "ip:2001:db8::1",
        ] {
            assert_eq!(CertificateName::parse(text).unwrap().to_string(), text);
        }
        let dns = CertificateName::parse("dns:OPS.Example").unwrap();
        assert_eq!(dns, CertificateName::dns("ops.eXample"));
        let kinds = ["cn:a", "dns:a", "uri:a", "email:a"].map(CertificateName::parse);
        assert!(kinds.windows(2).all(|pair| pair[0] != pair[1]), "{kinds:?}");
        for wrong in ["", "alice", "cn:", "cn: alice", "san:alice", "ip:ops", "cn:a\nb", "CN:a"] {
            assert_eq!(CertificateName::parse(wrong), Err(CertificateNameError), "{wrong}");
        }
    }

    #[test]
    fn a_digest_is_64_digits_and_every_bit_of_it_counts() {
        let text = format!("sha256:{}", "0f".repeat(32));
        let digest = TokenDigest::parse(&text).unwrap();
        assert_eq!(digest.to_text(), text);
        assert_eq!(TokenDigest::parse(&text.replace('f', "F")).unwrap(), digest);
        for bit in 0..256 {
            let mut other = digest.clone();
            other.0[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(other, digest, "bit {bit}");
        }
        let short = &text[..text.len() - 1];
        for wrong in ["", "sha256:", short, &format!("{short}g"), &text[7..], "sha256:ä"] {
            assert_eq!(TokenDigest::parse(wrong), Err(TokenDigestError), "{wrong}");
        }
        assert!(TokenDigest::parse(&format!("sha256:+{}", "0".repeat(63))).is_err());
        assert_eq!(format!("{digest:?}"), "TokenDigest");
    }
}
