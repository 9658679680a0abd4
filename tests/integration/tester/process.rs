//! maglevt as a child process whose JSON is read as it comes.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::wait::DEADLINE;

/// maglevt without anything of the environment that it heeds.
pub(crate) fn maglevt(line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_maglevt"));
    command.env_remove("NO_COLOR").args(line.split_whitespace()).stdin(Stdio::null());
    command
}

/// Runs it to its end: exit status, standard output, standard error.
pub(crate) async fn ran(line: &str) -> (i32, String, String) {
    let mut command = maglevt(line);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// A test that ran to its end.
pub(crate) struct Ended {
    pub(crate) status: i32,
    pub(crate) summary: Value,
}

impl Ended {
    /// What the summary says of the only VIP.
    pub(crate) fn vip(&self) -> &Value {
        &self.summary["vips"][0]
    }

    /// All breaches, a line each.
    pub(crate) fn breaches(&self) -> String {
        let breaches = self.summary["breaches"].as_array().unwrap().iter();
        breaches.map(|breach| breach.as_str().unwrap().to_owned() + "\n").collect()
    }
}

/// A running maglevt, killed when this is dropped.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<Value>,
}

impl Running {
    pub(crate) fn start(line: &str) -> Self {
        Self::spawn(&mut maglevt(line))
    }

    pub(crate) fn spawn(command: &mut Command) -> Self {
        let command = command.args(["--output", "json", "--report", "50ms"]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (sink, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                let value = serde_json::from_str(&line).unwrap();
                if sink.send(value).is_err() {
                    return;
                }
            }
        });
        Self { child, lines }
    }

    /// The first object from now on that is as wanted.
    pub(crate) async fn until(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        tokio::task::block_in_place(|| self.next(what, wanted))
    }

    /// The first interval whose only VIP is as wanted.
    pub(crate) async fn until_vip(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let interval = |value: &Value| value["type"] == "interval" && wanted(&value["vips"][0]);
        self.until(what, interval).await
    }

    fn next(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + DEADLINE;
        let mut last = Value::Null;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(value) if wanted(&value) => return value,
                Ok(value) => last = value,
                Err(error) => panic!("{error}: not seen: {what}; the last: {last:#}"),
            }
        }
    }

    /// Tells it to end.
    pub(crate) async fn stop(self) -> Ended {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        self.end().await
    }

    /// Waits for its end.
    pub(crate) async fn end(mut self) -> Ended {
        let summary = self.until("summary", |value| value["type"] == "summary").await;
        let status = tokio::task::block_in_place(|| self.child.wait().unwrap().code().unwrap());
        Ended { status, summary }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended, or it is ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
