//! The built maglevd, and what is done to it.

use std::fmt::Write;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use tonic::transport::{Channel, Endpoint};
use vpp_maglev::pb::BackendRequest;
use vpp_maglev::pb::maglev_client::MaglevClient;

use super::backends::Backends;

/// Backends that are paused and resumed.
pub(super) const PAUSED: usize = 500;
/// Of those, so many every time.
const BATCH: usize = 10;
/// That often.
const BEAT: Duration = Duration::from_millis(10);

/// See the module's description.
pub(super) struct Daemon {
    child: Child,
    pub(super) address: String,
    told: mpsc::Receiver<Told>,
    client: MaglevClient<Channel>,
    _dir: tempfile::TempDir,
}

/// What the log tells.
enum Told {
    Listens(String),
    Flip(Duration),
    Transition,
    AllUp,
}

/// What was measured.
pub(super) struct Load {
    pub(super) took: Duration,
    pub(super) transitions: usize,
    /// From the deciding result to VPP's reply; sorted.
    pub(super) flips: Vec<Duration>,
    /// Processor time of the daemon.
    pub(super) cpu: Duration,
}

fn config(servers: &Backends) -> String {
    let (_, flipping) = servers.ports();
    let mut text = format!(
        "maglev:\n  vpp:\n    lb:\n      ipv4-src-address: 192.0.2.1\n      \
         ipv6-src-address: 2001:db8::1\n      sync-interval: 1h\n  healthchecks:\n    flip: \
         {{type: http, port: {flipping}, interval: 10ms, timeout: 5s, rise: 1, fall: 1}}\n  \
         backends:\n    flip: {{address: 127.2.0.1, healthcheck: flip}}\n    steady: {{address: \
         127.2.0.2}}\n"
    );
    for number in 0..PAUSED {
        let (high, low) = (number / 250, number % 250 + 1);
        writeln!(text, "    b{number:03}: {{address: 127.3.{high}.{low}}}").unwrap();
    }
    text.push_str(
        "  frontends:\n    flip: {address: 192.0.2.80, protocol: tcp, port: 80, pools: [{name: \
         pool, backends: {flip: {weight: 100}, steady: {weight: 100}}}]}\n",
    );
    text
}

impl Daemon {
    pub(super) async fn start(servers: &Backends, vpp: &Path) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("maglev.yaml");
        std::fs::write(&path, config(servers)).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_maglevd"));
        command.arg("--config").arg(&path).arg("--vpp-api-addr").arg(vpp);
        command.args(["--vpp-stats-addr", "", "--grpc-addr", "127.0.0.1:0"]);
        command.args(["--metrics-addr", "", "--log-level", "info", "--log-format", "json"]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let (tell, told) = mpsc::channel();
        let log = child.stdout.take().unwrap();
        std::thread::spawn(move || read(log, &tell));
        let mut address = None;
        let mut up = false;
        while address.is_none() || !up {
            match told.recv_timeout(Duration::from_secs(60)).unwrap() {
                Told::Listens(at) => address = Some(at),
                Told::AllUp => up = true,
                Told::Flip(_) | Told::Transition => {}
            }
        }
        let address = address.unwrap();
        let url = format!("http://{address}");
        let channel = Endpoint::from_shared(url).unwrap().connect().await.unwrap();
        Self { child, address, told, client: MaglevClient::new(channel), _dir: dir }
    }

    /// Flips, and pauses and resumes, for so long.
    pub(super) async fn run(&self, servers: &Backends, time: Duration) -> Load {
        while self.told.try_recv().is_ok() {}
        let (begun, cpu) = (Instant::now(), self.cpu());
        servers.flip(true);
        let mut beat = interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let (mut next, mut paused) = (0, false);
        while begun.elapsed() < time {
            beat.tick().await;
            // All at once: one after the other, the answers would set the pace.
            let mut calls = JoinSet::new();
            for _ in 0..BATCH {
                calls.spawn(command(self.client.clone(), next, paused));
                next = (next + 1) % PAUSED;
                paused ^= next == 0;
            }
            calls.join_all().await;
        }
        servers.flip(false);
        let (took, cpu) = (begun.elapsed(), self.cpu() - cpu);
        // Those that are paused are resumed, so that the next run begins alike.
        for number in 0..PAUSED {
            command(self.client.clone(), number, true).await;
        }
        let (mut flips, mut transitions) = (Vec::new(), 0);
        while let Ok(told) = self.told.recv_timeout(Duration::from_millis(500)) {
            match told {
                Told::Flip(took) => flips.push(took),
                Told::Transition => transitions += 1,
                Told::Listens(_) | Told::AllUp => {}
            }
        }
        flips.sort();
        Load { took, transitions, flips, cpu }
    }

    /// Resident memory in KiB (proc(5)).
    pub(super) fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    }

    fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields: Vec<_> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        // User and system time in hundredths of a second (proc(5), 14 and 15).
        let ticks = |place: usize| fields[place].parse::<u64>().unwrap();
        Duration::from_millis((ticks(11) + ticks(12)) * 10)
    }

    pub(super) async fn stop(mut self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        let status = tokio::task::spawn_blocking(move || self.child.wait()).await.unwrap();
        assert!(status.unwrap().success());
    }
}

/// Pauses a backend, or resumes one that is paused.
async fn command(mut client: MaglevClient<Channel>, number: usize, paused: bool) {
    let request = BackendRequest { name: format!("b{number:03}") };
    let answer = match paused {
        false => client.pause_backend(request).await,
        true => client.resume_backend(request).await,
    };
    answer.unwrap();
}

fn read(log: ChildStdout, tell: &mpsc::Sender<Told>) {
    let mut ups = 0;
    for line in BufReader::new(log).lines().map_while(Result::ok) {
        let told = if line.contains("\"msg\":\"backend-transition\"") {
            if line.contains("\"to\":\"up\"") && line.contains("\"backend\":\"flip\"") {
                ups += 1;
                if ups == 1 { Told::AllUp } else { Told::Transition }
            } else {
                Told::Transition
            }
        } else if line.contains("\"msg\":\"vpp-lbsync-done\"") {
            let record: Value = serde_json::from_str(&line).unwrap();
            if record["scope"] == "all" {
                continue;
            }
            Told::Flip(Duration::from_micros(record["took_us"].as_u64().unwrap()))
        } else if line.contains("\"msg\":\"grpc-listening\"") {
            let record: Value = serde_json::from_str(&line).unwrap();
            Told::Listens(record["address"].as_str().unwrap().into())
        } else {
            continue;
        };
        if tell.send(told).is_err() {
            return;
        }
    }
}
