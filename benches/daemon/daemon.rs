//! The daemon, and what its log says of flips and passes.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;
use tonic::transport::{Channel, Endpoint};
use vpp_maglev::pb::SyncVpplbStateRequest;
use vpp_maglev::pb::maglev_client::MaglevClient;

use super::scene::{self, Scene};
use super::support::DEADLINE;
use super::support::maglevd::Maglevd;

/// What the log has said.
#[derive(Default)]
pub(super) struct LogStats {
    /// Verdicts that a backend, not the one that flips, is up.
    ups: usize,
    in_pass: bool,
    /// Passes and flips that were begun and not ended.
    under_way: usize,
    /// From the deciding result to VPP's reply; outside of passes.
    pub(super) flips: Vec<Duration>,
    /// The same, while a pass was under way.
    pub(super) flips_in_pass: Vec<Duration>,
    /// From the failing answer to the record that VPP replied.
    pub(super) downs: Vec<Duration>,
    /// How long passes took.
    pub(super) passes: Vec<Duration>,
}

impl LogStats {
    fn take(&mut self, line: &str, since_failure: &impl Fn() -> Option<Duration>) {
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
                self.downs.extend(since_failure());
                &mut self.flips
            };
            times.extend(took);
        } else if line.contains("\"msg\":\"backend-transition\"") {
            let up = line.contains("\"to\":\"up\"") && !line.contains("\"backend\":\"flip\"");
            self.ups += usize::from(up);
        }
    }
}

/// See the module's description.
pub(super) struct Daemon {
    maglevd: Maglevd,
    log: watch::Sender<LogStats>,
    client: MaglevClient<Channel>,
}

impl Daemon {
    /// Starts it and waits until it listens.
    pub(super) async fn start(scene: &Scene, vpp: &Path) -> Self {
        let log = watch::Sender::new(LogStats::default());
        let sink = log.clone();
        let flags = ["--vpp-stats-addr", "", "--metrics-addr", ""];
        let since_failure = scene.server.since_failure();
        let look = move |line: &str| take(line, &since_failure, &sink);
        let maglevd = Maglevd::start(&scene.config(), vpp, &flags, look);
        let url = format!("http://{}", maglevd.address);
        let channel = Endpoint::from_shared(url).unwrap().connect().await.unwrap();
        let client = MaglevClient::new(channel).max_decoding_message_size(usize::MAX);
        Self { maglevd, log, client }
    }

    /// Waits until this many backends were found to be up.
    pub(super) async fn all_up(&self, count: usize) {
        self.until(|log| log.ups >= count).await;
    }

    /// Has the one backend stop flipping, and waits until nothing is under way.
    pub(super) async fn settle(&mut self, scene: &Scene) {
        scene.server.flip(false);
        // The second probe from now on begins when the first is judged. A sync
        // and its record come after the flip of that.
        scene.server.probes(2).await;
        self.until(|log| log.under_way == 0).await;
        self.sync().await;
    }

    async fn until(&self, so: impl FnMut(&LogStats) -> bool) {
        let mut log = self.log.subscribe();
        tokio::time::timeout(DEADLINE, log.wait_for(so)).await.unwrap().unwrap();
    }

    /// A full sync; gives the number of its steps, which VPP all took but those of the VIP for
    /// bare writes: there is no telling what a step finds there. Its end is in the log by then.
    pub(super) async fn sync(&mut self) -> usize {
        let before = self.log.borrow().passes.len();
        let request = SyncVpplbStateRequest { frontend_name: None, dry_run: false, force: false };
        let answer = self.client.sync_vpplb_state(request).await.unwrap().into_inner();
        for step in answer.steps.iter().filter(|step| step.frontend_name != scene::BARE_NAME) {
            assert_eq!(step.error, "", "{step:?}");
        }
        self.until(|log| log.passes.len() > before).await;
        answer.steps.len()
    }

    /// What was measured since the last call.
    pub(super) fn take(&self) -> LogStats {
        let mut taken = LogStats::default();
        self.log.send_modify(|log| {
            taken.flips = std::mem::take(&mut log.flips);
            taken.flips_in_pass = std::mem::take(&mut log.flips_in_pass);
            taken.downs = std::mem::take(&mut log.downs);
            taken.passes = std::mem::take(&mut log.passes);
        });
        taken
    }

    pub(super) async fn stop(self) {
        tokio::task::spawn_blocking(move || self.maglevd.stop()).await.unwrap();
    }
}

fn take(line: &str, since_failure: &impl Fn() -> Option<Duration>, to: &watch::Sender<LogStats>) {
    if line.contains("\"level\":\"WARN\"") {
        eprintln!("{line}");
    }
    to.send_if_modified(|log| {
        log.take(line, since_failure);
        // Whoever waits looks when a pass or a verdict is in.
        line.contains("-done\"") || line.contains("\"to\":\"up\"")
    });
}
