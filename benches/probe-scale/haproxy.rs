//! HAProxy with the same checks, and as many threads as it takes by itself.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::Scene;
use super::support::eventually;
use super::support::process::Process;

/// Servers of one of its backends: many of them make it slow to start.
const SERVERS: usize = 1000;

/// See the module's description.
pub(super) struct Haproxy {
    process: Process,
    socket: PathBuf,
    _directory: tempfile::TempDir,
}

impl Haproxy {
    /// Starts it and waits until it answers.
    pub(super) fn start(scene: &Scene, port: u16) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("stats.sock");
        let path = directory.path().join("haproxy.cfg");
        // Waits are spread by a tenth, as the daemon's are.
        let mut config = format!(
            "global\n stats socket {}\n spread-checks 10\n maxconn 100\n no strict-limits\n\
             defaults\n mode http\n timeout connect 5s\n timeout client 5s\n timeout server 5s\n \
             default-server check inter {}ms rise 2 fall 3\n",
            socket.display(),
            scene.interval.as_millis(),
        );
        if scene.kind == "http" {
            config.push_str(
                " option httpchk\n http-check send meth GET uri / ver HTTP/1.1 hdr Host b\n",
            );
        }
        for (number, address) in scene.addresses().enumerate() {
            if number % SERVERS == 0 {
                writeln!(config, "backend b{number}").unwrap();
            }
            writeln!(config, " server s{number} {address}:{port}").unwrap();
        }
        std::fs::write(&path, config).unwrap();
        let mut command = Command::new("haproxy");
        command.arg("-db").arg("-f").arg(&path).stdin(Stdio::null());
        // A line for each server that goes down.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let haproxy = Self { process: Process::start(&mut command), socket, _directory: directory };
        eventually("HAProxy answers", || haproxy.ask("show info").is_some());
        haproxy
    }

    pub(super) fn process(&self) -> &Process {
        &self.process
    }

    /// All backends passed their last check, which is what it counts.
    pub(super) fn assert_all_up(&self, scene: &Scene) {
        let passed = match scene.kind {
            "http" => "L7OK,",
            _ => "L4OK,",
        };
        let table = self.ask("show stat -1 4 -1").unwrap();
        let up = table.lines().filter(|line| line.contains(",UP,") && line.contains(passed));
        assert_eq!(up.count(), usize::try_from(scene.backends).unwrap());
    }

    fn ask(&self, command: &str) -> Option<String> {
        let mut stream = UnixStream::connect(&self.socket).ok()?;
        writeln!(stream, "{command}").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }
}
