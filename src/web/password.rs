//! Passwords, as argon2id with the parameters that OWASP advises. A hash takes tens of
//! milliseconds and 19 MiB on purpose, so one is made at a time, on a thread of its own.

use argon2::Argon2;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use ring::rand::{SecureRandom, SystemRandom};
use tokio::sync::Semaphore;

/// Those who may wait for a hash.
const WAITING: usize = 16;
/// Bytes of a password, at most: more would only cost time.
pub(super) const LONGEST_PASSWORD: usize = 1024;

/// Verifies passwords, one at a time.
pub(super) struct PasswordChecker {
    turn: Semaphore,
    waiting: Semaphore,
    /// The hash of a password that nobody knows: an unknown user takes as long as another.
    decoy: String,
}

/// Too many passwords are being verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CheckerBusy;

impl PasswordChecker {
    /// # Errors
    /// The system gives no random bytes.
    pub(super) fn new() -> std::io::Result<Self> {
        let decoy = hash(&random::<16>()?.map(|byte| byte % 64 + b'0'))?;
        Ok(Self { turn: Semaphore::new(1), waiting: Semaphore::new(WAITING), decoy })
    }

    /// Whether the password is that of `hash`; `None`: there is no such user, which
    /// takes as long.
    ///
    /// # Errors
    /// Too many are waiting.
    pub(super) async fn is_correct(
        &self,
        hash: Option<String>,
        password: Vec<u8>,
    ) -> Result<bool, CheckerBusy> {
        let _place = self.waiting.try_acquire().map_err(|_| CheckerBusy)?;
        let _turn = self.turn.acquire().await.map_err(|_| CheckerBusy)?;
        let is_known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.decoy.clone());
        let verified = tokio::task::spawn_blocking(move || {
            let Ok(hash) = PasswordHash::new(&hash) else { return false };
            Argon2::default().verify_password(&password, &hash).is_ok()
        });
        Ok(verified.await.unwrap_or(false) && is_known)
    }
}

/// The hash of a password, with a salt of its own.
///
/// # Errors
/// The system gives no random bytes.
pub(super) fn hash(password: &[u8]) -> std::io::Result<String> {
    let failed = |error: argon2::password_hash::Error| std::io::Error::other(error.to_string());
    let salt = SaltString::encode_b64(&random::<16>()?).map_err(failed)?;
    let hash = Argon2::default().hash_password(password, &salt).map_err(failed)?;
    Ok(hash.to_string())
}

/// Random bytes of the system.
///
/// # Errors
/// It has none.
pub(super) fn random<const N: usize>() -> std::io::Result<[u8; N]> {
    let mut bytes = [0; N];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| std::io::Error::other("the system gives no random numbers"))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_known_by_its_hash_alone() {
        let hash = hash(b"correct horse").unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(!hash.contains("correct"));
        let checker = PasswordChecker::new().unwrap();
        let check = async |hash: Option<&str>, password: &str| {
            let (hash, password) = (hash.map(str::to_owned), password.as_bytes().to_vec());
            checker.is_correct(hash, password).await.unwrap()
        };
        assert!(check(Some(&hash), "correct horse").await);
        assert!(!check(Some(&hash), "correct horse ").await);
        assert!(!check(Some(&hash), "").await);
        assert!(!check(None, "correct horse").await);
        assert!(!check(Some("nonsense"), "correct horse").await);
    }

    #[tokio::test]
    async fn who_comes_when_many_wait_is_turned_away() {
        let checker = PasswordChecker::new().unwrap();
        let _all = checker.waiting.try_acquire_many(16).unwrap();
        assert_eq!(checker.is_correct(None, Vec::new()).await, Err(CheckerBusy));
    }

    #[test]
    fn random_bytes_differ() {
        assert_ne!(random::<32>().unwrap(), random::<32>().unwrap());
    }
}
