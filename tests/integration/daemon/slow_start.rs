//! A server that comes back to a running daemon, and takes its share in steps.

use std::time::{Duration, Instant};

use crate::support::TestBed;
use crate::support::wait::{DEADLINE, eventually};
use vpp_maglev::pb::{BackendInfo, BackendRequest, GetBackendRequest};

const SPAN: Duration = Duration::from_secs(2);

#[tokio::test]
async fn a_server_that_comes_back_takes_its_share_in_steps_and_others_keep_their_weights() {
    let mut bed = TestBed::new(&["a", "b"]);
    let text = bed.config().frontend("v4", "192.0.2.80", &["a b"]).text();
    let slow = text.replace("- name: pool0\n", "- name: pool0\n          slow-start: 2s\n");
    assert_ne!(text, slow);
    let dataplane = bed.dataplane();
    let mut command = bed.command();
    command.args(["--grpc-addr", "127.0.0.1:0"]);
    bed.write_config(&slow);
    let daemon = bed.run(&mut command).await;
    daemon.all(&["a", "b"], "up").await;
    dataplane.until("v4 a=100 b=100").await;
    assert!(dataplane.writes().iter().all(|write| !write.ends_with(" 1")), "not at a start");
    let started = Instant::now();
    eventually("the pool has served as long as a slow start takes", DEADLINE, async || {
        started.elapsed() > SPAN
    })
    .await;

    let [a, _] = &mut bed.backends[..] else { panic!() };
    a.stop().await;
    dataplane.until("v4 a=0 b=100").await;
    dataplane.writes();
    a.serve();
    eventually("a starts slowly", DEADLINE, async || backend(&daemon).await.slow_starts.len() == 1)
        .await;
    let ramp = backend(&daemon).await.slow_starts;
    let ramp = ramp.first().map(|it| (it.frontend_name.as_str(), it.target, it.weight < 100));
    assert_eq!(ramp, Some(("v4", 100, true)));
    dataplane.until("v4 a=100 b=100").await;
    let written = dataplane.writes();
    let weights: Vec<u8> =
        written.iter().map(|write| write.strip_prefix("v4 a ").unwrap().parse().unwrap()).collect();
    assert!(weights.len() > 4 && weights[0] == 1, "{weights:?}");
    assert!(weights.is_sorted_by(|one, next| one < next), "{weights:?}");
    assert_eq!(backend(&daemon).await.slow_starts, []);

    // An operator's resume is at once, unless it is to be slow.
    let request = |slowly| BackendRequest { name: "a".into(), slowly, ..Default::default() };
    for (slowly, first) in [(false, "v4 a 100"), (true, "v4 a 1")] {
        let mut client = daemon.client().await;
        client.pause_backend(request(false)).await.unwrap();
        dataplane.until("v4 a=0 b=100").await;
        dataplane.writes();
        client.resume_backend(request(slowly)).await.unwrap();
        dataplane.until("v4 a=100 b=100").await;
        assert_eq!(dataplane.writes()[0], first);
    }
    daemon.terminate().await;
}

async fn backend(daemon: &crate::support::Daemon) -> BackendInfo {
    let request = GetBackendRequest { name: "a".into() };
    daemon.client().await.get_backend(request).await.unwrap().into_inner()
}
