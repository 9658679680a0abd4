//! Bearer tokens (RFC 6750, 2.1): taken from a request, digested and forgotten; and made.
//!
//! A token that is made here has 256 random bits, so that its SHA-256 cannot be guessed
//! from: nothing slower is needed than for a password that a person chose.

use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};
use thiserror::Error;
use tonic::codegen::http::HeaderMap;
use tonic::codegen::http::header::AUTHORIZATION;

use crate::domain::rights::TokenDigest;

/// What a token that is made here begins with, so that it is recognised where it has
/// been left.
const PREFIX: &str = "maglev-";
/// Random bytes of a token.
const RANDOM: usize = 32;
/// Characters of a token, at most; the bound of all headers is not much greater.
const LONGEST: usize = 4096;

/// What stands where a bearer token should. The header is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(in crate::api) enum BearerError {
    #[error("there are several authorization headers: send one")]
    Several,
    #[error("the authorization header is not `Bearer` and a token")]
    NotBearer,
}

/// Removes the token of a request from its headers; its digest, if there is one.
///
/// # Errors
/// The header is not of this kind, which must not count as none.
pub(in crate::api) fn take_token(
    headers: &mut HeaderMap,
) -> Result<Option<TokenDigest>, BearerError> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let token = match values.next() {
        Some(_) => Err(BearerError::Several),
        None => bearer(value.as_bytes()).map(digest_of),
    };
    headers.remove(AUTHORIZATION);
    token.map(Some)
}

fn bearer(value: &[u8]) -> Result<&[u8], BearerError> {
    let (scheme, token) = value.split_at_checked(7).ok_or(BearerError::NotBearer)?;
    let token = token.trim_ascii();
    let is_token = (1..=LONGEST).contains(&token.len()) && token.iter().all(u8::is_ascii_graphic);
    if scheme.eq_ignore_ascii_case(b"bearer ") && is_token {
        Ok(token)
    } else {
        Err(BearerError::NotBearer)
    }
}

fn digest_of(token: &[u8]) -> TokenDigest {
    let mut sha256 = [0; 32];
    sha256.copy_from_slice(digest(&SHA256, token).as_ref());
    TokenDigest::new(sha256)
}

/// A token and what the rights file has of it.
pub struct NewToken {
    pub token: String,
    /// `sha256:…`
    pub digest: String,
}

/// The system gives no random numbers.
#[derive(Clone, Copy, Debug, Error)]
#[error("the system gives no random numbers for a token")]
pub struct NoRandomNumbers;

impl NewToken {
    /// # Errors
    /// [`NoRandomNumbers`]
    pub fn generate() -> Result<Self, NoRandomNumbers> {
        let mut random = [0; RANDOM];
        SystemRandom::new().fill(&mut random).map_err(|_| NoRandomNumbers)?;
        let digits: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let token = format!("{PREFIX}{digits}");
        let digest = digest_of(token.as_bytes()).to_text();
        Ok(Self { token, digest })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(values: &[&str]) -> Result<Option<String>, BearerError> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, value.parse().unwrap());
        }
        let token = take_token(&mut headers);
        assert!(headers.is_empty(), "the token is passed on");
        token.map(|token| token.map(|digest| digest.to_text()))
    }

    #[test]
    fn a_token_is_digested_and_removed() {
        // NIST's example of SHA-256.
        let abc = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        for value in ["Bearer abc", "bearer abc", "BEARER  abc "] {
            assert_eq!(taken(&[value]), Ok(Some(abc.into())), "{value}");
        }
        assert_eq!(taken(&[]), Ok(None));
        let long = format!("Bearer {}", "x".repeat(LONGEST + 1));
        for wrong in ["", "Bearer", "Bearer ", "Basic abc", "abc", "Bearer a b", &long] {
            assert_eq!(taken(&[wrong]), Err(BearerError::NotBearer), "{wrong}");
        }
        assert_eq!(taken(&["Bearer abc", "Bearer abc"]), Err(BearerError::Several));
    }

    #[test]
    fn a_new_token_is_new_and_its_digest_is_its_own() {
        let (one, other) = (NewToken::generate().unwrap(), NewToken::generate().unwrap());
        assert_ne!(one.token, other.token);
        assert_eq!(one.token.len(), PREFIX.len() + 2 * RANDOM);
        let sent = taken(&[&format!("Bearer {}", one.token)]);
        assert_eq!(sent, Ok(Some(one.digest.clone())));
        assert!(!one.digest.contains(&one.token[PREFIX.len()..]));
    }
}
