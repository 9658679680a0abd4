//! How often a password may be tried: a few times at once, then after waits that double,
//! by the name that is tried and by the address that tries. An attempt counts as failed
//! until it has passed, so that a thousand at one time are a thousand.
//!
//! The wait of a name is short, since whoever knows it could lock its owner out.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

/// Attempts without a wait.
const FREE: u32 = 5;
/// The first wait; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_OF_NAME: Duration = Duration::from_secs(15);
const LONGEST_OF_ADDRESS: Duration = Duration::from_secs(300);
/// What was not tried for so long is forgotten.
const MEMORY: Duration = Duration::from_secs(900);
/// Names and addresses that are remembered, each.
const MOST: usize = 4096;

/// What a bound is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum ThrottleKey {
    Name(String),
    /// Of IPv6 the network of 64 bits: a client has all of it.
    Address(IpAddr),
    /// All processes behind Unix sockets.
    UnixSocket,
}

#[derive(Clone, Copy, Debug)]
struct Attempts {
    count: u32,
    last: Instant,
}

/// The attempts of late.
#[derive(Debug, Default)]
pub struct LoginThrottle {
    names: BTreeMap<ThrottleKey, Attempts>,
    addresses: BTreeMap<ThrottleKey, Attempts>,
}

impl LoginThrottle {
    /// Begins an attempt. `address`: `None` on a Unix socket.
    ///
    /// # Errors
    /// How long to wait before the next: this one is not made.
    pub fn begin(
        &mut self,
        name: &str,
        address: Option<IpAddr>,
        now: Instant,
    ) -> Result<(), Duration> {
        let (name, address) = keys(name, address);
        let waits = [
            wait(self.names.get(&name), LONGEST_OF_NAME, now),
            wait(self.addresses.get(&address), LONGEST_OF_ADDRESS, now),
        ];
        if let Some(wait) = waits.into_iter().flatten().max() {
            return Err(wait);
        }
        count(&mut self.names, name, now);
        count(&mut self.addresses, address, now);
        Ok(())
    }

    /// The attempt has passed: what came before of this name counts no more.
    pub fn passed(&mut self, name: &str, address: Option<IpAddr>) {
        let (name, address) = keys(name, address);
        self.names.remove(&name);
        // Others behind the same address may go on failing.
        if let Some(attempts) = self.addresses.get_mut(&address) {
            attempts.count = attempts.count.saturating_sub(1);
        }
    }

    /// How many names and addresses are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len() + self.addresses.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn keys(name: &str, address: Option<IpAddr>) -> (ThrottleKey, ThrottleKey) {
    let address = address.map_or(ThrottleKey::UnixSocket, |address| {
        ThrottleKey::Address(match address.to_canonical() {
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Ipv6Addr::from([a, b, c, d, 0, 0, 0, 0]).into()
            }
            address @ IpAddr::V4(_) => address,
        })
    });
    (ThrottleKey::Name(name.to_owned()), address)
}

fn wait(attempts: Option<&Attempts>, longest: Duration, now: Instant) -> Option<Duration> {
    let attempts = attempts.filter(|attempts| now < attempts.last + MEMORY)?;
    let doublings = attempts.count.checked_sub(FREE)?;
    let wait = FIRST_WAIT.saturating_mul(1 << doublings.min(16)).min(longest);
    let left = (attempts.last + wait).saturating_duration_since(now);
    (!left.is_zero()).then_some(left)
}

fn count(attempts: &mut BTreeMap<ThrottleKey, Attempts>, key: ThrottleKey, now: Instant) {
    if !attempts.contains_key(&key) && attempts.len() >= MOST {
        attempts.retain(|_, attempts| now < attempts.last + MEMORY);
        if attempts.len() >= MOST {
            let oldest = attempts.iter().min_by_key(|(_, attempts)| attempts.last);
            if let Some(key) = oldest.map(|(key, _)| key.clone()) {
                attempts.remove(&key);
            }
        }
    }
    let attempts = attempts.entry(key).or_insert(Attempts { count: 0, last: now });
    if now >= attempts.last + MEMORY {
        attempts.count = 0;
    }
    attempts.count += 1;
    attempts.last = now;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn waits_double_and_end_with_success() {
        let mut now = Instant::now();
        let mut throttle = LoginThrottle::default();
        let from = address("192.0.2.1");
        for _ in 0..FREE {
            assert_eq!(throttle.begin("ann", from, now), Ok(()));
        }
        for expected in [1, 2, 4, 8, 16] {
            assert_eq!(throttle.begin("ann", from, now), Err(seconds(expected)));
            now += seconds(expected);
            assert_eq!(throttle.begin("ann", from, now), Ok(()), "after {expected} s");
        }
        throttle.passed("ann", from);
        assert_eq!(throttle.begin("ann", address("192.0.2.9"), now), Ok(()));
        assert_eq!(throttle.begin("bob", from, now), Err(seconds(16)), "others fail from there");
    }

    #[test]
    fn a_name_is_slowed_from_everywhere_but_not_for_long() {
        let now = Instant::now();
        let mut throttle = LoginThrottle::default();
        let mut begun = 0;
        for number in 0..100 {
            let at = now + seconds(20 * number);
            let from = address(&format!("192.0.2.{number}"));
            begun += u32::from(throttle.begin("ann", from, at).is_ok());
        }
        assert_eq!(begun, 100, "an owner never waits more than 15 s");
        let last = now + seconds(20 * 99);
        assert_eq!(throttle.begin("ann", address("198.51.100.1"), last), Err(LONGEST_OF_NAME));
    }

    #[test]
    fn an_address_is_slowed_whatever_it_tries_and_a_network_of_ipv6_is_one() {
        let now = Instant::now();
        let mut throttle = LoginThrottle::default();
        for number in 0..FREE {
            let from = address(&format!("2001:db8::{number}"));
            throttle.begin(&number.to_string(), from, now).unwrap();
        }
        assert!(throttle.begin("x", address("2001:db8::ffff:1"), now).is_err());
        assert!(throttle.begin("x", address("2001:db8:0:1::1"), now).is_ok());
        assert!(throttle.begin("x", None, now).is_ok());
    }

    #[test]
    fn memory_is_bounded_and_what_is_long_past_is_forgotten() {
        let now = Instant::now();
        let mut throttle = LoginThrottle::default();
        for number in 0..u32::try_from(2 * MOST).unwrap() {
            let from = Some(IpAddr::from(number.to_be_bytes()));
            throttle.begin(&number.to_string(), from, now).unwrap();
        }
        assert_eq!(throttle.len(), 2 * MOST);
        let mut throttle = LoginThrottle::default();
        let from = address("192.0.2.1");
        for _ in 0..FREE {
            throttle.begin("ann", from, now).unwrap();
        }
        assert!(throttle.begin("ann", from, now).is_err());
        assert!(throttle.begin("ann", from, now + MEMORY).is_ok());
        assert!(throttle.begin("ann", from, now + MEMORY).is_ok(), "it begins anew");
    }
}
