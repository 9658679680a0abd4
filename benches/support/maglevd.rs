//! The built maglevd as a child process, watched through its log.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;

use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use super::DEADLINE;
use super::process::{Process, give_way};

/// See the module's description. It ends when this is dropped.
pub(crate) struct Maglevd {
    process: Process,
    /// Of the gRPC service.
    pub(crate) address: String,
    /// Of the metrics page, or empty.
    metrics: String,
    dir: TempDir,
}

impl Maglevd {
    /// Starts it with this configuration and this VPP, and waits until it
    /// listens. Every line of its log is handed to `line`, on a thread of its
    /// own, which gives way to what is measured.
    pub(crate) fn start(
        config: &str,
        vpp: &Path,
        flags: &[&str],
        mut line: impl FnMut(&str) + Send + 'static,
    ) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("maglev.yaml");
        std::fs::write(&path, config).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_maglevd"));
        command.arg("--config").arg(&path).arg("--vpp-api-addr").arg(vpp);
        command.args(["--log-level", "info", "--log-format", "json"]).args(flags);
        if !flags.contains(&"--grpc-addr") {
            command.args(["--grpc-addr", "127.0.0.1:0"]);
        }
        command.stdin(Stdio::null());
        let mut process = Process::start(command.stdout(Stdio::piped()));
        let log = BufReader::new(process.child().stdout.take().unwrap());
        let (sender, listening) = mpsc::channel();
        std::thread::spawn(move || {
            give_way();
            for text in log.lines().map_while(Result::ok) {
                if text.contains("-listening\"") {
                    // Nobody waits for more once it serves gRPC.
                    let _ = sender.send(serde_json::from_str::<Value>(&text).unwrap());
                }
                line(&text);
            }
        });
        let mut metrics = String::new();
        let address = loop {
            let record = listening.recv_timeout(DEADLINE).unwrap();
            let address = record["address"].as_str().unwrap().to_owned();
            match record["msg"].as_str() {
                Some("metrics-listening") => metrics = address,
                Some("grpc-listening") => break address,
                _ => {}
            }
        };
        Self { process, address, metrics, dir }
    }

    pub(crate) fn process(&self) -> &Process {
        &self.process
    }

    /// Gives it this configuration.
    pub(crate) fn reload(&self, config: &str) {
        let path = self.dir.path().join("maglev.yaml");
        let fresh = path.with_extension("new");
        std::fs::write(&fresh, config).unwrap();
        std::fs::rename(&fresh, &path).unwrap();
        self.process.signal(Signal::HUP);
    }

    /// The metrics page.
    pub(crate) fn metrics(&self) -> String {
        let mut stream = TcpStream::connect(&self.metrics).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.0\r\nHost: b\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    }

    /// Ends it as a service manager does, and asserts that it ends well.
    pub(crate) fn stop(mut self) {
        self.process.signal(Signal::TERM);
        assert!(self.process.ended(), "maglevd does not end well");
    }
}
