//! The addresses of a name: those of the hosts file, or else those that name servers
//! give, asked by hickory's resolver. Lookups leave from the daemon's own network
//! namespace, whatever that of the probes is.

mod hosts;
mod name_servers;

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::Resolver;
use hickory_resolver::config::{ResolveHosts, ResolverOpts};
use hickory_resolver::proto::rr::{RData, RecordType};
use tokio::sync::Semaphore;

use super::name::dns_name;
use crate::domain::resolution::{HostName, IpFamily, LookupAnswer};
use name_servers::{NameServers, ScopedRuntime};

/// Lookups at once: after a start with thousands of names they wait for each
/// other and not for a name server that drops what it cannot keep up with.
const AT_ONCE: usize = 64;

/// How long one query to one name server may take; each is queried twice.
const TIMEOUT: Duration = Duration::from_secs(3);

/// How long an entry of the hosts file is used before it is looked up again.
const HOSTS_TTL: Duration = Duration::from_secs(5);

/// Looks up names; clones share the bound on lookups at once.
#[derive(Clone)]
pub struct NameService {
    hosts: Arc<Path>,
    resolver: Result<Arc<Resolver<ScopedRuntime>>, Arc<str>>,
    free: Arc<Semaphore>,
}

/// The files that the system's settings are read from.
struct SystemFiles {
    hosts: PathBuf,
    resolv_conf: PathBuf,
    /// Of the name servers in `resolv_conf`.
    port: u16,
}

impl Default for SystemFiles {
    fn default() -> Self {
        let (hosts, resolv_conf) = ("/etc/hosts".into(), "/etc/resolv.conf".into());
        Self { hosts, resolv_conf, port: 53 }
    }
}

impl NameService {
    /// Asks `servers`, or those of the system where there are none. Settings of the
    /// system that cannot be read are the error of each lookup that the hosts file does
    /// not answer.
    #[must_use]
    pub fn new(servers: &[SocketAddr]) -> Self {
        Self::with_files(&SystemFiles::default(), servers)
    }

    fn with_files(files: &SystemFiles, servers: &[SocketAddr]) -> Self {
        let resolver = resolver(files, servers).map(Arc::new).map_err(Arc::from);
        let hosts = Arc::from(files.hosts.as_path());
        Self { hosts, resolver, free: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Looks up `host`. Ends by itself; must run inside a tokio runtime.
    pub async fn look_up(&self, host: &HostName) -> LookupAnswer {
        // It is never closed: without a permit there would only be no bound.
        let _permit = self.free.acquire().await;
        match self.in_hosts_file(host).await {
            Some(addresses) => LookupAnswer::Found { addresses, ttl: HOSTS_TTL },
            None => self.ask(host).await,
        }
    }

    /// The addresses that the hosts file has. A file that cannot be read has none, as
    /// for the system's own resolver.
    async fn in_hosts_file(&self, host: &HostName) -> Option<Vec<IpAddr>> {
        let (path, host) = (Arc::clone(&self.hosts), host.clone());
        let read = tokio::task::spawn_blocking(move || hosts::addresses(&path, &host));
        let found = read.await.ok()?.ok()?;
        (!found.is_empty()).then_some(found)
    }

    async fn ask(&self, host: &HostName) -> LookupAnswer {
        let resolver = match &self.resolver {
            Ok(resolver) => resolver,
            Err(why) => return LookupAnswer::Failed(why.to_string()),
        };
        let kind = match host.family {
            IpFamily::V4 => RecordType::A,
            IpFamily::V6 => RecordType::AAAA,
        };
        let Some(name) = dns_name(&host.name) else {
            return LookupAnswer::Failed("it is not a DNS name".into());
        };
        let found = match resolver.lookup(name, kind).await {
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

fn resolver(
    files: &SystemFiles,
    servers: &[SocketAddr],
) -> Result<Resolver<ScopedRuntime>, String> {
    let NameServers { config, options, runtime } = if servers.is_empty() {
        name_servers::of_system(&files.resolv_conf, files.port).map_err(|error| {
            let path = files.resolv_conf.display();
            format!("the system's name servers cannot be read: {path}: {error}")
        })?
    } else {
        name_servers::of_addresses(servers)
    };
    let mut builder = Resolver::builder_with_config(config, runtime);
    *builder.options_mut() = options;
    let ResolverOpts { cache_size, timeout, use_hosts_file, .. } = builder.options_mut();
    // The names' own TTLs decide when they are looked up again.
    *cache_size = 0;
    *timeout = TIMEOUT;
    // It is read here, and at each lookup.
    *use_hosts_file = ResolveHosts::Never;
    builder.build().map_err(|error| format!("names cannot be looked up: {error}"))
}

#[cfg(test)]
mod tests;
