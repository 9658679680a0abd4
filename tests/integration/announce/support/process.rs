//! A daemon as a child process, killed and reaped at the end.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::wait::{DEADLINE, eventually};

pub(crate) struct Daemon {
    child: Child,
    log: PathBuf,
}

impl Daemon {
    /// Starts `words` in a namespace; its output is kept in the file `log`.
    pub(crate) fn start(namespace: &str, words: &str, log: &Path) -> Self {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", namespace]).args(words.split(' '));
        let to = || File::options().create(true).append(true).open(log).unwrap();
        command.stdin(Stdio::null()).stdout(to()).stderr(to());
        Self { child: command.spawn().unwrap(), log: log.to_owned() }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let id = Pid::from_child(&self.child);
        kill_process(id, signal).unwrap();
    }

    /// Kills it, as a crash would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits until a socket of it accepts.
    pub(crate) async fn answers(&self, socket: &Path) {
        let connects = async || std::os::unix::net::UnixStream::connect(socket).is_ok();
        eventually(&format!("an answer at {}", socket.display()), DEADLINE, connects).await;
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            eprintln!("--- {}\n{log}", self.log.display());
        }
    }
}
