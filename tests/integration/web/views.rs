//! The state, and what single views show.

use serde_json::{Value, json};

use super::server::{WebServer, plain_daemon};
use crate::support::{Fleet, ReadyDaemon, TestBed};

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_state_has_all_of_a_daemon() {
    let daemon = ReadyDaemon::start().await;
    let web = WebServer::start(&[&daemon.daemon], &[]).await;
    let state = web.state_when("it is whole", |state| {
        let daemon = &state["daemons"][0];
        daemon["fingerprint"].is_string() && !daemon["timeline"].as_array().unwrap().is_empty()
    });
    let state = state.await;
    let lb0 = &state["daemons"][0];
    assert_eq!(
        (names(&lb0["frontends"]), names(&lb0["backends"])),
        (vec!["v4", "v6"], vec!["a", "b", "c"])
    );
    assert_eq!(lb0["vpp"]["state"], "connected");
    assert_eq!((&lb0["name"], &lb0["role"]), (&json!("lb0"), &json!("operator")));
    assert_eq!(lb0["backends"][0]["state"], "up");
    let members = &lb0["frontends"][0]["pools"][0]["backends"];
    assert_eq!(members[0]["effective_weight"], 100);
    assert!(members[0]["real_share"].as_f64().unwrap() > 0.5, "{members}");
    assert!(state["differences"].is_null(), "there is one daemon");
    let only = web.get("/api/state?daemon=lb0").await.json();
    assert_eq!(names(&only["daemons"]), ["lb0"]);
}

#[tokio::test]
async fn views_have_what_vpp_holds_and_why_it_is_so() {
    // A dataplane of the daemon's own has counters.
    let bed = TestBed::new(&["a", "b", "c"]).pools(&["a b:40", "c"]).vpp("embedded");
    let daemon = bed.start().await;
    let web = WebServer::start(&[&daemon], &[]).await;
    web.state_when("it serves", |state| {
        let frontends = state["daemons"][0]["frontends"].as_array().unwrap();
        frontends.len() == 2 && frontends.iter().all(|it| it["serving"] == true)
    })
    .await;
    let frontend = web.get("/api/daemons/lb0/frontends/v4").await.json();
    assert_eq!(frontend["frontend"]["pools"][0]["backends"][0]["state"], "up");
    assert_eq!(frontend["vip"]["servers"].as_array().unwrap().len(), 3, "{frontend}");
    assert_eq!(frontend["explanation"]["kind"], "serves");
    assert_eq!(frontend["unavailable"], json!([]));
    assert!(frontend["counters"].is_object());

    let backend = web.get("/api/daemons/lb0/backends/c").await.json();
    assert_eq!(backend["backend"]["name"], "c");
    assert_eq!(backend["frontends"], json!(["v4", "v6"]), "{backend}");
    assert!(!backend["backend"]["probes"].as_array().unwrap().is_empty());
    assert!(backend["explanation"]["cause"].is_string() && backend["health_check"].is_object());

    let vpp = web.get("/api/daemons/lb0/vpp").await.json();
    assert_eq!(vpp["lb"]["vips"].as_array().unwrap().len(), 2);
    assert_eq!(vpp["counters"].as_array().unwrap().len(), 2);
    let doctor = web.get("/api/daemons/lb0/doctor").await.json();
    assert!(!doctor["findings"].as_array().unwrap().is_empty());

    let all = web.get("/api/timeline").await.json();
    let events = all["events"].as_array().unwrap();
    assert!(events.iter().any(|it| it["event"]["type"] == "dataplane"), "{all}");
    let some = web.get("/api/timeline?type=backend&backend=a&limit=1").await.json();
    let [event] = &some["events"].as_array().unwrap()[..] else { panic!("{some}") };
    assert_eq!((&event["event"]["backend"], &event["daemon"]), (&json!("a"), &json!("lb0")));
}

#[tokio::test]
async fn without_a_vpp_its_parts_are_named_and_left_out() {
    let (_bed, daemon) = plain_daemon().await;
    let web = WebServer::start(&[&daemon], &[]).await;
    let frontend = web.get("/api/daemons/lb0/frontends/v4").await.json();
    let missing = frontend["unavailable"].as_array().unwrap();
    let missing: Vec<_> = missing.iter().map(|part| part["what"].as_str().unwrap()).collect();
    assert_eq!(missing, ["vip", "counters"]);
    assert!(frontend["vip"].is_null() && frontend["frontend"].is_object());
}

#[tokio::test]
async fn what_differs_between_daemons_is_listed_and_streamed() {
    let fleet = Fleet::start(2).await;
    let daemons: Vec<_> = fleet.members.iter().map(|member| &member.daemon).collect();
    let web = WebServer::start(&daemons, &[]).await;
    let total = |state: &Value| state["differences"]["total"].as_u64();
    web.state_when("they are equal", |state| total(state) == Some(0)).await;
    let mut events = web.events("/api/events").await;
    let (status, _, err) =
        crate::support::ask(&fleet.addresses()[..1], "set backend b pause").await;
    assert_eq!(status, 0, "{err}");
    let differ = |data: &Value| {
        let list = data["list"].as_array().unwrap();
        list.iter().any(|it| it["aspect"] == "state" && it["what"] == "backend b")
    };
    let event = events.until("differences", differ).await;
    let list = event.data["list"].as_array().unwrap();
    let state = list.iter().find(|it| it["aspect"] == "state").unwrap();
    let expected = json!([
        { "server": "lb0", "value": "paused" },
        { "server": "lb1", "value": "up" },
    ]);
    assert_eq!(state["values"], expected);
    let whole = web.get("/api/compare").await.json();
    assert!(differ(&whole), "{whole}");
}
