//! Lines over TCP, and datagrams: broken, moved, stalled, gaps, shares.

use super::line_server::{DatagramServer, LineServer};
use super::process::Running;

/// New flows often, held connections too.
const QUICK: &str = "--interval 10ms --hold-interval 10ms";

#[tokio::test(flavor = "multi_thread")]
async fn a_held_connection_that_moves_and_one_that_breaks_are_named() {
    let server = LineServer::start(&["a"]).await;
    let address = server.address;
    let line = format!("tcp://{address} {QUICK} --hold 3 --max-broken 0 --max-moved 2");
    let mut test = Running::start(&line);
    let start = test.until("start", |value| value["type"] == "start").await;
    assert_eq!(start["vips"][0]["kind"], "tcp");
    test.until_vip("three held", |vip| vip["held_tally"]["a"] == 3).await;

    server.change(|servers| servers.moved_to = Some("b"));
    let moved = test.until("a move", |value| value["what"] == "moved").await;
    assert_eq!((&moved["server"], &moved["now"]), (&"a".into(), &"b".into()));
    test.until_vip("all moved", |vip| vip["held_tally"]["b"] == 3).await;

    server.change(|servers| servers.resets += 1);
    let broken = test.until("a break", |value| value["what"] == "broken").await;
    assert_eq!((&broken["server"], &broken["kind"]), (&"b".into(), &"reset".into()));
    test.until_vip("held again", |vip| vip["held_open"] == 3 && vip["broken_slots"] == 3).await;

    let ended = test.stop().await;
    let vip = ended.vip();
    assert_eq!((&vip["broken"], &vip["broken_by"]["reset"]), (&3.into(), &3.into()));
    assert_eq!((&vip["moved"], &vip["held_opened"]), (&3.into(), &6.into()));
    let expected = "3 held connections broke; --max-broken allows 0\n\
                    3 answers came from another server; --max-moved allows 2\n";
    assert_eq!((ended.status, &*ended.breaches()), (1, expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_connection_without_answers_stalls_and_then_is_broken() {
    let server = LineServer::start(&["a"]).await;
    let address = server.address;
    let line = format!("tcp://{address} {QUICK} --hold 1 --timeout 300ms --hold-timeout 600ms");
    let mut test = Running::start(&line);
    test.until_vip("one held", |vip| vip["held_tally"]["a"] == 1).await;
    server.change(|servers| servers.is_silent = true);
    test.until_vip("a stall", |vip| vip["held_stalled"] == 1).await;
    let broken = test.until("a break", |value| value["what"] == "broken").await;
    assert_eq!(broken["kind"], "timeout");
    assert_eq!(broken["why"], "no answer within 600 ms");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_is_found_and_held_connections_live_through_it() {
    let mut server = LineServer::start(&["a"]).await;
    let line = format!("tcp://{} {QUICK} --hold 2 --max-gap 300ms --max-broken 0", server.address);
    let mut test = Running::start(&line);
    test.until_vip("two held", |vip| vip["held_tally"]["a"] == 2).await;
    server.refuse().await;
    let refused = |vip: &serde_json::Value| {
        vip["gap_ms"].as_u64() > Some(300) && vip["failed"]["refused"].as_u64() > Some(0)
    };
    test.until_vip("refused for long", refused).await;
    server.welcome().await;
    let gap = test.until("the end of the gap", |value| value["what"] == "gap").await;
    assert!(gap["gap_ms"].as_u64() > Some(300), "{gap}");
    let ended = test.stop().await;
    assert_eq!(ended.vip()["broken"], 0);
    assert!(ended.breaches().contains("--max-gap allows 300 ms"), "{}", ended.breaches());
    assert_eq!(ended.status, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_share_is_named_and_a_right_one_passes() {
    let server = LineServer::start(&["a", "a", "a", "b"]).await;
    let test = |expect: &str| {
        let address = server.address;
        Running::start(&format!(
            "tcp://{address} --interval 2ms --lines 2 --line-interval 1ms \
                                 --expect {expect} --for 1s"
        ))
    };
    let ended = test("a=75,b=25").end().await;
    assert_eq!((ended.status, &*ended.breaches()), (0, ""));
    assert_eq!(ended.vip()["shares"]["verdict"], "as expected");
    assert_eq!(ended.vip()["moved"], 0);

    let ended = test("a=1,b=1").end().await;
    assert_eq!((ended.status, &ended.vip()["shares"]["verdict"]), (1, &"wrong".into()));
    let says = ended.breaches();
    // A busy machine makes fewer connections, which do not end with a whole round.
    let shares = says.split("got ").skip(1).filter_map(|rest| rest.split('.').next());
    let shares: Vec<u32> = shares.map(|share| share.parse().unwrap()).collect();
    let is_right = |share: &u32| (65..=85).contains(share) || (15..=35).contains(share);
    assert!(!shares.is_empty() && shares.iter().all(is_right), "{says}");

    let ended = test("a=1,b=0").end().await;
    let says = ended.breaches();
    assert!(says.contains("b answered ") && says.contains("should get no new flows"), "{says}");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_connections_are_held_while_new_ones_come() {
    let server = LineServer::start(&["a", "b"]).await;
    let line = format!("tcp://{} --interval 5ms --hold 300 --max-broken 0", server.address);
    let mut test = Running::start(&line);
    test.until_vip("all held", |vip| {
        let of = |name: &str| vip["held_tally"][name].as_u64().unwrap_or(0);
        of("a") + of("b") == 300 && vip["ok"].as_u64() > Some(0)
    })
    .await;
    let ended = test.stop().await;
    assert_eq!((ended.status, &ended.vip()["broken"]), (0, &0.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn datagrams_are_answered_by_name_and_full_ones_pass() {
    let server = DatagramServer::start("dns1").await;
    let line = format!("udp://{} --interval 10ms --hold 2 --full-size", server.address);
    let mut test = Running::start(&line);
    let passes = test.until("full packets", |value| value["what"] == "full_size").await;
    assert!(passes["why"].as_str().unwrap().starts_with("full packets of "), "{passes}");
    test.until_vip("answers", |vip| vip["tally"]["dns1"].as_u64() > Some(0)).await;
    test.until_vip("held", |vip| vip["held_tally"]["dns1"] == 2).await;
    let address = server.address;
    drop(server);
    test.until_vip("refusals", |vip| vip["failed"]["refused"].as_u64() > Some(0)).await;
    let ended = test.stop().await;
    assert_eq!(ended.vip()["full_size"]["passes"], true);
    assert_eq!(ended.vip()["address"], address.to_string());
}
