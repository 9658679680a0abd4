//! Daemons with a dataplane each, and a maglev-web in front of them.

use std::process::{Command, Stdio};

use crate::support::{Backend, Daemon, Dataplane, Fleet, TestBed};

/// What a page is served from. The daemons are called `lb1`, `lb2` and so on; their
/// frontends `v4` and `v6` have the backends `nginx0` and `b`, all up.
pub(super) struct WebBed {
    pub(super) fleet: Fleet,
    web: Daemon,
    address: String,
}

impl WebBed {
    /// One without a login: everybody looks, and nobody operates.
    pub(super) async fn start(daemons: usize) -> Self {
        Self::start_with(daemons, &[]).await
    }

    /// One with more flags.
    pub(super) async fn start_with(daemons: usize, flags: &[&str]) -> Self {
        let fleet = Fleet::start(daemons).await;
        let (web, address) = serve(&named(&fleet.addresses()), flags).await;
        Self { fleet, web, address }
    }

    /// Another maglev-web in place of the one that runs.
    pub(super) async fn restart_web(&mut self) {
        let (web, address) = serve(&named(&self.fleet.addresses()), &[]).await;
        let before = std::mem::replace(&mut self.web, web);
        self.address = address;
        drop(before);
    }

    /// Where the page is.
    pub(super) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// The process of maglev-web.
    pub(super) fn pid(&self) -> u32 {
        self.web.pid()
    }
}

/// A daemon that can be ended and started again behind the same maglev-web: `a` and `b`
/// serve in `v4` and `v6`.
pub(super) struct RestartedBed {
    pub(super) backends: Vec<Backend>,
    pub(super) daemon: Option<Daemon>,
    _dataplane: Dataplane,
    _web: Daemon,
    bed: TestBed,
    address: String,
}

impl RestartedBed {
    pub(super) async fn start() -> Self {
        let mut bed = TestBed::new(&["a", "b"]).pools(&["a b"]);
        let dataplane = bed.dataplane();
        let servers = format!("lb1=unix:{}", bed.dir().join("grpc.sock").display());
        let backends = std::mem::take(&mut bed.backends);
        let (web, address) = serve(&servers, &[]).await;
        let mut started =
            Self { backends, daemon: None, _dataplane: dataplane, _web: web, bed, address };
        started.start_daemon().await;
        started
    }

    /// Starts the daemon, and waits until it has found both backends to be up.
    pub(super) async fn start_daemon(&mut self) {
        let mut command = self.bed.command();
        let socket = self.bed.dir().join("grpc.sock");
        command.args(["--grpc-addr", &format!("127.0.0.1:0,unix:{}", socket.display())]);
        let daemon = self.bed.run(&mut command).await;
        daemon.all(&["a", "b"], "up").await;
        self.daemon = Some(daemon);
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }
}

/// `lb1=address,lb2=address`.
fn named(addresses: &[String]) -> String {
    let named = addresses.iter().enumerate();
    let named = named.map(|(index, address)| format!("lb{}={address}", index + 1));
    named.collect::<Vec<_>>().join(",")
}

/// A maglev-web, and where it listens.
pub(super) async fn serve(servers: &str, flags: &[&str]) -> (Daemon, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_maglev-web"));
    for (name, _) in std::env::vars_os() {
        let heeded = name.to_str().is_some_and(|name| name.starts_with("MAGLEV_"));
        if heeded {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null());
    command.args(["--server", servers, "--listen", "127.0.0.1:0", "--log-format", "json"]);
    let mut web = Daemon::spawn(command.args(flags));
    let record = web.logged("web-listening").await;
    let address = record["address"].as_str().unwrap().to_owned();
    (web, address)
}
