//! Against the demo's backends, and with the shares that a daemon expects.

use std::net::SocketAddr;

use super::line_server::LineServer;
use super::process::Running;
use crate::daemon::modes::Demo;
use crate::support::TestBed;
use vpp_maglev::pb::BackendRequest;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_the_demo_that_fails_hangs_and_refuses_is_named() {
    let demo = Demo::start().await;
    let address = demo.bed.backends[0].address;
    let line = format!("http://{address} --interval 20ms --timeout 200ms --hold 1 --max-failed 0");
    let mut test = Running::start(&line);
    test.until_vip("it serves", |vip| vip["tally"]["ok from a"].as_u64() > Some(0)).await;
    // It ends each connection with its answer: by agreement, which breaks nothing.
    test.until_vip("it closes", |vip| vip["held_renewed"].as_u64() > Some(0)).await;
    for (word, kind) in [("fail", "status"), ("hang", "timeout"), ("refuse", "refused")] {
        demo.say("a", word);
        test.until_vip(word, |vip| vip["failed"][kind].as_u64() > Some(0)).await;
    }
    demo.say("a", "ok");
    test.until_vip("it serves again", |vip| vip["ok"].as_u64() > Some(0)).await;
    let ended = test.stop().await;
    assert!(ended.breaches().contains("--max-failed allows 0"), "{}", ended.breaches());
    assert_eq!(ended.status, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_s_shares_are_expected_and_followed_when_they_change() {
    let vip = LineServer::start(&["a", "b"]).await;
    let SocketAddr::V4(address) = vip.address else { unreachable!() };
    let mut bed = TestBed::new(&["a", "b"]).configured(|config| {
        config.frontend_on(address.port(), "web", &address.ip().to_string(), &["a b"])
    });
    let _dataplane = bed.dataplane();
    let daemon = bed.start().await;
    daemon.all(&["a", "b"], "up").await;
    let server = daemon.address();
    let line = format!("--server {server} --interval 5ms --send hello --check-shares");
    let mut test = Running::start(&line);
    let start = test.until("start", |value| value["type"] == "start").await;
    assert_eq!(start["vips"][0]["vip"], "web");
    test.until_vip("many answers", |vip| vip["longest_gap_ms"].as_u64() < Some(1000)).await;
    let ended = test.stop().await;
    assert!(ended.vip()["shares"]["expected"]["a"].as_f64() > Some(0.49), "{}", ended.summary);

    // The VIP goes on sending flows to the server that is drained.
    let mut test = Running::start(&line);
    test.until("start", |value| value["type"] == "start").await;
    let mut client = daemon.client().await;
    let request = BackendRequest { name: "b".into(), ..BackendRequest::default() };
    client.pause_backend(request).await.unwrap();
    let elapsed = |value: &serde_json::Value| {
        value["type"] == "interval" && value["elapsed_ms"].as_u64() > Some(2500)
    };
    test.until("the change is known", elapsed).await;
    let ended = test.stop().await;
    let says = ended.breaches();
    assert!(says.contains("web: shares are wrong: b answered "), "{says}{:#}", ended.summary);
    assert_eq!(ended.status, 1);
}
