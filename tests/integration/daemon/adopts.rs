//! What a life of maglevd leaves in VPP, and what the next makes of it: on the
//! embedded dataplane, with and without weights, and, where `MAGLEV_TEST_VPP_API` names its
//! socket, on a real VPP of either kind, whose VIPs are all removed.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::support::vpp::on_each;
use crate::support::{Config, Daemon, TestBed};
use rustix::process::Signal;
use vpp_maglev::domain::dataplane::dialect::LbDialect;
use vpp_maglev::pb::SyncVpplbStateRequest;

/// Requests that change nothing, by name. `cli_inband` is counted with them:
/// the daemon's lines are `show` and the one that makes VPP notice the dead.
const READS: [&str; 12] = [
    "sockclnt_create",
    "sockclnt_delete",
    "show_version",
    "control_ping",
    "cli_inband",
    "lb_conf_get",
    "lb_vip_dump",
    "lb_as_v2_dump",
    "lb_as_dump",
    "ip_route_lookup_v2",
    "fib_source_dump",
    "sw_interface_dump",
];

/// Of a daemon that logs every message.
const FLAGS: [&str; 4] = ["--vpp-stats-addr", "", "--log-level", "debug"];

/// Ends it, so that its log is complete.
async fn end(daemon: &mut Daemon) {
    daemon.signal(Signal::TERM);
    assert!(daemon.ended().await.success(), "{}", daemon.errors());
}

/// Runs a daemon until VPP has its first server, and kills it. Its log is
/// read no further, and a daemon whose log is full stands still: it cannot be
/// done before it is killed.
async fn kill_in_the_middle(mut command: Command) {
    let killed = tokio::task::spawn_blocking(move || {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        // A flip logs what was added once all of it was; its replies are logged one by one.
        let is_server = |line: &String| line.contains("lb_add_del_as") && line.contains("_reply");
        let added = log.find(is_server);
        child.kill().unwrap();
        assert!(!child.wait().unwrap().success());
        assert!(added.is_some(), "the daemon added no server");
    });
    killed.await.unwrap();
}

/// What a full sync would do, or does.
async fn sync(daemon: &Daemon, dry_run: bool) -> usize {
    let request = SyncVpplbStateRequest { frontend_name: None, dry_run, force: false };
    let answer = daemon.client().await.sync_vpplb_state(request).await.unwrap().into_inner();
    assert!(answer.steps.iter().all(|step| step.error.is_empty()), "{:?}", answer.steps);
    answer.steps.len()
}

/// Names of the messages that the daemon sent.
fn sent(daemon: &Daemon) -> Vec<String> {
    let records = [daemon.records("vpp-api-send"), daemon.records("vpp-api-send-multi")].concat();
    let name = |record: &serde_json::Value| record["api_message"].as_str().unwrap().to_owned();
    records.iter().map(name).collect()
}

fn writes(daemon: &Daemon) -> Vec<String> {
    sent(daemon).into_iter().filter(|name| !READS.contains(&name.as_str())).collect()
}

#[tokio::test]
async fn a_restart_with_everything_healthy_sends_no_write_but_settings_that_vpp_does_not_tell() {
    on_each(async |api, dialect| {
        let bed = TestBed::new(&["a", "b", "c"]).pools(&["a b:40", "c"]);
        let bed = bed.vpp(api.to_str().unwrap());
        let mut daemon = bed.start_with(&FLAGS).await;
        daemon.all(&["a", "b", "c"], "up").await;
        // The last flip may still be on its way: a sync comes after it.
        sync(&daemon, false).await;
        assert_eq!(sync(&daemon, true).await, 0);
        end(&mut daemon).await;
        assert!(writes(&daemon).len() >= 7, "{:?}", writes(&daemon));

        let mut daemon = bed.start_with(&FLAGS).await;
        daemon.all(&["a", "b", "c"], "up").await;
        assert_eq!(sync(&daemon, false).await, 0);
        end(&mut daemon).await;
        // Where VPP does not tell its settings, they are written once.
        let (read_by, written) = match dialect {
            LbDialect::Weights => ("lb_as_v2_dump", &[][..]),
            LbDialect::Membership => ("cli_inband", &["lb_conf"][..]),
        };
        assert!(sent(&daemon).iter().any(|name| name == read_by));
        assert_eq!(writes(&daemon), written);
    })
    .await;
}

#[tokio::test]
async fn what_a_killed_daemon_left_half_done_is_finished_by_the_next() {
    let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
    let pool = names.join(" ");
    let frontends = |config: Config| {
        (1..=100).fold(config, |config, number| {
            config.frontend(&format!("v{number}"), &format!("198.18.0.{number}"), &[&pool])
        })
    };
    on_each(async |api, _| {
        let bed = TestBed::new(&names).configured(frontends).vpp(api.to_str().unwrap());
        let mut command = bed.command();
        command.args(["--grpc-addr", "127.0.0.1:0"]).args(FLAGS);
        kill_in_the_middle(command).await;
        let mut daemon = bed.start_with(&FLAGS).await;
        daemon.all(&names, "up").await;
        // A flip may end before the first pass: a sync comes after both.
        sync(&daemon, false).await;
        assert_eq!(sync(&daemon, true).await, 0);
        end(&mut daemon).await;
        let added = daemon.records("vpp-lbsync-vip-add").len();
        assert!(0 < added && added < 100, "{added} VIPs were missing");
    })
    .await;
}
