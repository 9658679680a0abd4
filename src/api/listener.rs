//! The sockets that the service is offered on.

use std::fmt;
use std::fs::Permissions;
use std::future::Future;
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use thiserror::Error;
use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

use super::Service;
use crate::pb;
use crate::pb::maglev_server::MaglevServer;

/// Where to listen: `host:port`, `:port` for all addresses, `unix:/path`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenAddr {
    /// A TCP address, resolved when it is bound.
    Tcp(String),
    /// A Unix socket, for its owner and its group (mode 0660).
    Unix(PathBuf),
}

/// A word that is no address to listen on.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("\"{0}\" is no address to listen on: write host:port, :port or unix:/path")]
pub struct ListenAddrError(String);

impl FromStr for ListenAddr {
    type Err = ListenAddrError;

    fn from_str(text: &str) -> Result<Self, ListenAddrError> {
        let wrong = || ListenAddrError(text.into());
        if let Some(path) = text.strip_prefix("unix:") {
            return if path.starts_with('/') { Ok(Self::Unix(path.into())) } else { Err(wrong()) };
        }
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        port.parse::<u16>().map_err(|_| wrong())?;
        let bare_ipv6 = host.contains(':') && !host.starts_with('[');
        match host {
            "" => Ok(Self::Tcp(format!("[::]:{port}"))),
            _ if bare_ipv6 => Err(wrong()),
            _ => Ok(Self::Tcp(text.into())),
        }
    }
}

impl fmt::Display for ListenAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => f.write_str(address),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// A socket could not be opened, or the service could not be offered on it.
#[derive(Debug, Error)]
pub enum ListenError {
    /// The socket could not be opened.
    #[error("cannot listen on {address}: {source}{}", hint(.source))]
    Bind {
        /// The address.
        address: ListenAddr,
        /// Why.
        source: io::Error,
    },
    /// The reflection service refused its own descriptors.
    #[error("cannot offer reflection: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
}

fn hint(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::AddrInUse => {
            "; another program has it: stop that one, or give another --grpc-addr"
        }
        io::ErrorKind::AddrNotAvailable => "; this machine has no such address",
        _ => "",
    }
}

/// The service on its sockets.
pub struct Listening {
    /// Where it really listens: ports that were 0 are known now.
    pub addresses: Vec<ListenAddr>,
    servers: JoinSet<Result<(), tonic::transport::Error>>,
    stop: watch::Sender<bool>,
}

impl Listening {
    /// The service on no socket at all.
    #[must_use]
    pub fn none() -> Self {
        let (stop, _) = watch::channel(true);
        Self { addresses: Vec::new(), servers: JoinSet::new(), stop }
    }

    /// Takes no more requests, and waits for those under way. Event streams
    /// must have been ended before.
    pub async fn stop(mut self) {
        // Without a receiver every server has ended already.
        let _ = self.stop.send(true);
        while self.servers.join_next().await.is_some() {}
        for address in &self.addresses {
            if let ListenAddr::Unix(path) = address {
                // Whoever removed it before us did our work.
                let _ = std::fs::remove_file(path);
            }
        }
    }
}

/// Offers the service on every address, or on none.
///
/// # Errors
/// The first address that cannot be opened.
pub async fn serve(
    service: Service,
    addresses: &[ListenAddr],
    reflection: bool,
) -> Result<Listening, ListenError> {
    let mut sockets = Vec::new();
    for address in addresses {
        let bound = Socket::bind(address).await;
        sockets
            .push(bound.map_err(|source| ListenError::Bind { address: address.clone(), source })?);
    }
    let routes = routes(service, reflection).await?;
    let (stop, stopped) = watch::channel(false);
    let mut servers = JoinSet::new();
    let mut bound = Vec::new();
    for socket in sockets {
        bound.push(socket.address.clone());
        let mut stopped = stopped.clone();
        let until = async move {
            // An error says that the sender is gone: then it is time, too.
            let _ = stopped.wait_for(|stop| *stop).await;
        };
        socket.spawn(routes.clone(), until, &mut servers);
    }
    Ok(Listening { addresses: bound, servers, stop })
}

/// Everything that is offered, on every socket alike.
async fn routes(service: Service, reflection: bool) -> Result<Routes, ListenError> {
    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_serving::<MaglevServer<Service>>().await;
    let mut routes = Routes::builder();
    routes.add_service(MaglevServer::new(service)).add_service(health_service);
    if reflection {
        let descriptors = || {
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(pb::DESCRIPTORS)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        };
        // Older clients know the alpha alone.
        routes.add_service(descriptors().build_v1()?).add_service(descriptors().build_v1alpha()?);
    }
    Ok(routes.routes())
}

struct Socket {
    address: ListenAddr,
    listener: Listener,
}

enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Socket {
    async fn bind(address: &ListenAddr) -> io::Result<Self> {
        match address {
            ListenAddr::Tcp(host) => {
                let listener = TcpListener::bind(host).await?;
                let address = ListenAddr::Tcp(listener.local_addr()?.to_string());
                Ok(Self { address, listener: Listener::Tcp(listener) })
            }
            ListenAddr::Unix(path) => {
                remove_stale(path).await?;
                let listener = UnixListener::bind(path)?;
                std::fs::set_permissions(path, Permissions::from_mode(0o660))?;
                Ok(Self { address: address.clone(), listener: Listener::Unix(listener) })
            }
        }
    }

    fn spawn(
        self,
        routes: Routes,
        until: impl Future<Output = ()> + Send + 'static,
        servers: &mut JoinSet<Result<(), tonic::transport::Error>>,
    ) {
        let router = Server::builder().tcp_nodelay(true).add_routes(routes);
        match self.listener {
            Listener::Tcp(listener) => {
                let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
                servers.spawn(router.serve_with_incoming_shutdown(incoming, until));
            }
            Listener::Unix(listener) => {
                let incoming = UnixListenerStream::new(listener);
                servers.spawn(router.serve_with_incoming_shutdown(incoming, until));
            }
        }
    }
}

/// Removes a socket that a dead process left. One that answers is in use, and
/// anything but a socket is left alone.
async fn remove_stale(path: &Path) -> io::Result<()> {
    match std::fs::symlink_metadata(path) {
        Ok(found) if !found.file_type().is_socket() => {
            Err(io::Error::new(io::ErrorKind::AlreadyExists, "a file that is no socket is there"))
        }
        Ok(_) if UnixStream::connect(path).await.is_ok() => {
            Err(io::Error::from(io::ErrorKind::AddrInUse))
        }
        Ok(_) => std::fs::remove_file(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_to_listen_on() {
        let parse = |text: &str| text.parse::<ListenAddr>().map(|address| address.to_string());
        for (text, expected) in [
            ("127.0.0.1:9090", "127.0.0.1:9090"),
            (":9090", "[::]:9090"),
            ("[::1]:0", "[::1]:0"),
            ("localhost:1", "localhost:1"),
            ("unix:/run/maglevd.sock", "unix:/run/maglevd.sock"),
        ] {
            assert_eq!(parse(text).unwrap(), expected);
        }
        for wrong in ["", "9090", "host:", "host:65536", "::1:80", "unix:relative"] {
            assert_eq!(parse(wrong), Err(ListenAddrError(wrong.into())));
        }
    }

    #[actix_rt::test]
    async fn a_stale_socket_is_replaced_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        remove_stale(&path).await.unwrap();
        assert!(!path.exists());
        let _alive = UnixListener::bind(&path).unwrap();
        assert_eq!(remove_stale(&path).await.unwrap_err().kind(), io::ErrorKind::AddrInUse);
        let file = dir.path().join("f");
        std::fs::write(&file, "precious").unwrap();
        remove_stale(&file).await.unwrap_err();
        assert!(file.exists());
    }
}
