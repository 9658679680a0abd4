//! The ways in: daemons with a rights file, and clients over each of their listeners.

use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper_util::rt::TokioIo;
use rustix::process::{Gid, Uid};
use rustix::thread::{set_thread_gid, set_thread_groups, set_thread_uid};
use tokio::net::UnixStream;
use tonic::codegen::{Service, http};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};

use super::calls::ROLES;
use crate::support::certificates::{Authority, Holds};
use crate::support::{Daemon, TestBed, maglevd, ran};

/// A token that maglevd has made, and its digest.
pub(super) struct Token {
    pub(super) token: String,
    pub(super) digest: String,
}

impl Token {
    pub(super) async fn new(dir: &Path) -> Self {
        let (status, said, _) = ran(maglevd(dir).arg("--new-token")).await;
        assert_eq!(status, 0);
        let of = |name: &str| {
            // Plain lines are shown as texts of JSON.
            let mut lines = said.lines().map(|line| line.trim_matches('"'));
            let line = lines.find_map(|line| line.strip_prefix(name)).unwrap();
            line.trim().to_owned()
        };
        Self { token: of("token:"), digest: of("digest:") }
    }
}

/// A token for each role, and the part of a rights file that has them.
pub(super) async fn tokens(dir: &Path) -> (Vec<Token>, String) {
    let (mut tokens, mut text) = (Vec::new(), String::new());
    for role in ROLES {
        let token = Token::new(dir).await;
        let tokens_of = format!("tokens: [\"{}\"]", token.digest);
        text.push_str(&format!("  by-token-{role}: {{ role: {role}, {tokens_of} }}\n"));
        tokens.push(token);
    }
    (tokens, text)
}

/// A daemon with a rights file, of two backends in two frontends and the embedded VPP.
pub(super) struct RightsDaemon {
    pub(super) daemon: Daemon,
    pub(super) bed: TestBed,
}

impl RightsDaemon {
    /// `listeners`: for --grpc-addr, in which DIR is the test's folder. `rights`: the file
    /// below its first line.
    pub(super) async fn start(listeners: &str, rights: &str, flags: &[&str]) -> Self {
        let bed = TestBed::new(&["a", "b"]).pools(&["a b"]).vpp("embedded");
        Self::start_on(bed, listeners, rights, flags).await
    }

    pub(super) async fn start_on(
        bed: TestBed,
        listeners: &str,
        rights: &str,
        flags: &[&str],
    ) -> Self {
        write_rights(bed.dir(), rights);
        let listeners = listeners.replace("DIR", &bed.dir().display().to_string());
        let mut command = bed.command();
        command.arg("--rights").arg(bed.dir().join("rights.yaml"));
        command.args(["--grpc-addr", &listeners]).args(flags);
        let mut daemon = bed.run(&mut command).await;
        let count = listeners.split(',').filter(|part| !part.starts_with("role=")).count();
        while daemon.records("grpc-listening").len() < count {
            let known = daemon.records("grpc-listening");
            let is_new =
                |line: &serde_json::Value| line["msg"] == "grpc-listening" && !known.contains(line);
            daemon.logged_as("another listener", is_new).await;
        }
        Self { daemon, bed }
    }

    /// The addresses of its TCP listeners, in order.
    pub(super) fn addresses(&self) -> Vec<String> {
        let records = self.daemon.records("grpc-listening");
        let addresses = records.iter().map(|line| line["address"].as_str().unwrap().to_owned());
        addresses.filter(|address| !address.starts_with("unix:")).collect()
    }

    pub(super) async fn tcp(&self, place: usize) -> Channel {
        let url = format!("http://{}", self.addresses()[place]);
        Endpoint::from_shared(url).unwrap().connect().await.unwrap()
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.bed.dir().join("maglevd.sock")
    }

    /// As the user and the groups of this process.
    pub(super) async fn unix(&self) -> Channel {
        let url = format!("unix:{}", self.socket().display());
        Endpoint::from_shared(url).unwrap().connect().await.unwrap()
    }

    pub(super) fn write_rights(&self, rights: &str) {
        write_rights(self.bed.dir(), rights);
    }
}

pub(super) fn write_rights(dir: &Path, rights: &str) {
    let text = if rights.is_empty() { "rights: {}\n".into() } else { format!("rights:\n{rights}") };
    std::fs::write(dir.join("rights.yaml"), text).unwrap();
}

/// A client with a certificate, of a daemon that takes certificates of `authority`.
pub(super) async fn with_certificate(address: &str, authority: &Authority, name: &str) -> Channel {
    let identity = authority.issue(name, Holds::Now);
    let tls = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(authority.pem()))
        .identity(tonic::transport::Identity::from_pem(&identity.cert, &identity.key));
    let endpoint = Endpoint::from_shared(format!("https://{address}")).unwrap();
    endpoint.tls_config(tls).unwrap().connect().await.unwrap()
}

/// A channel over a Unix socket as another user with these groups, of whom the kernel
/// remembers who connected. It takes root.
pub(super) async fn unix_as(path: &Path, user: u32, group: u32, groups: &[u32]) -> Channel {
    let (path, groups) = (path.to_owned(), groups.to_vec());
    let connect = move || {
        let groups: Vec<_> = groups.into_iter().map(Gid::from_raw).collect();
        set_thread_groups(&groups).unwrap();
        set_thread_gid(Gid::from_raw(group)).unwrap();
        set_thread_uid(Uid::from_raw(user)).unwrap();
        StdUnixStream::connect(path).unwrap()
    };
    let stream = std::thread::spawn(connect).join().unwrap();
    stream.set_nonblocking(true).unwrap();
    let stream = UnixStream::from_std(stream).unwrap();
    let endpoint = Endpoint::from_static("http://localhost");
    endpoint.connect_with_connector(OneConnection(Some(stream))).await.unwrap()
}

/// Gives a connection that is open already.
struct OneConnection(Option<UnixStream>);

impl Service<http::Uri> for OneConnection {
    type Response = TokioIo<UnixStream>;
    type Error = std::io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: http::Uri) -> Self::Future {
        let stream = self.0.take().ok_or(std::io::ErrorKind::NotConnected);
        Box::pin(async move { Ok::<_, std::io::Error>(TokioIo::new(stream?)) })
    }
}
