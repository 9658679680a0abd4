//! The built maglevd as a child process, watched through its log.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::sync::watch;
use tonic::transport::{Channel, Endpoint};
use vpp_maglev::pb::SyncVpplbStateRequest;
use vpp_maglev::pb::maglev_client::MaglevClient;

use super::backends::step_back;
use super::scene::Scene;

/// How long anything may take.
const DEADLINE: Duration = Duration::from_secs(120);

/// What the log has told.
#[derive(Default)]
pub(super) struct Told {
    address: String,
    /// Verdicts that a backend, not the one that flips, is up.
    ups: usize,
    in_pass: bool,
    /// Passes and flips that were begun and not ended.
    under_way: usize,
    /// From the deciding result to VPP's reply; outside of passes.
    pub(super) flips: Vec<Duration>,
    /// The same, while a pass was under way.
    pub(super) flips_in_pass: Vec<Duration>,
    /// How long passes took.
    pub(super) passes: Vec<Duration>,
}

impl Told {
    fn take(&mut self, line: &str) {
        // Thousands of lines a second are of no concern here.
        if line.contains("\"msg\":\"vpp-lbsync-start\"") {
            self.in_pass |= line.contains("\"scope\":\"all\"");
            self.under_way += 1;
        } else if line.contains("\"msg\":\"vpp-lbsync-done\"") {
            self.under_way -= 1;
            let record: Value = serde_json::from_str(line).unwrap();
            let took = record["took_us"].as_u64().map(Duration::from_micros);
            let times = if record["scope"] == "all" {
                self.in_pass = false;
                &mut self.passes
            } else if self.in_pass {
                &mut self.flips_in_pass
            } else {
                &mut self.flips
            };
            times.extend(took);
        } else if line.contains("\"msg\":\"backend-transition\"") {
            let up = line.contains("\"to\":\"up\"") && !line.contains("\"backend\":\"flip\"");
            self.ups += usize::from(up);
        } else if line.contains("\"msg\":\"grpc-listening\"") {
            let record: Value = serde_json::from_str(line).unwrap();
            record["address"].as_str().unwrap().clone_into(&mut self.address);
        }
    }
}

/// See the module's description.
pub(super) struct Daemon {
    child: Child,
    told: watch::Sender<Told>,
    client: MaglevClient<Channel>,
    _dir: tempfile::TempDir,
}

impl Daemon {
    /// Starts it and waits until it listens.
    pub(super) async fn start(scene: &Scene, vpp: &Path) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join("maglev.yaml");
        std::fs::write(&config, scene.config()).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_maglevd"));
        command.arg("--config").arg(&config).arg("--vpp-api-addr").arg(vpp);
        command.args(["--vpp-stats-addr", "", "--grpc-addr", "127.0.0.1:0"]);
        command.args(["--metrics-addr", "", "--log-level", "info", "--log-format", "json"]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let told = watch::Sender::new(Told::default());
        let (log, sink) = (child.stdout.take().unwrap(), told.clone());
        std::thread::spawn(move || {
            step_back();
            read(log, &sink);
        });
        let mut heard = told.subscribe();
        let listens = heard.wait_for(|told| !told.address.is_empty());
        let address = tokio::time::timeout(DEADLINE, listens).await.unwrap().unwrap();
        let url = format!("http://{}", address.address);
        drop(address);
        let channel = Endpoint::from_shared(url).unwrap().connect().await.unwrap();
        let client = MaglevClient::new(channel).max_decoding_message_size(usize::MAX);
        Self { child, told, client, _dir: dir }
    }

    /// Waits until this many backends were found to be up.
    pub(super) async fn all_up(&self, count: usize) {
        self.until(|told| told.ups >= count).await;
    }

    /// Waits until nothing is under way, which must be brought about before.
    pub(super) async fn settled(&mut self) {
        // Several probes of the backend that flipped.
        tokio::time::sleep(Duration::from_millis(300)).await;
        self.until(|told| told.under_way == 0).await;
        self.sync().await;
    }

    async fn until(&self, so: impl FnMut(&Told) -> bool) {
        let mut told = self.told.subscribe();
        tokio::time::timeout(DEADLINE, told.wait_for(so)).await.unwrap().unwrap();
    }

    /// A full sync; gives the number of its steps, which VPP all took. Its
    /// end is in what was told.
    pub(super) async fn sync(&mut self) -> usize {
        let before = self.told.borrow().passes.len();
        let request = SyncVpplbStateRequest { frontend_name: None, dry_run: false };
        let answer = self.client.sync_vpplb_state(request).await.unwrap().into_inner();
        for step in &answer.steps {
            assert_eq!(step.error, "", "{step:?}");
        }
        self.until(|told| told.passes.len() > before).await;
        answer.steps.len()
    }

    /// What was measured since the last call.
    pub(super) fn take(&self) -> Told {
        let mut taken = Told::default();
        self.told.send_modify(|told| {
            taken.flips = std::mem::take(&mut told.flips);
            taken.flips_in_pass = std::mem::take(&mut told.flips_in_pass);
            taken.passes = std::mem::take(&mut told.passes);
        });
        taken
    }

    pub(super) async fn stop(mut self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        let status = tokio::task::spawn_blocking(move || self.child.wait()).await.unwrap();
        assert!(status.unwrap().success());
    }
}

fn read(log: ChildStdout, to: &watch::Sender<Told>) {
    for line in BufReader::new(log).lines().map_while(Result::ok) {
        if line.contains("\"level\":\"WARN\"") {
            eprintln!("{line}");
        }
        to.send_if_modified(|told| {
            told.take(&line);
            // Whoever waits looks when a pass or a verdict is in.
            line.contains("-done\"") || line.contains("\"to\":\"up\"") || line.contains("grpc")
        });
    }
}
