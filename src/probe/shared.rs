//! What the probers of one thread share: ICMP sockets and TLS connectors.
//! Both are made when the first probe asks for them.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::rc::Rc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};

use surge_ping::{Client, Config, ICMP};
use tokio_native_tls::{TlsConnector, native_tls};

/// A handle on what the probers of one thread share; clones share it too.
///
/// An ICMP socket belongs to the runtime in which it was first used: give each
/// thread with a runtime of its own a `Shared` of its own.
#[derive(Clone, Default)]
pub struct Shared {
    inner: Rc<Inner>,
}

#[derive(Default)]
struct Inner {
    roots: Vec<native_tls::Certificate>,
    connectors: RefCell<[Option<TlsConnector>; 2]>,
    icmp: RefCell<HashMap<IpAddr, Client>>,
    sequence: Cell<u16>,
}

impl Shared {
    /// Shares nothing yet; TLS trusts the system's roots.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, and TLS trusts the certificates in `pem` beside the system's.
    ///
    /// # Errors
    ///
    /// The TLS library's, if `pem` does not hold certificates.
    pub fn trusting(pem: &[u8]) -> Result<Self, native_tls::Error> {
        let roots = native_tls::Certificate::stack_from_pem(pem)?;
        Ok(Self { inner: Rc::new(Inner { roots, ..Inner::default() }) })
    }

    /// The connector that does or does not verify certificates. Making one
    /// reads the system's roots, which takes milliseconds and a megabyte; so
    /// all backends share two.
    pub(super) fn connector(&self, verify: bool) -> Result<TlsConnector, native_tls::Error> {
        let mut connectors = self.inner.connectors.borrow_mut();
        let slot = &mut connectors[usize::from(verify)];
        if let Some(connector) = slot {
            return Ok(connector.clone());
        }
        let mut builder = native_tls::TlsConnector::builder();
        builder.danger_accept_invalid_certs(!verify).danger_accept_invalid_hostnames(!verify);
        for root in &self.inner.roots {
            builder.add_root_certificate(root.clone());
        }
        Ok(slot.insert(builder.build()?.into()).clone())
    }

    /// The ICMP socket for `address`'s family that sends from `source`.
    ///
    /// A datagram socket is tried before a raw one: the kernel hands it our
    /// own replies only, while a raw socket gets a copy of all ICMP that
    /// reaches the machine, and a flood of that would crowd out the replies.
    pub(super) fn icmp(&self, address: IpAddr, source: Option<IpAddr>) -> io::Result<Client> {
        let (kind, unspecified) = match address {
            IpAddr::V4(_) => (ICMP::V4, IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            IpAddr::V6(_) => (ICMP::V6, IpAddr::V6(Ipv6Addr::UNSPECIFIED)),
        };
        let mut clients = self.inner.icmp.borrow_mut();
        match clients.entry(source.unwrap_or(unspecified)) {
            Entry::Occupied(client) => Ok(client.get().clone()),
            Entry::Vacant(vacant) => {
                let mut config = Config::builder().kind(kind);
                if let Some(source) = source {
                    config = config.bind(SocketAddr::new(source, 0));
                }
                Ok(vacant.insert(Client::new(&config.build())?).clone())
            }
        }
    }

    /// A sequence number that no other echo request of these sockets in
    /// flight has: a datagram socket has one identifier for all backends, so
    /// this is what tells two probes of one address apart.
    pub(super) fn next_sequence(&self) -> u16 {
        let sequence = &self.inner.sequence;
        sequence.replace(sequence.get().wrapping_add(1))
    }
}

/// An identifier for a backend's echo requests. Unique in the process, not
/// only in a `Shared`: raw sockets of other threads see the same replies. The
/// random start keeps two processes apart.
pub(super) fn next_identifier() -> u16 {
    static NEXT: OnceLock<AtomicU16> = OnceLock::new();
    NEXT.get_or_init(|| AtomicU16::new(fastrand::u16(..))).fetch_add(1, Ordering::Relaxed)
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("roots", &self.inner.roots.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_read_once_for_each_way_to_verify() {
        let shared = Shared::new();
        shared.connector(true).unwrap();
        assert!(shared.inner.connectors.borrow()[0].is_none());
        shared.connector(false).unwrap();
        shared.clone().connector(false).unwrap();
        assert!(shared.inner.connectors.borrow().iter().all(Option::is_some));
    }

    #[test]
    fn echo_requests_are_told_apart() {
        let shared = Shared::new();
        let numbers: Vec<u16> = (0..3).map(|_| shared.clone().next_sequence()).collect();
        assert_eq!(numbers, [0, 1, 2]);
        assert_ne!(next_identifier(), next_identifier());
    }

    #[test]
    fn what_is_no_certificate_is_refused() {
        assert!(Shared::trusting(b"-----BEGIN CERTIFICATE-----\nno\n").is_err());
    }
}
