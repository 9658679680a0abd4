//! `--demo`: HTTP backends on loopback that fail, hang, refuse and recover when a
//! file says so, and a configuration that uses them.
//!
//! A private directory has the configuration and, for each backend, a file with one
//! word. The demo reads the words ten times a second: it is for people at a
//! keyboard.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use thiserror::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;
use vpp_maglev::api::ListenAddr;
use vpp_maglev::domain::config::Config;
use vpp_maglev::domain::names::BackendName;
use vpp_maglev::host::claimed_dir::ClaimedDir;

use crate::demo_page::DemoPage;
use crate::flags::DEFAULT_CONFIG;
use crate::say::say;

/// The configuration that the demo starts with.
const CONFIG: &str = include_str!("../../../config/demo.yaml");
/// How often the words are read.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Why the demo did not start.
#[derive(Debug, Error)]
pub enum DemoError {
    #[error("cannot make the demo's directory in {}: {source}", path.display())]
    Directory { path: PathBuf, source: io::Error },
    #[error("cannot copy {} for the demo: {source}", path.display())]
    Copy { path: PathBuf, source: io::Error },
    #[error(
        "demo backend {backend} cannot listen on {address}: {source}; \
         free that port, or copy config/demo.yaml, change its port and give it with --config"
    )]
    Listen { backend: BackendName, address: SocketAddr, source: io::Error },
}

/// The demo's directory, `/tmp/maglev-demo` if that is free. It is removed when this
/// is dropped.
pub struct Demo {
    dir: ClaimedDir,
}

/// The demo with its backends, which end when this is dropped.
pub struct RunningServers {
    demo: Demo,
    backends: Vec<(BackendName, SocketAddr)>,
    /// The backend that the introduction has commands for.
    first: String,
    _tasks: JoinSet<()>,
}

impl Demo {
    /// Makes the directory with a copy of the configuration: the built-in one,
    /// unless `config` is another path than the default.
    ///
    /// # Errors
    /// The directory or the file cannot be made.
    pub fn prepare(config: &Path) -> Result<Self, DemoError> {
        let parent = std::env::temp_dir();
        let dir = ClaimedDir::make_named(&parent, "maglev-demo")
            .map_err(|source| DemoError::Directory { path: parent, source })?;
        let copy = dir.path().join("maglev.yaml");
        let copied = if config == Path::new(DEFAULT_CONFIG) {
            std::fs::write(copy, CONFIG)
        } else {
            std::fs::copy(config, copy).map(|_| ())
        };
        let demo = Self { dir };
        let path = config.to_owned();
        copied.map_err(|source| DemoError::Copy { path, source })?;
        Ok(demo)
    }

    /// The copy, which the user edits and reloads with SIGHUP.
    pub fn config_path(&self) -> PathBuf {
        self.dir.path().join("maglev.yaml")
    }

    /// Starts a server for each backend whose check has a port.
    ///
    /// # Errors
    /// A backend's address is taken, or not of this machine.
    pub async fn start(self, config: &Config) -> Result<RunningServers, DemoError> {
        let mut backends = Vec::new();
        let mut tasks = JoinSet::new();
        for (name, backend) in &config.backends {
            let check = backend.check.as_ref().and_then(|check| config.checks.get(check));
            let port = backend.port.or_else(|| check?.kind.port());
            let Some(port) = port.filter(|_| check.is_some()) else { continue };
            let Some(address) = backend.address.fixed() else { continue };
            let address = SocketAddr::new(address, port.get());
            let backend = name.clone();
            let listener =
                listen(address).map_err(|source| DemoError::Listen { backend, address, source })?;
            let word = self.dir.path().join(name.as_str());
            std::fs::write(&word, "ok\n")
                .map_err(|source| DemoError::Copy { path: word.clone(), source })?;
            tasks.spawn(serve(name.clone(), address, Some(listener), word));
            backends.push((name.clone(), address));
        }
        let pools = config.frontends.values().flat_map(|frontend| &frontend.pools);
        let first = pools.flat_map(|pool| pool.backends.keys()).next();
        let first = first.map(ToString::to_string).unwrap_or_default();
        Ok(RunningServers { demo: self, backends, first, _tasks: tasks })
    }
}

impl RunningServers {
    /// Prints what is running and what to type next.
    pub fn introduce(&self, addresses: &[ListenAddr], page: Option<&DemoPage>) {
        let dir = self.demo.dir.path().display();
        let pid = std::process::id();
        let server = addresses.first().map(ToString::to_string).unwrap_or_default();
        let option =
            if server == "127.0.0.1:9090" { String::new() } else { format!(" --server {server}") };
        let backends: String = self
            .backends
            .iter()
            .map(|(name, address)| format!("  {name:<10} http://{address}\n"))
            .collect();
        let first = &self.first;
        let page = page.map_or_else(String::new, |DemoPage { url, user, password, .. }| {
            format!("In a browser:\n  {url}  (to operate: {user}, {password})\n\n")
        });
        say(&format!(
            "\nThe demo runs: the daemon, a dataplane inside it, and these backends:\n{backends}\n\
             {page}In another terminal:\n  \
             maglevc{option} show frontends         what serves\n  \
             maglevc{option} show vpp lb state      what the dataplane holds\n  \
             maglevc{option} watch events           what happens\n\n\
             Make a backend fail, hang, refuse, and heal:\n  \
             echo fail   > {dir}/{first}\n  \
             echo hang   > {dir}/{first}\n  \
             echo refuse > {dir}/{first}\n  \
             echo ok     > {dir}/{first}\n\n\
             Edit {dir}/maglev.yaml, then: kill -HUP {pid}\n\
             Ctrl-C ends it.\n"
        ));
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(1024)
}

/// How a backend behaves, by the word in its file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum DemoBehavior {
    Ok,
    Fail,
    Hang,
    Refuse,
}

impl DemoBehavior {
    fn read(path: &Path) -> Self {
        match std::fs::read_to_string(path).unwrap_or_default().trim() {
            "fail" => Self::Fail,
            "hang" => Self::Hang,
            "refuse" => Self::Refuse,
            _ => Self::Ok,
        }
    }
}

/// Serves one backend, until its task is aborted.
async fn serve(
    name: BackendName,
    address: SocketAddr,
    mut listener: Option<TcpListener>,
    word: PathBuf,
) {
    let mut clients = JoinSet::new();
    let mut poll = tokio::time::interval(POLL_INTERVAL);
    loop {
        let behavior = DemoBehavior::read(&word);
        match (behavior, &listener) {
            (DemoBehavior::Refuse, Some(_)) => listener = None,
            (DemoBehavior::Refuse, None) | (_, Some(_)) => {}
            // Another process may have taken the port meanwhile: try again next time.
            (_, None) => listener = listen(address).ok(),
        }
        let accepted = async {
            match &listener {
                Some(listener) => listener.accept().await.ok(),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = poll.tick() => while clients.try_join_next().is_some() {},
            Some((stream, _)) = accepted => {
                clients.spawn(answer(name.clone(), stream, behavior));
            }
        }
    }
}

/// Answers one request, unless the backend hangs.
async fn answer(name: BackendName, mut stream: TcpStream, behavior: DemoBehavior) {
    let mut request = [0; 2048];
    // A client that closes the connection needs no answer.
    let _ = stream.read(&mut request).await;
    let (status, body) = match behavior {
        DemoBehavior::Ok => ("200 OK", format!("ok from {name}\n")),
        DemoBehavior::Fail => ("503 Service Unavailable", format!("{name} fails as told\n")),
        DemoBehavior::Hang | DemoBehavior::Refuse => {
            // Wait until the client gives up.
            let _ = stream.read(&mut request).await;
            return;
        }
    };
    let length = body.len();
    let response =
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    let _ = stream.write_all(response.as_bytes()).await;
}
