//! The built maglevd as a child process.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use serde_json::Value;
use tokio::sync::watch;
use tonic::transport::{Channel, Endpoint};
use vpp_maglev::pb::maglev_client::MaglevClient;
use vpp_maglev::pb::{GetBackendRequest, WatchRequest};

use super::wait::{DEADLINE, soon};
use super::{Names, Watch};

/// maglevd without anything of the environment that it heeds, and with `dir`
/// for what it puts into the directory for temporary files.
pub(crate) fn maglevd(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_maglevd"));
    let heeded = |name: &str| name.starts_with("MAGLEV_") && !name.starts_with("MAGLEV_TEST_");
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(heeded)) {
        command.env_remove(name);
    }
    command.env_remove("STATE_DIRECTORY");
    // Daemons of several tests run at once.
    command.env("MAGLEV_METRICS_ADDR", "127.0.0.1:0");
    command.env("TMPDIR", dir).current_dir(dir).stdin(Stdio::null());
    command
}

/// Runs it to its end: exit status, standard output, standard error.
pub(crate) async fn ran(command: &mut Command) -> (i32, String, String) {
    let mut daemon = Daemon::spawn(command);
    let status = daemon.ended().await;
    let out = daemon.log.borrow().iter().map(|line| format!("{line}\n")).collect();
    let err = daemon.errors.borrow().clone();
    (status.code().unwrap(), out, err)
}

/// A running maglevd. It is killed and reaped when this is dropped, and its
/// log is printed if the test has failed.
pub(crate) struct Daemon {
    child: Child,
    /// Lines of standard output: records of the log, or plain text.
    log: watch::Receiver<Vec<Value>>,
    /// Standard error as it comes.
    errors: watch::Receiver<String>,
    names: Names,
}

impl Daemon {
    pub(crate) fn spawn(command: &mut Command) -> Self {
        Self::spawn_with(command, Names::default())
    }

    /// One whose events are read with these names.
    pub(crate) fn spawn_with(command: &mut Command, names: Names) -> Self {
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (out, log) = watch::channel(Vec::new());
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let line = serde_json::from_str(&line).unwrap_or(Value::String(line));
                out.send_modify(|lines| lines.push(line));
            }
        });
        let (err, errors) = watch::channel(String::new());
        let mut stderr = child.stderr.take().unwrap();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = stderr.read(&mut bytes) {
                let text = String::from_utf8_lossy(&bytes[..count]);
                err.send_modify(|errors| errors.push_str(&text));
            }
        });
        Self { child, log, errors, names }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its address, as its log has it.
    pub(crate) fn address(&self) -> String {
        let log = self.log.borrow();
        let listening = log.iter().find(|line| line["msg"] == "grpc-listening").unwrap();
        listening["address"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn channel(&self) -> Channel {
        let url = format!("http://{}", self.address());
        Endpoint::from_shared(url).unwrap().connect().await.unwrap()
    }

    pub(crate) async fn client(&self) -> MaglevClient<Channel> {
        MaglevClient::new(self.channel().await)
    }

    /// Everything that can be watched but the log.
    pub(crate) async fn watch(&self) -> Watch {
        self.watch_as(WatchRequest { log: Some(false), ..WatchRequest::default() }).await
    }

    pub(crate) async fn watch_as(&self, request: WatchRequest) -> Watch {
        let stream = self.client().await.watch_events(request).await.unwrap().into_inner();
        Watch::new(stream, self.names.clone())
    }

    /// Waits until watchers know that these are up: `backend a`. Events are
    /// published a moment after VPP is written to.
    pub(crate) async fn published_up(&self, names: &[&str]) {
        self.watch().await.until_up(names).await;
    }

    /// Waits until every backend of these is in `state`.
    pub(crate) async fn all(&self, backends: &[&str], state: &str) {
        let mut watch = self.watch().await;
        let mut client = self.client().await;
        for name in backends {
            let reached = async {
                loop {
                    let request = GetBackendRequest { name: (*name).to_owned() };
                    let backend = client.get_backend(request).await.unwrap().into_inner();
                    if backend.state == state {
                        return;
                    }
                    // Asked before it is waited for: no change falls in between.
                    watch.next().await.unwrap();
                }
            };
            assert!(soon(reached).await.is_some(), "{name} is not {state}");
        }
    }

    /// Waits for a record of this name; gives the first.
    pub(crate) async fn logged(&mut self, msg: &str) -> Value {
        self.logged_as(msg, |record| record["msg"] == msg).await
    }

    /// Waits until `which` is in the log; gives the first that is.
    pub(crate) async fn logged_as(&mut self, what: &str, which: impl Fn(&Value) -> bool) -> Value {
        let found = soon(self.log.wait_for(|lines| lines.iter().any(&which))).await;
        match found {
            Some(Ok(lines)) => lines.iter().find(|line| which(line)).unwrap().clone(),
            other => panic!(
                "no {what} in the log: {}",
                if other.is_some() { "it ended" } else { "too late" }
            ),
        }
    }

    /// The records that there are of this name.
    pub(crate) fn records(&self, msg: &str) -> Vec<Value> {
        self.log.borrow().iter().filter(|line| line["msg"] == msg).cloned().collect()
    }

    /// Standard output so far.
    pub(crate) fn everything(&self) -> String {
        self.log.borrow().iter().map(|line| format!("{line}\n")).collect()
    }

    /// The lines of standard output that are not records of the log.
    pub(crate) fn plain_lines(&self) -> Vec<String> {
        self.log.borrow().iter().filter_map(|line| Some(line.as_str()?.to_owned())).collect()
    }

    /// Standard error so far.
    pub(crate) fn errors(&self) -> String {
        self.errors.borrow().clone()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        // It is not reaped before `ended`, so the number is still its own.
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for its end, and for all that it said.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        // A descriptor of the process is readable once it has ended, and
        // leaves it to be reaped: its number cannot be another's meanwhile.
        let process = pidfd_open(Pid::from_child(&self.child), PidfdFlags::empty()).unwrap();
        let ended = tokio::task::spawn_blocking(move || {
            let limit = DEADLINE.try_into().unwrap();
            poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&limit))
        });
        assert_eq!(ended.await.unwrap(), Ok(1), "maglevd does not end");
        let status = self.child.wait().unwrap();
        // The threads that read end with the pipes, which no other process holds.
        let read = async {
            while self.log.changed().await.is_ok() {}
            while self.errors.changed().await.is_ok() {}
        };
        soon(read).await.expect("its output ends");
        status
    }

    /// Ends it as a service manager does, and asserts that it ends well.
    pub(crate) async fn terminate(mut self) {
        self.signal(Signal::TERM);
        let status = self.ended().await;
        assert!(status.success(), "{status}: {}", self.errors());
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Both fail only if it was reaped before.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            for line in self.log.borrow().iter() {
                eprintln!("{line}");
            }
            eprintln!("{}", self.errors());
        }
    }
}
