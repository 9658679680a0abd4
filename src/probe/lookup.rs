//! The addresses of a DNS name, by hickory's resolver. Lookups leave from the
//! daemon's own network namespace, whatever that of the probes is.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{RData, RecordType};
use hickory_resolver::{Resolver, TokioResolver};
use tokio::sync::Semaphore;

use crate::domain::resolution::{HostName, IpFamily, LookupAnswer};

/// Lookups at once: after a start with thousands of names they wait for each
/// other and not for a name server that drops what it cannot keep up with.
const AT_ONCE: usize = 64;

/// How long one query to one name server may take; each is queried twice.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Queries name servers; clones share the bound on lookups at once.
#[derive(Clone)]
pub struct NameService {
    resolver: Result<Arc<TokioResolver>, Arc<str>>,
    free: Arc<Semaphore>,
}

impl NameService {
    /// Queries `servers`, or those of the system where there are none. Settings
    /// of the system that cannot be read are the error of each lookup.
    #[must_use]
    pub fn new(servers: &[SocketAddr]) -> Self {
        let resolver = resolver(servers).map(Arc::new).map_err(Arc::from);
        Self { resolver, free: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Looks up `host`. Ends by itself; must run inside a tokio runtime.
    pub async fn look_up(&self, host: &HostName) -> LookupAnswer {
        let resolver = match &self.resolver {
            Ok(resolver) => resolver,
            Err(why) => return LookupAnswer::Failed(why.to_string()),
        };
        // It is never closed: without a permit there would only be no bound.
        let _permit = self.free.acquire().await;
        let kind = match host.family {
            IpFamily::V4 => RecordType::A,
            IpFamily::V6 => RecordType::AAAA,
        };
        let found = match resolver.lookup(host.name.as_str(), kind).await {
            Ok(found) => found,
            Err(error) if error.is_nx_domain() => {
                return LookupAnswer::Failed("no such name".into());
            }
            Err(error) if error.is_no_records_found() => {
                return LookupAnswer::Failed(format!("the name has no {kind} record"));
            }
            Err(error) => return LookupAnswer::Failed(error.to_string()),
        };
        let addresses = found.answers().iter().filter_map(|record| match &record.data {
            RData::A(address) => Some(IpAddr::V4(address.0)),
            RData::AAAA(address) => Some(IpAddr::V6(address.0)),
            _ => None,
        });
        let addresses = addresses.collect();
        // An alias on the way may change sooner than what it leads to.
        let ttl = found.answers().iter().map(|record| record.ttl).min().unwrap_or_default();
        LookupAnswer::Found { addresses, ttl: Duration::from_secs(ttl.into()) }
    }
}

fn resolver(servers: &[SocketAddr]) -> Result<TokioResolver, String> {
    let provider = TokioRuntimeProvider::default;
    let mut builder = if servers.is_empty() {
        Resolver::builder(provider())
            .map_err(|error| format!("the system's name servers cannot be read: {error}"))?
    } else {
        let servers = servers.iter().map(server).collect();
        let config = ResolverConfig::from_parts(None, Vec::new(), servers);
        Resolver::builder_with_config(config, provider())
    };
    let ResolverOpts { cache_size, timeout, .. } = builder.options_mut();
    // The names' own TTLs decide when they are looked up again.
    *cache_size = 0;
    *timeout = TIMEOUT;
    builder.build().map_err(|error| format!("names cannot be looked up: {error}"))
}

/// A name server at a port, over UDP and, for long answers, TCP.
fn server(at: &SocketAddr) -> NameServerConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = at.port();
        connection
    });
    NameServerConfig::new(at.ip(), true, connections.into())
}
