//! A VPP with the load balancer and af_packet, in a namespace of its own.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::Signal;

use super::namespaces::{VPPS, command, vpp_setup};
use super::support::eventually;
use super::support::process::Process;

/// Where VPP is, as the environment says.
pub(crate) struct VppPaths {
    pub(crate) vpp: PathBuf,
    pub(crate) plugins: PathBuf,
}

impl VppPaths {
    fn vppctl(&self) -> PathBuf {
        self.vpp.with_file_name("vppctl")
    }

    /// The first thing that is named or needed and not there.
    pub(crate) fn missing(&self) -> Option<PathBuf> {
        let plugins = ["lb", "af_packet", "ping"];
        let plugins = plugins.map(|name| self.plugins.join(format!("{name}_plugin.so")));
        let needed = [self.vpp.clone(), self.vppctl()].into_iter().chain(plugins);
        needed.into_iter().find(|path| !path.is_file())
    }
}

/// See the module's description.
pub(crate) struct Vpp<'a> {
    paths: &'a VppPaths,
    index: usize,
    folder: PathBuf,
    process: Option<Process>,
}

impl<'a> Vpp<'a> {
    /// With its files in `folder`; it is not started yet.
    pub(crate) fn new(paths: &'a VppPaths, index: usize, folder: &Path) -> Self {
        let folder = folder.join(VPPS[index]);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("setup.cli"), vpp_setup(index)).unwrap();
        let vpp = Self { paths, index, folder, process: None };
        vpp.write_startup();
        vpp
    }

    /// The next one to start here is another; where the present one is.
    pub(crate) fn become_of(&mut self, other: &'a VppPaths) -> &'a VppPaths {
        let before = std::mem::replace(&mut self.paths, other);
        self.write_startup();
        before
    }

    pub(crate) fn api(&self) -> PathBuf {
        self.folder.join("api.sock")
    }

    /// Starts it and configures its interfaces; it forwards some moments later.
    pub(crate) fn start(&mut self) {
        let mut vpp = command(VPPS[self.index], &self.paths.vpp);
        vpp.arg("-c").arg(self.folder.join("startup.conf"));
        let output = File::create(self.folder.join("output")).unwrap();
        vpp.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output);
        self.process = Some(Process::start(&mut vpp));
        // VPP would run a startup-config two seconds after its start.
        eventually("VPP takes commands", || !self.cli("show version").is_empty());
        let answer = self.cli(&format!("exec {}", self.folder.join("setup.cli").display()));
        assert!(!answer.contains("exec:"), "{answer}");
    }

    /// Ends it as a crash does.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.signal(Signal::KILL);
            process.ended();
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        self.process.as_ref().unwrap().signal(signal);
    }

    /// Runs a command of its CLI.
    pub(crate) fn cli(&self, words: &str) -> String {
        self.commands().run(words)
    }

    /// Its CLI, also for other threads and after a restart.
    pub(crate) fn commands(&self) -> VppCommands {
        VppCommands { vppctl: self.paths.vppctl(), socket: self.folder.join("cli.sock") }
    }

    fn write_startup(&self) {
        fs::write(self.folder.join("startup.conf"), self.startup()).unwrap();
    }

    fn startup(&self) -> String {
        let folder = self.folder.display();
        let plugins = self.paths.plugins.display();
        let prefix = format!("maglevlab{}{}", std::process::id(), VPPS[self.index]);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let core = self.index.min(cores - 1);
        format!(
            "unix {{
  nodaemon
  log {folder}/vpp.log
  cli-listen {folder}/cli.sock
  runtime-dir {folder}
}}
api-segment {{ prefix {prefix} }}
socksvr {{ socket-name {folder}/api.sock }}
statseg {{ socket-name {folder}/stats.sock size 32M page-size 4K }}
buffers {{ page-size 4K buffers-per-numa 4096 }}
memory {{ main-heap-size 256M main-heap-page-size 4K }}
cpu {{ main-core {core} }}
plugins {{
  path {plugins}
  plugin default {{ disable }}
  plugin lb_plugin.so {{ enable }}
  plugin ping_plugin.so {{ enable }}
  plugin af_packet_plugin.so {{ enable }}
}}
"
        )
    }
}

/// The CLI of a VPP.
pub(crate) struct VppCommands {
    vppctl: PathBuf,
    socket: PathBuf,
}

impl VppCommands {
    /// Runs a command; nothing comes of one while VPP is away.
    pub(crate) fn run(&self, words: &str) -> String {
        let mut vppctl = Command::new(&self.vppctl);
        vppctl.arg("-s").arg(&self.socket).args(words.split(' '));
        let output = vppctl.stdin(Stdio::null()).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

impl Drop for Vpp<'_> {
    fn drop(&mut self) {
        // Ending in good order takes it seconds.
        self.kill();
    }
}
