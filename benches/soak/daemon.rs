//! The daemon, and what the kernel and its metrics page say of it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::task::JoinHandle;
use tonic::transport::Endpoint;
use vpp_maglev::pb::WatchRequest;
use vpp_maglev::pb::maglev_client::MaglevClient;

use super::measurements::Measurement;
use super::support::maglevd::Maglevd;

/// What the log has said.
#[derive(Default)]
struct LogStats {
    reloads: AtomicU64,
    transitions: AtomicU64,
}

/// See the module's description.
pub(super) struct Daemon {
    maglevd: Maglevd,
    log: Arc<LogStats>,
    streams: Vec<JoinHandle<()>>,
}

impl Daemon {
    /// Starts it and waits until it listens.
    pub(super) fn start(config: &str, api: &Path, stats: &Path) -> Self {
        let log = Arc::new(LogStats::default());
        let sink = Arc::clone(&log);
        let stats = stats.to_str().unwrap();
        let flags = ["--vpp-stats-addr", stats, "--metrics-addr", "127.0.0.1:0"];
        let maglevd = Maglevd::start(config, api, &flags, move |line| read(line, &sink));
        Self { maglevd, log, streams: Vec::new() }
    }

    /// Opens an event stream and reads it.
    pub(super) async fn open_stream(&mut self) {
        let url = format!("http://{}", self.maglevd.address);
        let channel = Endpoint::from_shared(url).unwrap().connect().await.unwrap();
        let mut client = MaglevClient::new(channel);
        let opened = client.watch_events(WatchRequest::default()).await.unwrap();
        let mut events = opened.into_inner();
        self.streams
            .push(tokio::spawn(async move { while let Ok(Some(_)) = events.message().await {} }));
    }

    /// Closes the oldest stream and opens another.
    pub(super) async fn replace_stream(&mut self) {
        self.streams.remove(0).abort();
        self.open_stream().await;
    }

    /// Gives it this configuration.
    pub(super) fn reload(&self, config: &str) {
        self.maglevd.reload(config);
    }

    /// What the kernel and the metrics page say at present.
    pub(super) fn measure(&self, at: Duration) -> Measurement {
        let page = self.maglevd.metrics();
        let process = self.maglevd.process();
        Measurement {
            at,
            rss_kib: process.memory("VmRSS"),
            descriptors: process.count("fd"),
            threads: process.count("task"),
            series: page.lines().filter(|line| !line.starts_with('#')).count() as u64,
            reloads: self.log.reloads.load(Relaxed),
            transitions: self.log.transitions.load(Relaxed),
            cpu: process.cpu(),
        }
    }

    pub(super) fn stop(self) {
        self.maglevd.stop();
    }
}

fn read(line: &str, log: &LogStats) {
    if line.contains("\"msg\":\"config-reload-done\"") {
        log.reloads.fetch_add(1, Relaxed);
    } else if line.contains("\"msg\":\"backend-transition\"") {
        log.transitions.fetch_add(1, Relaxed);
    } else if line.contains("\"level\":\"ERROR\"") || line.contains("config-check-failed") {
        println!("{line}");
    }
}
