//! Hashes that say whether two daemons have the same: of the configuration, whole and
//! object by object, and of the table of new flows of a VIP.
//!
//! The hash is FNV-1a with 64 bits, over values that were parsed: mappings in the order
//! of their keys, sets in their own order, texts and lists behind their lengths, numbers
//! in big-endian order. So a file that says the same in another order, or in other
//! words (`1s` and `1000ms`), has the same hash, on every machine. It guards against
//! mistakes and not against an adversary. Hashes of two versions of the daemon may
//! differ where one knows a setting that the other lacks.

mod config;
mod table;

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

pub use config::{ConfigFingerprint, ObjectFingerprint, ObjectKind, of_config};
pub use table::of_table;

/// The offset basis and the prime of FNV-1a with 64 bits.
const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// A hash. Written as 16 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fingerprint(u64);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Of bytes as they are.
#[must_use]
pub fn of_bytes(bytes: &[u8]) -> Fingerprint {
    FnvHasher::new().bytes(bytes).finish()
}

/// Makes a [`Fingerprint`]. Each method adds one value, and says how long it is, so that
/// no two series of values have the same bytes.
#[derive(Debug)]
struct FnvHasher(u64);

impl FnvHasher {
    fn new() -> Self {
        Self(OFFSET)
    }

    fn finish(&self) -> Fingerprint {
        Fingerprint(self.0)
    }

    fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(PRIME);
        }
        self
    }

    fn number<N: Into<u64>>(&mut self, number: N) -> &mut Self {
        self.bytes(&number.into().to_be_bytes())
    }

    fn length(&mut self, length: usize) -> &mut Self {
        self.bytes(&(length as u64).to_be_bytes())
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.length(text.len()).bytes(text.as_bytes())
    }

    fn flag(&mut self, flag: bool) -> &mut Self {
        self.bytes(&[u8::from(flag)])
    }

    fn span(&mut self, span: Duration) -> &mut Self {
        self.bytes(&span.as_nanos().to_be_bytes())
    }

    fn address(&mut self, address: IpAddr) -> &mut Self {
        match address {
            IpAddr::V4(address) => self.bytes(&[4]).bytes(&address.octets()),
            IpAddr::V6(address) => self.bytes(&[6]).bytes(&address.octets()),
        }
    }

    fn fingerprint(&mut self, fingerprint: Fingerprint) -> &mut Self {
        self.number(fingerprint.0)
    }

    fn optional<T>(&mut self, value: Option<T>, add: impl FnOnce(&mut Self, T)) -> &mut Self {
        match value {
            None => self.flag(false),
            Some(value) => {
                self.flag(true);
                add(self, value);
                self
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the reference implementation's tables (`test_fnv.c`).
    #[test]
    fn the_hash_is_fnv_1a_with_64_bits() {
        for (text, expected) in
            [("", "cbf29ce484222325"), ("a", "af63dc4c8601ec8c"), ("foobar", "85944171f73967e8")]
        {
            assert_eq!(FnvHasher::new().bytes(text.as_bytes()).finish().to_string(), expected);
        }
    }

    #[test]
    fn values_do_not_run_into_each_other() {
        let of = |texts: &[&str]| {
            let mut hasher = FnvHasher::new();
            for text in texts {
                hasher.text(text);
            }
            hasher.finish()
        };
        assert_ne!(of(&["ab", "c"]), of(&["a", "bc"]));
        assert_ne!(of(&["", "a"]), of(&["a", ""]));
        let optional = |value: Option<u64>| {
            let mut hasher = FnvHasher::new();
            let add = |hasher: &mut FnvHasher, it| {
                hasher.number::<u64>(it);
            };
            hasher.optional(value, add).finish()
        };
        assert_ne!(optional(None), optional(Some(0)));
    }
}
