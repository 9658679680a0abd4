//! The daemon, and what is done to it.

use std::fmt::Write;
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use tonic::transport::{Channel, Endpoint};
use vpp_maglev::pb::BackendRequest;
use vpp_maglev::pb::maglev_client::MaglevClient;

use super::backends::{Backends, FALL};
use super::support::DEADLINE;
use super::support::maglevd::Maglevd;

/// Backends that are paused and resumed.
pub(super) const PAUSED: usize = 500;
/// Of those, so many every time.
const BATCH: usize = 10;
/// That often.
const BEAT: Duration = Duration::from_millis(10);

/// See the module's description.
pub(super) struct Daemon {
    maglevd: Maglevd,
    log: mpsc::Receiver<LogEntry>,
    client: MaglevClient<Channel>,
}

/// What the log says.
enum LogEntry {
    Flip(Duration),
    /// Of a backend; `is_flipper_up`: the one that flips is up.
    Transition {
        is_flipper_up: bool,
    },
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
    let (steady, flipping) = servers.ports();
    let mut text = format!(
        "maglev:\n  vpp:\n    lb:\n      ipv4-src-address: 192.0.2.1\n      \
         ipv6-src-address: 2001:db8::1\n      sync-interval: 1h\n  healthchecks:\n    flip: \
         {{type: http, port: {flipping}, interval: 10ms, timeout: 5s, rise: 1, fall: {FALL}}}\n    \
         steady: {{type: http, port: {steady}, interval: 10ms, timeout: 5s}}\n  backends:\n    \
         flip: {{address: 127.2.0.1, healthcheck: flip}}\n    steady: {{address: 127.2.0.2, \
         healthcheck: steady}}\n"
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
        let (sender, log) = mpsc::channel();
        let flags = ["--vpp-stats-addr", "", "--metrics-addr", ""];
        let maglevd = Maglevd::start(&config(servers), vpp, &flags, move |line| {
            if let Some(entry) = read(line) {
                // Nobody reads once the benchmark is over.
                let _ = sender.send(entry);
            }
        });
        while !matches!(
            log.recv_timeout(DEADLINE).unwrap(),
            LogEntry::Transition { is_flipper_up: true }
        ) {}
        let url = format!("http://{}", maglevd.address);
        let channel = Endpoint::from_shared(url).unwrap().connect().await.unwrap();
        Self { maglevd, log, client: MaglevClient::new(channel) }
    }

    pub(super) fn address(&self) -> &str {
        &self.maglevd.address
    }

    /// Flips, and pauses and resumes, for so long.
    pub(super) async fn run(&self, servers: &Backends, time: Duration) -> Load {
        while self.log.try_recv().is_ok() {}
        let (begun, cpu) = (Instant::now(), self.maglevd.process().cpu());
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
        let (took, cpu) = (begun.elapsed(), self.maglevd.process().cpu() - cpu);
        // Those that are paused are resumed, so that the next run begins alike.
        for number in 0..PAUSED {
            command(self.client.clone(), number, true).await;
        }
        let (mut flips, mut transitions) = (Vec::new(), 0);
        // The log is written a moment after what it records.
        while let Ok(entry) = self.log.recv_timeout(Duration::from_millis(500)) {
            match entry {
                LogEntry::Flip(took) => flips.push(took),
                LogEntry::Transition { .. } => transitions += 1,
            }
        }
        flips.sort();
        Load { took, transitions, flips, cpu }
    }

    /// Resident memory in KiB.
    pub(super) fn memory(&self) -> u64 {
        self.maglevd.process().memory("VmRSS")
    }

    pub(super) async fn stop(self) {
        tokio::task::spawn_blocking(move || self.maglevd.stop()).await.unwrap();
    }
}

/// Pauses a backend, or resumes one that is paused.
async fn command(mut client: MaglevClient<Channel>, number: usize, paused: bool) {
    let request = BackendRequest { name: format!("b{number:03}"), ..BackendRequest::default() };
    let answer = match paused {
        false => client.pause_backend(request).await,
        true => client.resume_backend(request).await,
    };
    answer.unwrap();
}

/// What a line of the log says, if it matters here.
fn read(line: &str) -> Option<LogEntry> {
    if line.contains("\"msg\":\"backend-transition\"") {
        let is_up = line.contains("\"to\":\"up\"");
        let is_flipper_up = is_up && line.contains("\"backend\":\"flip\"");
        return Some(LogEntry::Transition { is_flipper_up });
    }
    if !line.contains("\"msg\":\"vpp-lbsync-done\"") {
        return None;
    }
    let record: Value = serde_json::from_str(line).unwrap();
    let took = Duration::from_micros(record["took_us"].as_u64().unwrap());
    (record["scope"] != "all").then_some(LogEntry::Flip(took))
}
