//! A running system in the making: a folder of its own, backends that are
//! probed, a configuration that names them, a VPP, and the daemon.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use vpp_maglev::vpp::embedded::EmbeddedOptions;

use super::{Backend, Config, Daemon, Dataplane, Names, maglevd};

/// What a daemon needs. It is declared before the daemon, so that it outlives
/// it, and serves several, one after the other.
pub(crate) struct TestBed {
    pub(crate) backends: Vec<Backend>,
    config: String,
    vpp: String,
    dir: TempDir,
}

impl TestBed {
    /// Backends of these names, which serve, a configuration with each of them
    /// and no frontend, and no VPP.
    pub(crate) fn new(names: &[&'static str]) -> Self {
        Self::of(names.iter().map(|name| Backend::start(name)).collect())
    }

    pub(crate) fn of(backends: Vec<Backend>) -> Self {
        let config = Config::of(&backends).text();
        Self { backends, config, vpp: String::new(), dir: tempfile::tempdir().unwrap() }
    }

    /// Nothing but this configuration.
    pub(crate) fn with_text(text: impl Into<String>) -> Self {
        Self { config: text.into(), ..Self::new(&[]) }
    }

    /// Two frontends whose pools are given as `a b c:50` each.
    pub(crate) fn pools(self, pools: &[&str]) -> Self {
        self.configured(|config| config.both(pools))
    }

    /// The configuration that is made of the one with every backend.
    pub(crate) fn configured(self, configure: impl FnOnce(Config) -> Config) -> Self {
        Self { config: configure(self.config()).text(), ..self }
    }

    /// The configuration, to be changed in ways of one test.
    pub(crate) fn text(&self) -> &str {
        &self.config
    }

    /// In place of the configuration.
    pub(crate) fn with_config(self, config: String) -> Self {
        Self { config, ..self }
    }

    /// The daemon is given this for `--vpp-api-addr`.
    pub(crate) fn vpp(self, address: impl Into<String>) -> Self {
        Self { vpp: address.into(), ..self }
    }

    /// Starts the dataplane that the daemon programs, in the test's process.
    pub(crate) fn dataplane(&mut self) -> Dataplane {
        self.dataplane_with(EmbeddedOptions::default())
    }

    pub(crate) fn dataplane_with(&mut self, options: EmbeddedOptions) -> Dataplane {
        let dataplane = Dataplane::start(self.dir(), self.names(), options);
        dataplane.socket().clone_into(&mut self.vpp);
        dataplane
    }

    /// A configuration with every backend and no frontend.
    pub(crate) fn config(&self) -> Config {
        Config::of(&self.backends)
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn names(&self) -> Names {
        Names::of(&self.backends)
    }

    /// Writes what the daemon reads when it is started or reloads.
    pub(crate) fn write_config(&self, text: &str) -> PathBuf {
        let path = self.dir().join("maglev.yaml");
        std::fs::write(&path, text).unwrap();
        path
    }

    /// A daemon of this configuration and this VPP, which has no listener yet.
    pub(crate) fn command(&self) -> Command {
        let mut command = maglevd(self.dir());
        command.arg("--config").arg(self.write_config(&self.config));
        command.arg("--vpp-api-addr").arg(&self.vpp);
        command
    }

    /// Starts a daemon and waits until it listens on loopback.
    pub(crate) async fn start(&self) -> Daemon {
        self.start_with(&[]).await
    }

    /// The same, with more flags.
    pub(crate) async fn start_with(&self, flags: &[&str]) -> Daemon {
        let mut command = self.command();
        command.args(["--grpc-addr", "127.0.0.1:0"]).args(flags);
        self.run(&mut command).await
    }

    /// Runs a command that starts a daemon, and waits until it listens.
    pub(crate) async fn run(&self, command: &mut Command) -> Daemon {
        let mut daemon = Daemon::spawn_with(command, self.names());
        daemon.logged("grpc-listening").await;
        daemon
    }
}
