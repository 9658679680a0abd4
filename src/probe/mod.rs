//! One probe of each kind, as one asynchronous function that ends in a
//! [`ProbeResult`]. Nothing here decides whether a backend is up, nor when the
//! next probe is due: that is the caller's.
//!
//! A kind of check is one file with a `prepare` that does all the work that
//! can be done once, and an `attempt` that makes one probe. `attempt` moves
//! the [`Layer`] along, so that a timeout or an IO error is told of the layer
//! in which it happened; [`fault`] makes the finding of it, for every kind.

mod common;
mod dial;
mod dns;
mod exchange;
mod fault;
mod http;
mod icmp;
mod lookup;
mod namespace;
mod resources;
mod slots;
mod tcp;
mod thread_resources;
mod tls;

use std::net::IpAddr;
use std::time::Duration;

use hickory_resolver::proto::ProtoError;
use thiserror::Error;
use tokio::time::timeout;
use tokio_native_tls::native_tls;

use crate::domain::config::{CheckKind, HealthCheck};
use crate::domain::health::probe_result::ProbeResult;
use fault::{Layer, ProbeFault};

pub use lookup::NameService;
pub use namespace::{Namespace, NamespaceError};
pub use resources::{IcmpSockets, ProbeEnvironment, ThreadResources};
pub use slots::{SlotStats, Slots};
pub use thread_resources::thread_resources;

/// A health check made ready for one backend.
///
/// It holds no socket: each run opens its own and closes it, also when the
/// future is dropped before its end.
#[derive(Debug)]
pub struct Probe {
    timeout: Duration,
    kind: PreparedKind,
}

/// What is probed, prepared.
#[derive(Debug)]
enum PreparedKind {
    Icmp(icmp::Echo),
    Tcp(tcp::TcpProbe),
    Http(http::Http),
    Dns(dns::Dns),
}

impl Probe {
    /// Prepares `check` for the backend at `address`: builds the request,
    /// compiles the regular expression, fetches the TLS connector.
    ///
    /// # Errors
    ///
    /// [`PrepareError`] if the check holds something that cannot be sent.
    pub fn prepare(
        check: &HealthCheck,
        address: IpAddr,
        shared: &ThreadResources,
    ) -> Result<Self, PrepareError> {
        let source = match address {
            IpAddr::V4(_) => check.source_v4.map(IpAddr::V4),
            IpAddr::V6(_) => check.source_v6.map(IpAddr::V6),
        };
        let target = |port| dial::Target::new(address, port, source).within(shared.namespace());
        let kind = match &check.kind {
            CheckKind::Icmp => PreparedKind::Icmp(icmp::Echo::prepare(address, source, shared)),
            CheckKind::Tcp { port, tls } => {
                PreparedKind::Tcp(tcp::TcpProbe::prepare(target(*port), tls.as_ref(), shared)?)
            }
            CheckKind::Http { port, tls, exchange } => PreparedKind::Http(http::Http::prepare(
                target(*port),
                tls.as_ref(),
                exchange,
                shared,
            )?),
            CheckKind::Dns { port, exchange } => {
                PreparedKind::Dns(dns::Dns::prepare(target(*port), exchange, shared)?)
            }
        };
        Ok(Self { timeout: check.timing.timeout, kind })
    }

    /// Makes one probe and tells what it found, after the check's timeout at
    /// the latest. Must run inside a tokio runtime with IO and time.
    pub async fn run(&self) -> ProbeResult {
        let mut layer = match self.kind {
            PreparedKind::Icmp(_) => Layer::Network,
            _ => Layer::Connect,
        };
        let outcome = timeout(self.timeout, self.kind.attempt(&mut layer)).await;
        match outcome {
            Ok(Ok(finding)) => finding,
            Ok(Err(fault)) => fault.found_in(layer),
            Err(_) => layer.timed_out(self.timeout),
        }
    }
}

impl PreparedKind {
    async fn attempt(&self, layer: &mut Layer) -> Result<ProbeResult, ProbeFault> {
        match self {
            // Boxed: its state is several times that of a plain exchange.
            Self::Icmp(echo) => Box::pin(echo.attempt()).await,
            Self::Tcp(connection) => connection.attempt(layer).await,
            Self::Http(http) => http.attempt(layer).await,
            // Boxed: it holds its query.
            Self::Dns(dns) => Box::pin(dns.attempt(layer)).await,
        }
    }
}

/// A check that cannot be made, whatever the backend does.
#[derive(Debug, Error)]
pub enum PrepareError {
    /// The path would not survive in a request line.
    #[error("path {path:?} must start with / and be printable ASCII without spaces")]
    Path {
        /// As configured.
        path: String,
    },
    /// The host would not survive in a header.
    #[error("host {host:?} must be printable ASCII without spaces")]
    Host {
        /// As configured.
        host: String,
    },
    /// The server name cannot be asked for in a TLS handshake.
    #[error("server name {name:?} must be a host name or an address")]
    ServerName {
        /// As configured, or derived from the host.
        name: String,
    },
    /// The regular expression does not compile.
    #[error("response-regexp: {0}")]
    Regexp(#[from] Box<regex::Error>),
    /// The TLS library refused its settings.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] native_tls::Error),
    /// The query is not a domain name.
    #[error("query {query:?} is not a domain name: {source}")]
    Query {
        /// As configured.
        query: String,
        /// What is wrong with it.
        source: ProtoError,
    },
    /// The record type is not known.
    #[error("record {record:?} is not a record type; write its name (AAAA) or TYPE and a number")]
    Record {
        /// As configured.
        record: String,
    },
    /// The expression for the answer does not compile.
    #[error("expect-answer: {0}")]
    Answer(Box<regex::Error>),
    /// The response code is not one that a plain query can be answered with.
    #[error("expect-rcode {rcode:?} is not one of {}", dns::RCODES.join(", "))]
    Rcode {
        /// As configured.
        rcode: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::config::Timing;
    use std::num::NonZeroU32;

    #[test]
    fn a_run_is_small() {
        let second = Duration::from_secs(1);
        let check = HealthCheck {
            kind: CheckKind::Icmp,
            timing: Timing {
                interval: second,
                fast_interval: second,
                down_interval: second,
                timeout: second,
                rise: NonZeroU32::MIN,
                fall: NonZeroU32::MIN,
            },
            source_v4: None,
            source_v6: None,
        };
        let probe =
            Probe::prepare(&check, IpAddr::from([127, 0, 0, 1]), &ThreadResources::new()).unwrap();
        let run = probe.run();
        // Made anew for each probe: an allocator has the smaller sizes at hand,
        // and a buffer that found its way into the future would show here.
        assert!(size_of_val(&run) <= 512, "{} bytes", size_of_val(&run));
        // There is one a backend: what its kind shares does not belong into it.
        assert!(size_of_val(&probe) <= 104, "{} bytes", size_of_val(&probe));
    }
}
