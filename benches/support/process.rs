//! A child process, and what the kernel counts of it.

use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};

use super::DEADLINE;

/// The unit of CPU time in proc(5), on every machine (`USER_HZ`).
const TICK: Duration = Duration::from_millis(10);

/// A process that ends with this.
pub(crate) struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It has ended, or it is ended; nginx has a child that it must end.
        if matches!(self.0.try_wait(), Ok(None)) {
            self.signal(Signal::TERM);
            self.ended();
        }
    }
}

impl Process {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(command.spawn().unwrap())
    }

    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.0
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
    }

    /// Waits for its end, which is that of a kill if it takes too long; whether
    /// it ended well.
    pub(crate) fn ended(&mut self) -> bool {
        let process = pidfd_open(Pid::from_child(&self.0), PidfdFlags::empty()).unwrap();
        let limit = DEADLINE.try_into().unwrap();
        if poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&limit)) != Ok(1) {
            self.0.kill().unwrap();
        }
        self.0.wait().unwrap().success()
    }

    /// Entries of `fd` or `task`, in /proc.
    pub(crate) fn count(&self, folder: &str) -> u64 {
        std::fs::read_dir(format!("/proc/{}/{folder}", self.0.id())).unwrap().count() as u64
    }

    /// CPU time of all its threads, in user space and in the kernel (proc(5)).
    pub(crate) fn cpu(&self) -> Duration {
        let stat = self.read("stat");
        // The name may hold blanks; it ends with the last parenthesis.
        let (_, fields) = stat.rsplit_once(") ").unwrap();
        let ticks = fields.split(' ').skip(11).take(2).map(|field| field.parse::<u32>().unwrap());
        ticks.map(|tick| TICK * tick).sum()
    }

    /// `VmRSS` or `VmHWM`, in KiB.
    pub(crate) fn memory(&self, what: &str) -> u64 {
        field(&self.read("status"), what)
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{file}", self.0.id())).unwrap()
    }
}

/// Echo requests that this network namespace was sent, over IPv4.
pub(crate) fn echo_requests() -> u64 {
    snmp("Icmp: ", "InEchos")
}

/// Connections that were asked for in this network namespace.
pub(crate) fn connects() -> u64 {
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
pub(crate) fn field(text: &str, name: &str) -> u64 {
    let mut lines = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    lines.next().unwrap().split_whitespace().next().unwrap().parse().unwrap()
}

pub(crate) fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut directories =
        std::env::split_paths(&path).chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from));
    directories.any(|directory| directory.join(program).is_file())
}

/// Has the present thread give way: it stands for other machines, and the cores
/// are for what is measured.
pub(crate) fn give_way() {
    rustix::process::setpriority_process(None, 10).unwrap();
}
