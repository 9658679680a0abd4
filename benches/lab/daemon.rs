//! The built maglevd in the client's namespace, so that it probes through VPP,
//! and the built maglevc.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::Signal;
use serde_json::Value;

use super::configuration::{Configuration, SERVERS};
use super::namespaces::{CLIENT, command};
use super::support::eventually;
use super::support::process::Process;

/// See the module's description.
pub(crate) struct Daemon {
    folder: PathBuf,
    api: PathBuf,
    log: File,
    configuration: Configuration,
    process: Option<Process>,
}

impl Daemon {
    /// For the VPP with this socket, and with a log that `log` names.
    pub(crate) fn start(folder: &Path, api: PathBuf, log: &Path, of: &Configuration) -> Self {
        fs::create_dir_all(folder).unwrap();
        let log = File::create(log).unwrap();
        let (folder, configuration) = (folder.to_owned(), of.clone());
        let mut daemon = Self { folder, api, log, configuration, process: None };
        daemon.write();
        daemon.start_again();
        daemon
    }

    /// After [`Self::end`].
    pub(crate) fn start_again(&mut self) {
        let mut maglevd = command(CLIENT, Path::new(env!("CARGO_BIN_EXE_maglevd")));
        maglevd.arg("--config").arg(self.path()).arg("--vpp-api-addr").arg(&self.api);
        maglevd.args(["--grpc-addr", &self.address(), "--metrics-addr", ""]);
        maglevd.args(["--vpp-stats-addr", "", "--log-level", "info", "--log-format", "json"]);
        let log = || self.log.try_clone().unwrap();
        maglevd.stdin(Stdio::null()).stdout(log()).stderr(log());
        self.process = Some(Process::start(&mut maglevd));
    }

    /// Ends it by a signal.
    pub(crate) fn end(&mut self, signal: Signal) {
        let mut process = self.process.take().unwrap();
        process.signal(signal);
        process.ended();
    }

    /// Waits until every backend is `up` that is not among the `down`, these
    /// are down, and VPP was read back to serve, or not to where all are down.
    pub(crate) fn until_settled(&self, down: &[usize]) {
        eventually("the daemon has its verdicts", || {
            let backends = self.ask(&["show", "backends"]);
            let settled = backends.as_array().is_some_and(|backends| {
                backends.iter().all(|backend| {
                    let is_down = down.iter().any(|&index| backend["name"] == self.name(index));
                    backend["state"] == if is_down { "down" } else { "up" }
                })
            });
            let frontend = || self.ask(&["show", "frontend", "line"]);
            settled && {
                let frontend = frontend();
                frontend["programmed"] == true && frontend["serving"] == (down.len() < SERVERS)
            }
        });
    }

    /// Whether the VPP that it is connected to shares new flows by weights.
    pub(crate) fn has_weights(&self) -> bool {
        let info = self.ask(&["show", "vpp", "info"]);
        let dialect = info["dialect"].as_str();
        dialect.unwrap_or_else(|| panic!("VPP is not programmed: {info}")) == "weights"
    }

    pub(crate) fn name(&self, index: usize) -> String {
        self.configuration.backend(index)
    }

    /// Gives it another configuration, and has it load that.
    pub(crate) fn reload(&mut self, change: impl FnOnce(&mut Configuration)) {
        change(&mut self.configuration);
        self.write();
        self.command(&["config", "reload"]);
    }

    /// What an operator does, and what must be done.
    pub(crate) fn command(&self, words: &[&str]) {
        let output = self.maglevc(words);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "maglevc {}: {error}", words.join(" "));
    }

    /// The same, with its end left to the caller. It writes to pipes.
    pub(crate) fn begin(&self, words: &[&str]) -> Child {
        let mut maglevc = self.client(words);
        maglevc.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Nothing, if it does not answer.
    pub(crate) fn ask(&self, words: &[&str]) -> Value {
        serde_json::from_slice(&self.maglevc(words).stdout).unwrap_or(Value::Null)
    }

    fn maglevc(&self, words: &[&str]) -> std::process::Output {
        self.client(words).output().unwrap()
    }

    fn client(&self, words: &[&str]) -> Command {
        let mut maglevc = Command::new(env!("CARGO_BIN_EXE_maglevc"));
        maglevc.args(["--server", &self.address(), "--output", "json"]).args(words);
        maglevc.stdin(Stdio::null());
        maglevc
    }

    fn write(&self) {
        fs::write(self.path(), self.configuration.yaml()).unwrap();
    }

    fn path(&self) -> PathBuf {
        self.folder.join("maglev.yaml")
    }

    fn address(&self) -> String {
        format!("unix:{}", self.folder.join("maglevd.sock").display())
    }
}
