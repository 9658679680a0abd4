//! What operators do, and what they are told.

use serde_json::{Value, json};

use super::http::{Answer, Asked};
use super::server::{LoggedIn, WebBed, WebServer, users};
use crate::support::Fleet;

async fn act(web: &WebServer, who: &LoggedIn, body: Value) -> Answer {
    web.ask(who.with(Asked::post("/api/actions", &body))).await
}

async fn forecast(web: &WebServer, who: &LoggedIn, body: Value) -> Value {
    let answer = web.ask(who.with(Asked::post("/api/forecast", &body))).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

/// An action at `lb0`, on backend `a`.
fn on_a(action: &str) -> Value {
    json!({ "action": action, "daemons": ["lb0"], "backend": "a", "why": "kernel" })
}

#[tokio::test]
async fn an_operator_pauses_and_resumes_and_is_named_in_the_record() {
    let mut bed = WebBed::start(&[]).await;
    let ann = bed.web.log_in("ann").await;
    let paused = act(&bed.web, &ann, on_a("pause")).await.json();
    assert_eq!((&paused["outcome"], &paused["action"]), (&json!("done"), &json!("pause")));
    let result = &paused["results"][0];
    assert_eq!(result["message"], "a is paused, written");
    assert_eq!(
        (&result["programmed"], &result["backend"]["state"]),
        (&json!(true), &json!("paused"))
    );
    bed.daemon.dataplane.until_both("a=0 b=40 c=0").await;
    let backend = &result["backend"]["admin_override"];
    assert_eq!(backend["why"], "kernel (ann)");
    assert!(backend["who"].as_str().unwrap().ends_with(" for ann"), "{backend}");
    let logged = bed.web.logged("operated").await;
    let said =
        ["user", "action", "daemon", "outcome", "said", "why"].map(|key| logged[key].clone());
    assert_eq!(
        json!(said),
        json!(["ann", "pause", "lb0", "done", "a is paused, written", "kernel"])
    );
    let resumed = act(&bed.web, &ann, on_a("resume")).await.json();
    assert_eq!(resumed["outcome"], "done");
    bed.daemon.dataplane.until_both("a=100 b=40 c=0").await;
}

#[tokio::test]
async fn weights_drains_and_their_ends_are_done_as_asked() {
    let bed = WebBed::start(&[]).await;
    let ann = bed.web.log_in("ann").await;
    let mut weight = on_a("weight");
    for (key, value) in [("frontend", json!("v4")), ("pool", json!("pool0")), ("weight", json!(7))]
    {
        weight[key] = value;
    }
    let set = act(&bed.web, &ann, weight.clone()).await.json();
    assert_eq!(set["outcome"], "done", "{set}");
    assert_eq!(set["results"][0]["frontend"]["pools"][0]["backends"][0]["weight"], 7);
    weight["action"] = json!("unset_weight");
    weight.as_object_mut().unwrap().remove("weight");
    assert_eq!(act(&bed.web, &ann, weight).await.json()["outcome"], "done");

    let mut events = bed.web.events_as(&ann).await;
    let drained = act(&bed.web, &ann, on_a("drain")).await.json();
    assert_eq!(drained["outcome"], "done", "{drained}");
    let drains = |data: &Value| {
        let backends = data["backends"].as_array();
        backends
            .is_some_and(|all| all.iter().any(|it| it["name"] == "a" && it["drain"].is_object()))
    };
    events.until("batch", drains).await;
    assert_eq!(act(&bed.web, &ann, on_a("undrain")).await.json()["outcome"], "done");
    for action in ["disable", "enable", "unset"] {
        let done = act(&bed.web, &ann, on_a(action)).await.json();
        assert_eq!(done["outcome"], "done", "{done}");
    }
    // What a daemon refuses is told in its words.
    let refused = act(&bed.web, &ann, on_a("undrain")).await.json();
    assert_eq!(
        (&refused["outcome"], &refused["results"][0]["outcome"]),
        (&json!("none"), &json!("refused"))
    );
    assert!(
        refused["results"][0]["message"].as_str().unwrap().contains("not drained"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_sync_and_a_reload_are_looked_at_first() {
    let bed = WebBed::start(&[]).await;
    let ann = bed.web.log_in("ann").await;
    let sync = json!({ "action": "sync", "daemons": ["lb0"], "why": "look" });
    let blind = act(&bed.web, &ann, sync.clone()).await;
    assert_eq!((blind.status, &*blind.code()), (400, "bad_request"));
    let seen = forecast(&bed.web, &ann, sync.clone()).await;
    assert_eq!(seen["results"][0]["steps"], json!([]), "{seen}");
    let with = |body: &Value, id: &Value| {
        let mut body = body.clone();
        body["forecast"] = id.clone();
        body
    };
    let mut forced = with(&sync, &seen["id"]);
    forced["force"] = json!(true);
    let other = act(&bed.web, &ann, forced).await;
    assert_eq!((other.status, &*other.code()), (409, "conflict"));
    let done = act(&bed.web, &ann, with(&sync, &seen["id"])).await.json();
    assert_eq!(done["outcome"], "done", "{done}");
    let again = act(&bed.web, &ann, with(&sync, &seen["id"])).await;
    assert_eq!(again.status, 409, "a forecast is good for one");

    let reload = json!({ "action": "reload", "daemons": ["lb0"], "why": "new file" });
    bed.daemon.bed.write_config("maglev: nonsense\n");
    let seen = forecast(&bed.web, &ann, reload.clone()).await;
    assert_eq!(seen["results"][0]["accepted"], false, "{seen}");
    let failed = act(&bed.web, &ann, with(&reload, &seen["id"])).await.json();
    let result = &failed["results"][0];
    assert_eq!((&failed["outcome"], &result["outcome"]), (&json!("none"), &json!("failed")));
    assert_eq!(result["check"]["ok"], false);
}

#[tokio::test]
async fn a_forecast_tells_what_would_move_and_changes_nothing() {
    let bed = WebBed::start(&[]).await;
    let ann = bed.web.log_in("ann").await;
    let seen = forecast(&bed.web, &ann, on_a("pause")).await;
    let result = &seen["results"][0];
    assert_eq!((&result["accepted"], &result["error"]), (&json!(true), &Value::Null));
    let predictions = result["predictions"].as_array().unwrap();
    let frontends: Vec<_> = predictions.iter().map(|it| it["frontend"].as_str().unwrap()).collect();
    assert_eq!(frontends, ["v4", "v6"]);
    let a = &predictions[0]["servers"][0];
    assert_eq!((&a["weight_before"], &a["weight_after"]), (&json!(100), &json!(0)), "{a}");
    assert!(predictions[0]["moves"]["own"].as_u64().unwrap() > 0);
    let back = forecast(&bed.web, &ann, on_a("resume")).await;
    assert!(back["results"][0]["notes"][0].as_str().unwrap().contains("next probes"), "{back}");
    let mut none = on_a("pause");
    none["backend"] = json!("x");
    let refused = forecast(&bed.web, &ann, none).await;
    assert!(refused["results"][0]["error"].is_string(), "{refused}");
    assert!(bed.daemon.dataplane.writes().is_empty());
}

#[tokio::test]
async fn several_daemons_change_together_or_not_at_all() {
    let fleet = Fleet::start(2).await;
    let dir = tempfile::tempdir().unwrap();
    let users = users(dir.path());
    let daemons: Vec<_> = fleet.members.iter().map(|member| &member.daemon).collect();
    let web = WebServer::start(&daemons, &["--users", &users]).await;
    let ann = web.log_in("ann").await;
    let both = |action: &str, all_or_none: bool| {
        json!({
            "action": action, "daemons": ["lb1", "lb0"], "backend": "b", "why": "x",
            "all_or_none": all_or_none,
        })
    };
    let done = act(&web, &ann, both("disable", true)).await.json();
    assert_eq!(done["outcome"], "done", "{done}");
    let one = json!({ "action": "unset", "daemons": ["lb0"], "backend": "b", "why": "x" });
    assert_eq!(act(&web, &ann, one).await.json()["outcome"], "done");
    // lb1 has it disabled still, and refuses.
    let none = act(&web, &ann, both("pause", true)).await.json();
    let outcomes: Vec<_> = (0..2).map(|at| none["results"][at]["outcome"].clone()).collect();
    assert_eq!(
        (&none["outcome"], outcomes),
        (&json!("none"), vec![json!("refused"), json!("spared")])
    );
    let some = act(&web, &ann, both("pause", false)).await.json();
    let named =
        |at: usize| (some["results"][at]["daemon"].clone(), some["results"][at]["outcome"].clone());
    assert_eq!(some["outcome"], "some", "{some}");
    assert_eq!(named(0), (json!("lb1"), json!("refused")));
    assert_eq!(named(1), (json!("lb0"), json!("done")));
    fleet.members[0].dataplane.until_both("b=0 nginx0=100").await;
}

#[tokio::test]
async fn what_is_wrong_with_an_action_is_said_and_a_daemon_that_is_away_is_named() {
    let bed = WebBed::start(&[]).await;
    let ann = bed.web.log_in("ann").await;
    for (body, code) in [
        (json!({}), "bad_request"),
        (json!({ "action": "pause", "daemons": ["lb0"], "backend": "a" }), "bad_request"),
        (json!({ "action": "pause", "daemons": ["lb7"], "backend": "a", "why": "x" }), "not_found"),
        (json!({ "action": "pause", "daemons": "lb0" }), "bad_request"),
    ] {
        assert_eq!(act(&bed.web, &ann, body.clone()).await.code(), code, "{body}");
    }
    let form = ann.with(Asked::post("/api/actions", &on_a("pause")));
    let form = form.header("Content-Type", "application/x-www-form-urlencoded");
    let answer = bed.web.ask(form).await;
    assert_eq!((answer.status, &*answer.code()), (415, "unsupported_media_type"));
    let long = json!({ "action": "x".repeat(70_000) });
    assert_eq!(act(&bed.web, &ann, long).await.status, 413);

    drop(bed.daemon);
    let away = act(&bed.web, &ann, on_a("pause")).await.json();
    assert_eq!(
        (&away["outcome"], &away["results"][0]["outcome"]),
        (&json!("none"), &json!("unreached"))
    );
}
