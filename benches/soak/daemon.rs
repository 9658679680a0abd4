//! The built maglevd as a child process, and what the kernel and its metrics
//! page say of it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tonic::transport::Endpoint;
use vpp_maglev::pb::WatchRequest;
use vpp_maglev::pb::maglev_client::MaglevClient;

use super::figures::Figures;

/// What the log told.
#[derive(Default)]
struct Told {
    reloads: AtomicU64,
    transitions: AtomicU64,
}

/// See the module's description. It is killed when this is dropped.
pub(super) struct Daemon {
    child: Child,
    told: Arc<Told>,
    grpc: String,
    metrics: String,
    streams: Vec<JoinHandle<()>>,
    dir: tempfile::TempDir,
}

impl Daemon {
    /// Starts it and waits until it listens.
    pub(super) async fn start(config: &str, api: &Path, stats: &Path) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("maglev.yaml");
        std::fs::write(&path, config).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_maglevd"));
        command.arg("--config").arg(&path).arg("--vpp-api-addr").arg(api);
        command.arg("--vpp-stats-addr").arg(stats).args(["--grpc-addr", "127.0.0.1:0"]);
        command.args(["--metrics-addr", "127.0.0.1:0", "--log-format", "json"]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stdout.take().unwrap());
        let metrics = until(&mut log, "metrics-listening");
        let grpc = until(&mut log, "grpc-listening");
        let told = Arc::new(Told::default());
        let sink = Arc::clone(&told);
        std::thread::spawn(move || read(log, &sink));
        Self { child, told, grpc, metrics, streams: Vec::new(), dir }
    }

    /// Opens an event stream and reads it.
    pub(super) async fn open_stream(&mut self) {
        let url = format!("http://{}", self.grpc);
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
        let path = self.dir.path().join("maglev.yaml");
        let fresh = path.with_extension("new");
        std::fs::write(&fresh, config).unwrap();
        std::fs::rename(&fresh, &path).unwrap();
        kill_process(Pid::from_child(&self.child), Signal::HUP).unwrap();
    }

    /// What the kernel and the metrics page say at present.
    pub(super) async fn figures(&self, at: Duration) -> Figures {
        let page = self.scrape().await;
        let process = Path::new("/proc").join(self.child.id().to_string());
        let count = |folder: &str| std::fs::read_dir(process.join(folder)).unwrap().count() as u64;
        let status = std::fs::read_to_string(process.join("status")).unwrap();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let stat = std::fs::read_to_string(process.join("stat")).unwrap();
        // After the name, which may hold blanks, utime and stime are 12th and 13th.
        let (_, fields) = stat.rsplit_once(") ").unwrap();
        let ticks = fields.split(' ').skip(11).take(2).map(|field| field.parse::<u64>().unwrap());
        Figures {
            at,
            rss_kib: resident.trim().trim_end_matches(" kB").parse().unwrap(),
            descriptors: count("fd"),
            threads: count("task"),
            series: page.lines().filter(|line| !line.starts_with('#')).count() as u64,
            reloads: self.told.reloads.load(Relaxed),
            transitions: self.told.transitions.load(Relaxed),
            cpu: Duration::from_millis(10 * ticks.sum::<u64>()),
        }
    }

    async fn scrape(&self) -> String {
        let mut stream = TcpStream::connect(&self.metrics).await.unwrap();
        let request = "GET /metrics HTTP/1.1\r\nHost: m\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    }

    /// Ends it as a service manager does.
    pub(super) fn stop(mut self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}");
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It has ended already unless something panicked.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads until a record of this name; gives its address.
fn until(log: &mut BufReader<ChildStdout>, msg: &str) -> String {
    let mut line = String::new();
    while log.read_line(&mut line).unwrap() > 0 {
        let record: Value = serde_json::from_str(&line).unwrap();
        if record["msg"] == msg {
            return record["address"].as_str().unwrap().to_owned();
        }
        line.clear();
    }
    panic!("maglevd ended without {msg}");
}

fn read(log: BufReader<ChildStdout>, told: &Told) {
    for line in log.lines().map_while(Result::ok) {
        if line.contains("\"msg\":\"config-reload-done\"") {
            told.reloads.fetch_add(1, Relaxed);
        } else if line.contains("\"msg\":\"backend-transition\"") {
            told.transitions.fetch_add(1, Relaxed);
        } else if line.contains("\"level\":\"ERROR\"") || line.contains("config-check-failed") {
            println!("{line}");
        }
    }
}
