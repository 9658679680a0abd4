//! A child process, and what the kernel tells of it.

use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// The unit of CPU time in proc(5), on every machine (`USER_HZ`).
const TICK: Duration = Duration::from_millis(10);

/// A process that ends with this.
pub(super) struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // nginx has a child that it must end.
        let _ = kill_process(Pid::from_child(&self.0), Signal::TERM);
        let _ = self.0.wait();
    }
}

impl Process {
    pub(super) fn start(command: &mut Command) -> Self {
        Self(command.spawn().unwrap())
    }

    pub(super) fn child(&mut self) -> &mut Child {
        &mut self.0
    }

    /// CPU time of all its threads, in user space and in the kernel (proc(5)).
    pub(super) fn cpu(&self) -> Duration {
        let stat = self.read("stat");
        // The name may hold blanks; it ends with the last parenthesis.
        let (_, fields) = stat.rsplit_once(") ").unwrap();
        let ticks = fields.split(' ').skip(11).take(2).map(|field| field.parse::<u32>().unwrap());
        ticks.map(|tick| TICK * tick).sum()
    }

    /// `VmRSS` or `VmHWM`, in KiB.
    pub(super) fn memory(&self, what: &str) -> u64 {
        field(&self.read("status"), what)
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{file}", self.0.id())).unwrap()
    }
}

/// Echo requests that this network namespace was sent, over IPv4.
pub(super) fn echo_requests() -> u64 {
    snmp("Icmp: ", "InEchos")
}

/// Connections that were asked for in this network namespace.
pub(super) fn connects() -> u64 {
    snmp("Tcp: ", "ActiveOpens")
}

/// A counter of the kernel.
fn snmp(protocol: &str, counter: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/net/snmp").unwrap();
    let mut lines = text.lines().filter_map(|line| line.strip_prefix(protocol));
    let (names, numbers) = (lines.next().unwrap(), lines.next().unwrap());
    let mut fields = names.split(' ').zip(numbers.split(' '));
    fields.find(|(name, _)| *name == counter).unwrap().1.parse().unwrap()
}

/// The number behind `name:`.
pub(super) fn field(text: &str, name: &str) -> u64 {
    let mut lines = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    lines.next().unwrap().split_whitespace().next().unwrap().parse().unwrap()
}

pub(super) fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut directories =
        std::env::split_paths(&path).chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from));
    directories.any(|directory| directory.join(program).is_file())
}
