//! The name servers that are asked: those of the configuration, or those of
//! `/etc/resolv.conf` (resolv.conf(5)).

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, UdpSocket};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::{RuntimeProvider, TokioRuntimeProvider};
use hickory_resolver::system_conf::parse_resolv_conf;
use rustix::net::netdevice::name_to_index;

/// Name servers, how they are asked, and the interface of each that is link-local.
pub(super) struct NameServers {
    pub(super) config: ResolverConfig,
    pub(super) options: ResolverOpts,
    pub(super) runtime: ScopedRuntime,
}

/// The name servers of the configuration.
pub(super) fn of_addresses(servers: &[SocketAddr]) -> NameServers {
    let scopes = servers.iter().filter_map(|server| match server {
        SocketAddr::V6(server) if server.scope_id() != 0 => Some((*server.ip(), server.scope_id())),
        _ => None,
    });
    let runtime = ScopedRuntime::new(scopes.collect());
    let servers = servers.iter().map(|server| at(server.ip(), server.port())).collect();
    let config = ResolverConfig::from_parts(None, Vec::new(), servers);
    NameServers { config, options: ResolverOpts::default(), runtime }
}

/// The name servers of the file at `path`, at `port`: without a file, or without a name
/// server in it, those of this machine.
///
/// # Errors
/// The file cannot be read, or none of its name servers can be asked.
pub(super) fn of_system(path: &Path, port: u16) -> io::Result<NameServers> {
    let text = match std::fs::read(path) {
        Ok(text) => String::from_utf8_lossy(&text).into_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    let mut servers = Vec::new();
    let mut scopes = BTreeMap::new();
    let mut refused = None;
    let mut rest = String::new();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        match (words.next(), words.next()) {
            (Some("nameserver"), Some(server)) => match scoped_address(server) {
                Ok((address, scope)) => {
                    servers.push(address);
                    if let (IpAddr::V6(address), Some(scope)) = (address, scope) {
                        scopes.insert(address, scope);
                    }
                }
                // It is the error only if no other can be asked.
                Err(why) => refused = Some(format!("nameserver {server}: {why}")),
            },
            _ => rest.extend([line, "\n"]),
        }
    }
    if servers.is_empty() {
        if let Some(why) = refused {
            return Err(io::Error::other(why));
        }
        servers = vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    }
    // The parser accepts no file without a name server; the real ones follow.
    rest.push_str("nameserver 127.0.0.1\n");
    let (config, options) = parse_resolv_conf(rest).map_err(io::Error::other)?;
    let servers = servers.into_iter().map(|address| at(address, port)).collect();
    let (domain, search) = (config.domain().cloned(), config.search().to_vec());
    let config = ResolverConfig::from_parts(domain, search, servers);
    Ok(NameServers { config, options, runtime: ScopedRuntime::new(scopes) })
}

/// A name server at a port, over UDP and, for long answers, TCP.
fn at(address: IpAddr, port: u16) -> NameServerConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = port;
        connection
    });
    NameServerConfig::new(address, true, connections.into())
}

/// An address and the index of its zone, which is an interface's name or index
/// (RFC 4007): `fe80::1%eth0`.
fn scoped_address(text: &str) -> Result<(IpAddr, Option<u32>), String> {
    let (address, zone) = match text.split_once('%') {
        Some((address, zone)) => (address, Some(zone)),
        None => (text, None),
    };
    let address = address.parse().map_err(|_| "no IP address".to_owned())?;
    let index = |zone: &str| {
        if let Ok(index) = zone.parse() {
            return Ok(index);
        }
        let socket =
            UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|error| error.to_string())?;
        name_to_index(&socket, zone).map_err(|_| format!("there is no interface {zone}"))
    };
    Ok((address, zone.map(index).transpose()?))
}

/// Tokio's sockets, bound to the interface of a link-local name server: the resolver
/// knows addresses without zones.
#[derive(Clone)]
pub(super) struct ScopedRuntime {
    tokio: TokioRuntimeProvider,
    /// The interface's index of each address that has a zone.
    scopes: Arc<BTreeMap<Ipv6Addr, u32>>,
}

impl ScopedRuntime {
    fn new(scopes: BTreeMap<Ipv6Addr, u32>) -> Self {
        Self { tokio: TokioRuntimeProvider::default(), scopes: Arc::new(scopes) }
    }

    fn scoped(&self, server: SocketAddr) -> Option<SocketAddr> {
        let SocketAddr::V6(server) = server else { return None };
        let scope = self.scopes.get(server.ip())?;
        Some(SocketAddrV6::new(*server.ip(), server.port(), 0, *scope).into())
    }
}

type SocketFuture<T> = Pin<Box<dyn Send + Future<Output = io::Result<T>>>>;

impl RuntimeProvider for ScopedRuntime {
    type Handle = <TokioRuntimeProvider as RuntimeProvider>::Handle;
    type Timer = <TokioRuntimeProvider as RuntimeProvider>::Timer;
    type Udp = <TokioRuntimeProvider as RuntimeProvider>::Udp;
    type Tcp = <TokioRuntimeProvider as RuntimeProvider>::Tcp;

    fn create_handle(&self) -> Self::Handle {
        self.tokio.create_handle()
    }

    fn connect_tcp(
        &self,
        server: SocketAddr,
        bind_to: Option<SocketAddr>,
        timeout: Option<Duration>,
    ) -> SocketFuture<Self::Tcp> {
        self.tokio.connect_tcp(self.scoped(server).unwrap_or(server), bind_to, timeout)
    }

    fn bind_udp(&self, local: SocketAddr, server: SocketAddr) -> SocketFuture<Self::Udp> {
        let (bound, scoped) = (self.tokio.bind_udp(local, server), self.scoped(server));
        Box::pin(async move {
            let socket = bound.await?;
            if let Some(scoped) = scoped {
                // Linux takes the interface from here also for what is sent to the
                // address without its zone.
                socket.connect(scoped).await?;
            }
            Ok(socket)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The name servers, the interfaces of those that are link-local, and the search
    /// list of a resolv.conf, or the error.
    fn read(text: &str) -> String {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("resolv.conf");
        std::fs::write(&path, text).unwrap();
        let NameServers { config, runtime, .. } = match of_system(&path, 53) {
            Ok(servers) => servers,
            Err(error) => return error.to_string(),
        };
        let servers = config.name_servers().iter().map(|server| match server.ip {
            IpAddr::V6(ip) if runtime.scopes.contains_key(&ip) => {
                format!("{ip}%{}", runtime.scopes[&ip])
            }
            ip => ip.to_string(),
        });
        let search = config.search().iter().map(|name| format!("+{name}"));
        servers.chain(search).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn name_servers_are_those_of_resolv_conf_or_of_this_machine() {
        for (text, expected) in [
            ("nameserver 192.0.2.53\nnameserver 2001:db8::53\n", "192.0.2.53 2001:db8::53"),
            ("", "127.0.0.1 ::1"),
            ("# nothing\nsearch example.org\noptions ndots:1\n", "127.0.0.1 ::1 +example.org"),
            ("nameserver fe80::1%lo\nsearch a.test b.test", "fe80::1%1 +a.test +b.test"),
            ("nameserver fe80::1%7\nnameserver 192.0.2.1 # x\n", "fe80::1%7 192.0.2.1"),
            ("nameserver fe80::1%none0\nnameserver 192.0.2.1\n", "192.0.2.1"),
            ("nameserver fe80::1%none0\n", "nameserver fe80::1%none0: there is no interface none0"),
            ("nameserver here\n", "nameserver here: no IP address"),
        ] {
            assert_eq!(read(text), expected, "{text:?}");
        }
        let NameServers { config, .. } = of_system(Path::new("/nowhere/resolv.conf"), 53).unwrap();
        assert_eq!(config.name_servers().len(), 2, "no file is an empty one");
    }

    #[tokio::test]
    async fn a_socket_to_a_link_local_server_is_bound_to_its_interface() {
        let address: Ipv6Addr = "fe80::53".parse().unwrap();
        let runtime = ScopedRuntime::new([(address, 1)].into());
        let scoped = runtime.scoped(SocketAddr::from((address, 53)));
        assert_eq!(scoped, Some(SocketAddrV6::new(address, 53, 0, 1).into()));
        assert_eq!(runtime.scoped(SocketAddr::from((Ipv6Addr::LOCALHOST, 53))), None);
        let configured = of_addresses(&["[fe80::53%1]:53".parse().unwrap()]);
        assert_eq!(*configured.runtime.scopes, [(address, 1)].into());
    }
}
