//! Who may log in, what they may do, and who is kept out.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use super::http::{Answer, Asked};
use super::server::{LoggedIn, WebBed, WebServer, plain_daemon, set_password, users};
use rustix::process::Signal;

fn pause() -> Value {
    json!({ "action": "pause", "daemons": ["lb0"], "backend": "a", "why": "x" })
}

async fn session(web: &WebServer, who: Option<&LoggedIn>) -> Value {
    let asked = Asked::get("/api/session");
    let asked = who.map_or(asked.clone(), |who| who.with(asked));
    web.ask(asked).await.json()
}

fn refused(answer: &Answer) -> (u16, String) {
    (answer.status, answer.code())
}

#[tokio::test]
async fn without_a_login_the_page_is_for_viewing() {
    let (_bed, daemon) = plain_daemon().await;
    let web = WebServer::start(&[&daemon], &[]).await;
    assert_eq!(web.get("/api/state").await.status, 200);
    let session = session(&web, None).await;
    assert_eq!((&session["login"], &session["may_operate"]), (&json!("none"), &json!(false)));
    let acted = web.ask(Asked::post("/api/actions", &pause())).await;
    assert_eq!(refused(&acted), (403, "forbidden".into()));
    assert_eq!(refused(&web.try_log_in("ann", "x").await), (403, "forbidden".into()));
    // A forecast changes nothing.
    assert_eq!(web.ask(Asked::post("/api/forecast", &pause())).await.status, 200);
}

#[tokio::test]
async fn who_is_not_logged_in_sees_nothing_and_a_viewer_does_nothing() {
    let bed = WebBed::start(&[]).await;
    let web = &bed.web;
    for path in ["state", "events", "timeline", "compare", "daemons/lb0/vpp"] {
        let answer = web.get(&format!("/api/{path}")).await;
        assert_eq!(refused(&answer), (401, "unauthenticated".into()), "{path}");
    }
    assert_eq!(web.get("/").await.status, 200, "the page has the form");
    let nobody = web.ask(Asked::post("/api/actions", &pause())).await;
    assert_eq!(refused(&nobody), (401, "unauthenticated".into()));

    let bob = web.log_in("bob").await;
    assert_eq!(web.ask(bob.with(Asked::get("/api/state"))).await.status, 200);
    let acted = web.ask(bob.with(Asked::post("/api/actions", &pause()))).await;
    assert_eq!(refused(&acted), (403, "forbidden".into()));
    let of_bob = session(web, Some(&bob)).await;
    assert_eq!(of_bob["user"], json!({ "name": "bob", "role": "viewer", "via": "password" }));
    assert_eq!(of_bob["token"], *bob.token);
    assert!(bed.daemon.dataplane.writes().is_empty());
}

#[tokio::test]
async fn a_wrong_password_is_refused_and_slowed_and_so_is_an_unknown_name() {
    let bed = WebBed::start(&[]).await;
    for (name, password) in [("ann", "bob's password"), ("eve", "*"), ("joe", "x"), ("ann", "")] {
        let answer = bed.web.try_log_in(name, password).await;
        assert_eq!(refused(&answer), (401, "unauthenticated".into()), "{name}");
        assert!(answer.cookie().is_none());
    }
    // Waits double, until one is longer than a password takes to be looked at.
    let slowed = async {
        loop {
            let answer = bed.web.try_log_in("ann", "wrong again").await;
            if answer.status != 401 {
                return answer;
            }
        }
    };
    let slowed = crate::support::soon(slowed).await.expect("it is slowed");
    assert_eq!(refused(&slowed), (429, "too_many".into()));
    assert!(slowed.headers["retry-after"].parse::<u64>().unwrap() >= 1);
    // Whoever comes from that address waits.
    let other = bed.web.try_log_in("bob", "bob's password").await;
    assert_eq!(refused(&other), (429, "too_many".into()));
}

#[tokio::test]
async fn a_forged_request_does_nothing() {
    let bed = WebBed::start(&[]).await;
    let ann = bed.web.log_in("ann").await;
    let full = || ann.with(Asked::post("/api/actions", &pause()));
    for (what, asked) in [
        ("no token", Asked::post("/api/actions", &pause()).header("Cookie", &ann.cookie)),
        ("another token", full().header("X-Maglev-Token", &"0".repeat(32))),
        ("another site", full().header("Sec-Fetch-Site", "cross-site")),
        ("a neighbour", full().header("Sec-Fetch-Site", "same-site")),
        ("another origin", full().header("Origin", "https://evil.example")),
        ("a sandbox", full().header("Origin", "null")),
    ] {
        assert_eq!(refused(&bed.web.ask(asked).await), (403, "forged".into()), "{what}");
    }
    let cross = Asked::post("/api/login", &json!({ "name": "ann", "password": "ann's password" }));
    let cross = bed.web.ask(cross.header("Sec-Fetch-Site", "cross-site")).await;
    assert_eq!(refused(&cross), (403, "forged".into()), "nobody is logged in by another site");
    assert!(bed.daemon.dataplane.writes().is_empty());
    let own = full().header("Sec-Fetch-Site", "same-origin").header("Origin", "http://127.0.0.1");
    assert_eq!(bed.web.ask(own).await.json()["outcome"], "done");
}

#[tokio::test]
async fn a_session_ends_by_logout_by_its_time_and_with_its_user() {
    let bed = WebBed::start(&["--session-idle", "1s"]).await;
    let ann = bed.web.log_in("ann").await;
    let cookie = bed.web.try_log_in("ann", "ann's password").await.headers["set-cookie"].clone();
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict"), "{cookie}");
    let out = bed.web.ask(ann.with(Asked::post("/api/logout", &json!({})))).await;
    assert_eq!((out.status, &out.json()["user"]), (200, &Value::Null));
    assert!(out.headers["set-cookie"].contains("Max-Age=0"));
    assert_eq!(bed.web.ask(ann.with(Asked::get("/api/state"))).await.status, 401);

    // An open stream is no use of a session, and says when it is over.
    let ann = bed.web.log_in("ann").await;
    let mut events = bed.web.events_as(&ann).await;
    let over = events.until("session", |_| true).await;
    assert_eq!(over.data, json!({ "user": null, "why": "expired" }));
    assert!(events.next().await.is_none());
    assert_eq!(bed.web.ask(ann.with(Asked::get("/api/state"))).await.status, 401);
}

#[tokio::test]
async fn another_password_ends_the_sessions_of_the_old_one_once_it_is_read() {
    let mut bed = WebBed::start(&[]).await;
    let (ann, bob) = (bed.web.log_in("ann").await, bed.web.log_in("bob").await);
    set_password(&bed.users, "ann", "operator", "another password");
    bed.web.signal(Signal::HUP);
    bed.web.logged("users-read").await;
    assert_eq!(bed.web.ask(ann.with(Asked::get("/api/state"))).await.status, 401);
    assert_eq!(bed.web.ask(bob.with(Asked::get("/api/state"))).await.status, 200);
    assert_eq!(bed.web.try_log_in("ann", "ann's password").await.status, 401);
    assert_eq!(bed.web.try_log_in("ann", "another password").await.status, 200);
    // A file that cannot be read leaves the users that there are.
    std::fs::write(&bed.users, "nonsense\n").unwrap();
    bed.web.signal(Signal::HUP);
    let kept = bed.web.logged("users-kept").await;
    assert!(kept["error"].as_str().unwrap().contains(":1: write name:role:hash"), "{kept}");
    // Nor does one that others may read, with its hashes.
    std::fs::set_permissions(&bed.users, Permissions::from_mode(0o604)).unwrap();
    bed.web.signal(Signal::HUP);
    let is_read_by_all = |record: &Value| {
        let error = record["error"].as_str().unwrap_or_default();
        record["msg"] == "users-kept" && error.contains("everybody may read it")
    };
    bed.web.logged_as("that all may read the users", is_read_by_all).await;
    assert_eq!(bed.web.ask(bob.with(Asked::get("/api/state"))).await.status, 200);
}

#[tokio::test]
async fn who_logs_in_anew_has_a_new_secret_and_the_old_one_is_over() {
    let bed = WebBed::start(&[]).await;
    let first = bed.web.log_in("bob").await;
    let body = json!({ "name": "ann", "password": "ann's password" });
    let second = bed.web.ask(first.with(Asked::post("/api/login", &body))).await;
    assert_eq!(second.json()["user"]["name"], "ann");
    assert_ne!(second.cookie().unwrap(), first.cookie);
    assert_ne!(second.json()["token"], *first.token);
    let old = bed.web.ask(first.with(Asked::get("/api/state"))).await;
    assert_eq!(refused(&old), (401, "unauthenticated".into()));
}

#[tokio::test]
async fn a_client_is_slowed_by_its_own_address_which_a_trusted_proxy_alone_may_name() {
    let (_bed, daemon) = plain_daemon().await;
    let dir = tempfile::tempdir().unwrap();
    let users = users(dir.path());
    let socket = dir.path().join("web.sock");
    let listen = format!("unix:{}", socket.display());
    let flags = ["--users", &users, "--listen", &listen, "--trusted-proxies", "unix"];
    let web = WebServer::start(&[&daemon], &flags).await;
    let attempt = |name: &str, password: &str, from: &str| {
        let body = json!({ "name": name, "password": password });
        Asked::post("/api/login", &body).header("X-Forwarded-For", from)
    };
    let over_socket = async |asked: Asked| {
        asked.over(tokio::net::UnixStream::connect(&socket).await.unwrap()).await.status
    };
    // A name a time, so that none of them is slowed by its name.
    let slowed = async {
        for number in 0.. {
            // What the client says itself stands before what the proxy has seen.
            let from = format!("198.51.100.{}, 192.0.2.7", number % 250);
            if over_socket(attempt(&format!("x{number}"), "wrong", &from)).await == 429 {
                return;
            }
        }
    };
    crate::support::soon(slowed).await.expect("192.0.2.7 is slowed");
    assert_eq!(over_socket(attempt("bob", "bob's password", "192.0.2.8")).await, 200);
    // Over TCP the peer counts, whatever it claims.
    let slowed = async {
        for number in 0.. {
            let from = format!("203.0.113.{}", number % 250);
            if web.ask(attempt(&format!("y{number}"), "wrong", &from)).await.status == 429 {
                return;
            }
        }
    };
    crate::support::soon(slowed).await.expect("127.0.0.1 is slowed");
}

#[tokio::test]
async fn a_proxy_that_is_not_trusted_names_nobody() {
    let (_bed, daemon) = plain_daemon().await;
    let dir = tempfile::tempdir().unwrap();
    let users = users(dir.path());
    let socket = dir.path().join("web.sock");
    let listen = format!("unix:{}", socket.display());
    let flags = [
        "--users",
        &users,
        "--listen",
        &listen,
        "--trusted-proxies",
        "192.0.2.1,unix",
        "--trusted-proxy-header",
        "X-Remote-User",
    ];
    let web = WebServer::start(&[&daemon], &flags).await;
    let named = |name: &str| Asked::get("/api/session").header("X-Remote-User", name);
    let over_tcp = web.ask(named("ann")).await.json();
    assert_eq!(over_tcp["user"], Value::Null, "the peer is 127.0.0.1");
    let over_socket = async |asked: Asked| {
        let stream = tokio::net::UnixStream::connect(&socket).await.unwrap();
        asked.over(stream).await
    };
    for (name, role) in [("ann", "operator"), ("bob", "viewer"), ("stranger", "viewer")] {
        let answer = over_socket(named(name)).await;
        let user = json!({ "name": name, "role": role, "via": "proxy" });
        assert_eq!(answer.json()["user"], user);
    }
    assert_eq!(over_socket(named("a b")).await.json()["user"], Value::Null, "no name");
    assert_eq!(over_socket(Asked::get("/api/session")).await.json()["user"], Value::Null);

    // The session is good for those requests alone that the proxy names the same user in.
    let answer = over_socket(named("ann")).await;
    let token = answer.json()["token"].as_str().unwrap().to_owned();
    let ann = LoggedIn { cookie: answer.cookie().unwrap(), token };
    let act =
        |name: &str| ann.with(Asked::post("/api/actions", &pause())).header("X-Remote-User", name);
    assert_eq!(refused(&web.ask(act("ann")).await), (401, "unauthenticated".into()));
    assert_eq!(refused(&over_socket(act("bob")).await), (403, "forbidden".into()));
    assert_eq!(over_socket(act("ann")).await.json()["outcome"], "done");
    let secure = over_socket(named("bob").header("X-Forwarded-Proto", "https")).await;
    assert!(secure.headers["set-cookie"].starts_with("__Host-maglev="), "{secure:?}");
    assert!(secure.headers["set-cookie"].contains("; Secure"), "{secure:?}");
}

#[tokio::test]
async fn viewing_may_be_free_while_operating_is_not() {
    let bed = WebBed::start(&["--anonymous-view"]).await;
    assert_eq!(bed.web.get("/api/state").await.status, 200);
    let acted = bed.web.ask(Asked::post("/api/actions", &pause())).await;
    assert_eq!(refused(&acted), (401, "unauthenticated".into()));
    assert_eq!(session(&bed.web, None).await["login"], "optional");
}
