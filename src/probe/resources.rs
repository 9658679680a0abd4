//! What probers share: the probers of one thread TLS connectors, requests and
//! questions, all of them ICMP sockets. Each is made when a probe needs it first.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::rc::Rc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use surge_ping::{Client, Config, ICMP};
use tokio::runtime::Handle;
use tokio_native_tls::{TlsConnector, native_tls};

use super::common::Common;
use super::credentials::ConnectorFromFiles;
use super::dns::question::DnsQuestion;
use super::fault::ProbeFault;
use super::http::http2_spec::Http2ExchangeSpec;
use super::http::spec::HttpExchangeSpec;
use super::namespace::{Identity, Namespace, NamespaceError};
use super::open::open_in;
use super::prepared_steps::PreparedSteps;
use super::slots::Slots;
use crate::domain::config::{
    CheckStep, DnsExchange, HealthCheckerSettings, HttpExchange, TlsClient,
};
use crate::domain::histogram::AtomicHistogram;

/// The resources that the probers of one thread share; clones share them too.
#[derive(Clone, Default)]
pub struct ThreadResources {
    inner: Rc<ThreadState>,
}

/// The environment of all threads that probe. Unlike [`ThreadResources`] it can be
/// sent to another thread.
#[derive(Clone, Debug)]
pub struct ProbeEnvironment {
    /// `None`: the daemon's own.
    pub namespace: Option<Namespace>,
    /// The bound on probes in flight.
    pub slots: Slots,
    pub icmp_sockets: IcmpSockets,
    /// How long after they were due probes began, all backends together.
    pub late: Arc<AtomicHistogram>,
}

/// The ICMP sockets of all threads, one a source address (or family): raw ones
/// get a copy of all ICMP that reaches the machine, each of them.
///
/// A socket is read by the runtime that first used it, which must live as long
/// as the probes do.
#[derive(Clone, Debug, Default)]
pub struct IcmpSockets(Arc<SocketsBySource>);

#[derive(Default)]
struct SocketsBySource {
    /// A cache: open sockets by their source address, each with the namespace that
    /// it is in. The lock is held while the map is read or an entry is stored, not
    /// while a socket is opened, and never across an `await`. Nothing is decided
    /// by what it holds: a thread that finds no entry opens a socket, and of two
    /// that do so at once one socket is kept. It is shared because a socket for
    /// each thread would cost each of them a copy of every ICMP packet.
    open: Mutex<HashMap<IpAddr, (Option<Identity>, Client)>>,
    sequence: AtomicU16,
}

impl IcmpSockets {
    fn get(&self, source: IpAddr, identity: Option<Identity>) -> Option<Client> {
        let open = self.0.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.get(&source).filter(|(of, _)| *of == identity).map(|(_, client)| client.clone())
    }

    fn put(&self, source: IpAddr, identity: Option<Identity>, client: &Client) {
        let mut open = self.0.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.insert(source, (identity, client.clone()));
    }
}

impl std::fmt::Debug for SocketsBySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SocketsBySource").finish_non_exhaustive()
    }
}

impl ProbeEnvironment {
    /// The environment that the settings ask for.
    ///
    /// # Errors
    /// The network namespace cannot be entered.
    pub fn prepare(settings: &HealthCheckerSettings) -> Result<Self, NamespaceError> {
        let namespace = settings.netns.as_deref().map(Namespace::enter).transpose()?;
        let slots = Slots::new(Slots::bound(settings.max_probes));
        Ok(Self { namespace, slots, ..Self::default() })
    }
}

impl Default for ProbeEnvironment {
    fn default() -> Self {
        let (namespace, icmp_sockets, late) = Default::default();
        Self { namespace, slots: Slots::new(usize::MAX), icmp_sockets, late }
    }
}

#[derive(Default)]
struct ThreadState {
    environment: ProbeEnvironment,
    roots: Vec<native_tls::Certificate>,
    connectors: RefCell<[Option<TlsConnector>; 2]>,
    /// The last renewal of the roots.
    renewal: Cell<u64>,
    /// Each with the renewal that it is of, and whether it verifies.
    clients: Common<(u64, bool, TlsClient), ConnectorFromFiles>,
    http: Common<HttpExchange, HttpExchangeSpec>,
    http2: Common<HttpExchange, Http2ExchangeSpec>,
    dns: Common<DnsExchange, DnsQuestion>,
    steps: Common<Vec<CheckStep>, PreparedSteps>,
}

impl ThreadResources {
    /// Nothing is made yet; TLS trusts the system's roots. Probes leave from the
    /// daemon's own namespace, without a bound.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same in this environment.
    #[must_use]
    pub fn on(environment: ProbeEnvironment) -> Self {
        Self { inner: Rc::new(ThreadState { environment, ..ThreadState::default() }) }
    }

    /// The bound on probes in flight.
    #[must_use]
    pub fn slots(&self) -> &Slots {
        &self.inner.environment.slots
    }

    /// How late probes begin.
    #[must_use]
    pub fn late(&self) -> &AtomicHistogram {
        &self.inner.environment.late
    }

    /// Where sockets are opened; `None`: in the daemon's own namespace.
    pub(super) fn namespace(&self) -> Option<&Namespace> {
        self.inner.environment.namespace.as_ref()
    }

    /// As [`new`](Self::new), and TLS trusts the certificates in `pem` too.
    ///
    /// # Errors
    ///
    /// The TLS library's, if `pem` does not hold certificates.
    pub fn trusting(pem: &[u8]) -> Result<Self, native_tls::Error> {
        let roots = native_tls::Certificate::stack_from_pem(pem)?;
        Ok(Self { inner: Rc::new(ThreadState { roots, ..ThreadState::default() }) })
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

    /// The connector of a client that is not as most are. It is made when a probe needs it
    /// first.
    pub(super) fn connector_of(
        &self,
        verify: bool,
        client: &TlsClient,
    ) -> Result<Rc<ConnectorFromFiles>, native_tls::Error> {
        let key = (self.inner.renewal.get(), verify, client.clone());
        self.inner.clients.get(&key, |_| Ok(ConnectorFromFiles::new(verify, client)))
    }

    /// Has the next connector read the system's roots again. Each renewal has a number,
    /// so that the first prober of a thread that asks for it does it for all of them.
    pub fn renew_roots(&self, renewal: u64) {
        if self.inner.renewal.replace(renewal) != renewal {
            *self.inner.connectors.borrow_mut() = Default::default();
        }
    }

    pub(super) fn http_specs(&self) -> &Common<HttpExchange, HttpExchangeSpec> {
        &self.inner.http
    }

    pub(super) fn http2_specs(&self) -> &Common<HttpExchange, Http2ExchangeSpec> {
        &self.inner.http2
    }

    pub(super) fn dns_questions(&self) -> &Common<DnsExchange, DnsQuestion> {
        &self.inner.dns
    }

    pub(super) fn steps(&self) -> &Common<Vec<CheckStep>, PreparedSteps> {
        &self.inner.steps
    }

    /// The ICMP socket for `address`'s family that sends from `source`.
    ///
    /// A datagram socket is tried before a raw one: the kernel hands it our
    /// own replies only, while a raw socket gets a copy of all ICMP that
    /// reaches the machine, and a flood of that would crowd out the replies.
    pub(super) async fn icmp_socket(
        &self,
        address: IpAddr,
        source: Option<IpAddr>,
    ) -> Result<io::Result<Client>, ProbeFault> {
        let (kind, unspecified) = match address {
            IpAddr::V4(_) => (ICMP::V4, IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            IpAddr::V6(_) => (ICMP::V6, IpAddr::V6(Ipv6Addr::UNSPECIFIED)),
        };
        let key = source.unwrap_or(unspecified);
        // A namespace that was made anew needs another socket.
        let identity = self.namespace().map(Namespace::identity).transpose();
        let identity = identity.map_err(ProbeFault::Namespace)?;
        let sockets = &self.inner.environment.icmp_sockets;
        if let Some(client) = sockets.get(key, identity) {
            return Ok(Ok(client));
        }
        let mut config = Config::builder().kind(kind);
        if let Some(source) = source {
            config = config.bind(SocketAddr::new(source, 0));
        }
        let (config, runtime) = (config.build(), Handle::current());
        let open = move || {
            // Its replies are to be read by this thread's runtime, whichever
            // thread opens it.
            let _in_runtime = runtime.enter();
            Client::new(&config)
        };
        let opened = open_in(self.namespace(), open).await?;
        Ok(opened.inspect(|client| sockets.put(key, identity, client)))
    }

    /// A sequence number that no other echo request of these sockets in
    /// flight has: a datagram socket has one identifier for all backends, so
    /// this alone distinguishes two probes of one address.
    pub(super) fn next_sequence(&self) -> u16 {
        self.inner.environment.icmp_sockets.0.sequence.fetch_add(1, Ordering::Relaxed)
    }
}

/// An identifier for a backend's echo requests. Unique in the process, not
/// only in a `ThreadResources`: raw sockets of other threads see the same replies. The
/// random start keeps two processes apart.
pub(super) fn next_identifier() -> u16 {
    static NEXT: OnceLock<AtomicU16> = OnceLock::new();
    NEXT.get_or_init(|| AtomicU16::new(fastrand::u16(..))).fetch_add(1, Ordering::Relaxed)
}

impl std::fmt::Debug for ThreadResources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ThreadResources")
            .field("roots", &self.inner.roots.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_read_once_with_and_without_verification() {
        let resources = ThreadResources::new();
        resources.connector(true).unwrap();
        assert!(resources.inner.connectors.borrow()[0].is_none());
        resources.connector(false).unwrap();
        resources.clone().connector(false).unwrap();
        assert!(resources.inner.connectors.borrow().iter().all(Option::is_some));
    }

    #[test]
    fn a_renewal_reads_the_roots_once_more_for_all_probers_of_a_thread() {
        let resources = ThreadResources::new();
        let is_read = || resources.inner.connectors.borrow()[1].is_some();
        resources.connector(true).unwrap();
        resources.clone().renew_roots(1);
        assert!(!is_read());
        resources.connector(true).unwrap();
        resources.renew_roots(1);
        assert!(is_read(), "the second prober shares what the first has read");
        resources.renew_roots(2);
        assert!(!is_read());
    }

    #[test]
    fn no_two_echo_requests_are_alike() {
        let resources = ThreadResources::new();
        let numbers: Vec<u16> = (0..3).map(|_| resources.clone().next_sequence()).collect();
        assert_eq!(numbers, [0, 1, 2]);
        assert_ne!(next_identifier(), next_identifier());
    }

    #[test]
    fn what_is_no_certificate_is_refused() {
        assert!(ThreadResources::trusting(b"-----BEGIN CERTIFICATE-----\nno\n").is_err());
    }
}
