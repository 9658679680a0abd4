//! The built maglevd, with no VPP: it only probes.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::Scene;
use super::process::Process;

/// See the module's description.
pub(super) struct Maglevd {
    process: Process,
    metrics: String,
    _directory: tempfile::TempDir,
}

impl Maglevd {
    /// Starts it and waits until it listens.
    pub(super) fn start(scene: &Scene, port: u16) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("maglev.yaml");
        std::fs::write(&path, config(scene, port)).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_maglevd"));
        command.arg("--config").arg(&path).args(["--vpp-api-addr", "", "--vpp-stats-addr", ""]);
        command.args(["--grpc-addr", "127.0.0.1:0", "--metrics-addr", "127.0.0.1:0"]);
        command.args(["--log-level", "info", "--log-format", "json"]);
        let mut process = Process::start(command.stdout(Stdio::piped()));
        let mut log = BufReader::new(process.child().stdout.take().unwrap());
        let mut line = String::new();
        let metrics = loop {
            line.clear();
            assert!(log.read_line(&mut line).unwrap() > 0, "maglevd ended");
            if line.contains("\"metrics-listening\"") {
                let record: serde_json::Value = serde_json::from_str(&line).unwrap();
                break record["address"].as_str().unwrap().to_owned();
            }
        };
        // What it logs is of no more concern, but must be taken.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Self { process, metrics, _directory: directory }
    }

    pub(super) fn process(&self) -> &Process {
        &self.process
    }

    /// How late all probes since the start were; each of them passed.
    pub(super) fn lateness(&self, scene: &Scene) -> Lateness {
        let mut stream = TcpStream::connect(&self.metrics).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.0\r\nHost: b\r\n\r\n").unwrap();
        let mut page = String::new();
        stream.read_to_string(&mut page).unwrap();
        let passed = page.lines().filter(|line| line.starts_with("maglev_probe_total{"));
        let passed = passed.inspect(|line| assert!(line.contains("result=\"success\""), "{line}"));
        assert_eq!(passed.count(), usize::try_from(scene.backends).unwrap());
        let buckets = page.lines().filter_map(|line| {
            let rest = line.strip_prefix("maglev_probe_lateness_seconds_bucket{le=\"")?;
            let (bound, count) = rest.split_once("\"} ")?;
            let bound = Duration::try_from_secs_f64(bound.parse().unwrap());
            let bound = bound.unwrap_or(Duration::MAX);
            Some((bound, count.parse().unwrap()))
        });
        Lateness(buckets.collect())
    }
}

/// How many probes began at most so late.
pub(super) struct Lateness(Vec<(Duration, f64)>);

impl Lateness {
    /// The bound that this share of the probes kept.
    pub(super) fn at_most(&self, share: f64) -> Duration {
        let enough = share * self.count();
        self.0.iter().find(|(_, count)| *count >= enough).unwrap().0
    }

    pub(super) fn count(&self) -> f64 {
        self.0.last().unwrap().1
    }
}

fn config(scene: &Scene, port: u16) -> String {
    let interval = scene.interval.as_millis();
    let port = if scene.kind == "icmp" { String::new() } else { format!("port: {port}, ") };
    let mut text = format!(
        "maglev:\n  vpp:\n    lb: {{ipv4-src-address: 192.0.2.1, ipv6-src-address: '2001:db8::1'}}\n  \
         healthchecks:\n    c: {{type: {}, {port}interval: {interval}ms, timeout: {interval}ms, \
         rise: 2, fall: 3}}\n  backends:\n",
        scene.kind
    );
    for (number, address) in scene.addresses().enumerate() {
        writeln!(text, "    b{number}: {{address: {address}, healthcheck: c}}").unwrap();
    }
    text
}
