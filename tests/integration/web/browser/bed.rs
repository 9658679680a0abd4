//! Daemons with a dataplane each, and a maglev-web in front of them.

use std::net::IpAddr;
use std::process::{Command, Stdio};

use tempfile::TempDir;
use vpp_maglev::domain::dataplane::net::{Service, Vip};
use vpp_maglev::vpp::embedded::plugin::{PluginVipKey, to_ip};

use super::users::write_users;
use crate::support::probe::closed_port;
use crate::support::{Backend, Daemon, Dataplane, Fleet, Member, TestBed, VIP4};

/// What a page is served from. The daemons are called `lb1`, `lb2` and so on; their
/// frontends `v4` and `v6` have the backends `nginx0` and `b`, all up.
pub(super) struct WebBed {
    pub(super) fleet: Fleet,
    web: Daemon,
    address: String,
    _files: TempDir,
}

impl WebBed {
    /// One without a login: everybody looks, and nobody operates.
    pub(super) async fn start(daemons: usize) -> Self {
        Self::before(Fleet::start(daemons).await).await
    }

    /// One on which ann operates and bob looks.
    pub(super) async fn with_users(daemons: usize) -> Self {
        let files = tempfile::tempdir().unwrap();
        let users = write_users(files.path());
        Self::of(Fleet::start(daemons).await, files, &["--users", users.to_str().unwrap()]).await
    }

    /// One that also follows a daemon that is not there.
    pub(super) async fn with_one_away() -> Self {
        let fleet = Fleet::start(1).await;
        let nobody = closed_port([127, 0, 0, 1].into()).await;
        let servers = format!("{},lb2={nobody}", named(&fleet.addresses()));
        let (web, address) = serve(&servers, &[]).await;
        Self { fleet, web, address, _files: tempfile::tempdir().unwrap() }
    }

    /// One in front of these, without a login.
    pub(super) async fn before(fleet: Fleet) -> Self {
        Self::of(fleet, tempfile::tempdir().unwrap(), &[]).await
    }

    async fn of(fleet: Fleet, files: TempDir, flags: &[&str]) -> Self {
        let (web, address) = serve(&named(&fleet.addresses()), flags).await;
        Self { fleet, web, address, _files: files }
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

    pub(super) fn first(&self) -> &Member {
        &self.fleet.members[0]
    }

    /// Waits until one dataplane holds this: `v4 b=40 nginx0=100 / v6 …`.
    pub(super) async fn until_held(&self, member: usize, held: &str) {
        self.fleet.members[member].dataplane.until(held).await;
    }

    /// Waits until it holds, in both VIPs, these servers.
    pub(super) async fn until_one(&self, member: usize, servers: &str) {
        self.fleet.members[member].dataplane.until_both(servers).await;
    }

    /// The same of all.
    pub(super) async fn until_all(&self, servers: &str) {
        for member in &self.fleet.members {
            member.dataplane.until_both(servers).await;
        }
    }

    /// What all dataplanes were sent since the last call.
    pub(super) fn take_writes(&self) -> Vec<String> {
        self.fleet.members.iter().flat_map(|member| member.dataplane.writes()).collect()
    }

    /// Asserts that nobody has changed what new flows get.
    pub(super) fn assert_serves_as_configured(&self) {
        for member in &self.fleet.members {
            assert_eq!(member.dataplane.held(), "v4 b=40 nginx0=100 / v6 b=40 nginx0=100");
            assert_eq!(member.dataplane.writes(), Vec::<String>::new());
        }
    }

    /// The VIP of `v4`.
    pub(super) fn vip4() -> Vip {
        let service = Service::Port { protocol: 6, port: 80.try_into().unwrap() };
        Vip::new(VIP4.parse::<IpAddr>().unwrap().into(), service)
    }

    /// Puts so many flows of `v4` on a backend.
    pub(super) fn put_flows(&self, member: usize, backend: &str, flows: u64) {
        let (vip, server) = self.server(member, backend);
        let control = &self.fleet.members[member].dataplane.control;
        control.edit(move |plugin, _| plugin.put_flows(vip, server, flows)).unwrap().unwrap();
    }

    /// Has new flows of `v4` to one backend take the places of so many of another.
    pub(super) fn reuse_entries(&self, member: usize, (from, to): (&str, &str), flows: u64) {
        let ((vip, from), (_, to)) = (self.server(member, from), self.server(member, to));
        let control = &self.fleet.members[member].dataplane.control;
        let reused = control.edit(move |plugin, _| plugin.reuse_entries(vip, (from, to), flows));
        reused.unwrap().unwrap();
    }

    /// A backend as a server of `v4` in VPP.
    fn server(&self, member: usize, backend: &str) -> (PluginVipKey, u128) {
        let backend = self.fleet.backends.iter().find(|it| it.name == backend).unwrap();
        let snapshot = self.fleet.members[member].dataplane.control.snapshot().unwrap();
        let vip =
            snapshot.vips.iter().find(|row| row.key.to_wire().to_vip().unwrap() == Self::vip4());
        let key = vip.unwrap().key;
        let of_backend = |address| to_ip(address) == backend.ip();
        let server = snapshot.servers.iter().find(|row| row.vip == key && of_backend(row.address));
        (key, server.unwrap().address)
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
