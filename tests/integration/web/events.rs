//! The stream of events of a tab.

use serde_json::{Value, json};

use super::http::Asked;
use super::server::{WebServer, plain_daemon};

/// Whether a batch says that a backend is in a state.
fn says(data: &Value, backend: &str, state: &str) -> bool {
    let backends = data["backends"].as_array();
    backends.is_some_and(|all| all.iter().any(|it| it["name"] == backend && it["state"] == state))
}

#[tokio::test]
async fn a_change_comes_once_it_happens_with_its_place_in_the_timeline() {
    let (mut bed, daemon) = plain_daemon().await;
    let web = WebServer::start(&[&daemon], &[]).await;
    web.ready().await;
    let mut events = web.events("/api/events").await;
    assert_eq!(events.next().await.unwrap().kind, "hello");
    bed.backends[0].stop().await;
    let batch = events.until("batch", |data| says(data, "a", "down")).await;
    assert_eq!(batch.data["daemon"], "lb0");
    let state = web.state().await;
    assert!(says(&state["daemons"][0], "a", "down"));
    let happened = |timeline: &Value| {
        let entries = timeline.as_array().unwrap();
        entries
            .iter()
            .any(|it| it["type"] == "backend" && it["backend"] == "a" && it["to"] == "down")
    };
    assert!(happened(&batch.data["timeline"]) && happened(&state["daemons"][0]["timeline"]));
    // The explanation follows.
    let explained = |data: &Value| {
        let backends = data["backends"].as_array();
        backends.is_some_and(|all| {
            all.iter().any(|it| it["name"] == "a" && it["kind"] == "check_fails")
        })
    };
    events.until("batch", explained).await;
}

#[tokio::test]
async fn a_stream_that_was_cut_off_goes_on_without_a_loss() {
    let (mut bed, daemon) = plain_daemon().await;
    let web = WebServer::start(&[&daemon], &[]).await;
    let id = web.ready().await["event_id"].as_str().unwrap().to_owned();
    bed.backends[0].stop().await;
    let mut first = web.events(&format!("/api/events?after={id}")).await;
    let batch = first.until("batch", |data| says(data, "a", "down")).await;
    drop(first);
    bed.backends[0].serve();
    let up = |state: &Value| says(&state["daemons"][0], "a", "up");
    web.state_when("a is up again", up).await;
    // What happened while nobody listened: by the header, which wins, and by the query.
    let last = batch.id.unwrap();
    let asked = Asked::get("/api/events?after=nonsense").header("Last-Event-ID", &last);
    let (_, mut second) = asked.stream(web.connect().await).await;
    second.until("batch", |data| says(data, "a", "up")).await;
    let mut third = web.events(&format!("/api/events?after={last}")).await;
    third.until("batch", |data| says(data, "a", "up")).await;
    // From the state on, both come in order.
    let mut whole = web.events(&format!("/api/events?after={id}")).await;
    whole.until("batch", |data| says(data, "a", "down")).await;
    whole.until("batch", |data| says(data, "a", "up")).await;
}

#[tokio::test]
async fn who_asks_for_what_is_gone_reads_the_state_anew() {
    let (_bed, daemon) = plain_daemon().await;
    let web = WebServer::start(&[&daemon], &[]).await;
    let id = web.ready().await["event_id"].as_str().unwrap().to_owned();
    let servers = format!("lb0={}", daemon.address());
    web.terminate().await;
    let web = WebServer::start_for(&servers, &[]).await;
    for after in [id.as_str(), "nonsense", "0000000000000001-99"] {
        let mut events = web.events(&format!("/api/events?after={after}")).await;
        assert_eq!(events.next().await.unwrap().kind, "hello");
        assert_eq!(events.next().await.unwrap().kind, "reset", "{after}");
        assert!(events.next().await.is_none(), "the stream ends");
    }
}

#[tokio::test]
async fn a_daemon_that_is_gone_and_comes_back_is_told_of() {
    let (bed, daemon) = plain_daemon().await;
    let port = daemon.address();
    let web = WebServer::start(&[&daemon], &[]).await;
    web.ready().await;
    let mut events = web.events("/api/events").await;
    drop(daemon);
    let is = |state: &'static str| move |data: &Value| data["connection"]["state"] == state;
    let lost = events.until("batch", is("down")).await;
    assert!(lost.data["connection"]["why"].as_str().unwrap().contains(&port), "{lost:?}");
    let state = web.state().await;
    assert_eq!(state["daemons"][0]["backends"].as_array().unwrap().len(), 2, "it is kept");
    let mut command = bed.command();
    let daemon = bed.run(command.args(["--grpc-addr", &port])).await;
    daemon.all(&["a", "b"], "up").await;
    events.until("batch", is("up")).await;
}

#[tokio::test]
async fn a_tab_that_reads_nothing_holds_up_nobody() {
    let (mut bed, daemon) = plain_daemon().await;
    let web = WebServer::start(&[&daemon], &[]).await;
    web.ready().await;
    let mut silent = Vec::new();
    for _ in 0..50 {
        silent.push(Asked::get("/api/events").stream(web.connect().await).await);
    }
    let mut events = web.events("/api/events").await;
    for _ in 0..3 {
        bed.backends[0].stop().await;
        events.until("batch", |data| says(data, "a", "down")).await;
        bed.backends[0].serve();
        events.until("batch", |data| says(data, "a", "up")).await;
    }
    assert_eq!(silent.len(), 50);
}

#[tokio::test]
async fn the_server_ends_its_streams_when_it_stops() {
    let (_bed, daemon) = plain_daemon().await;
    let web = WebServer::start(&[&daemon], &[]).await;
    let mut events = web.events("/api/events").await;
    assert_eq!(events.next().await.unwrap().data["version"], json!(env!("CARGO_PKG_VERSION")));
    web.terminate().await;
    while events.next().await.is_some() {}
}
