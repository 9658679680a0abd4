//! The page's own files, and what every answer has.

use super::http::Asked;
use super::server::{WebServer, plain_daemon};

#[tokio::test]
async fn the_page_is_served_with_what_keeps_it_safe() {
    let (_bed, daemon) = plain_daemon().await;
    let web = WebServer::start(&[&daemon], &[]).await;
    let page = web.get("/").await;
    assert_eq!((page.status, &*page.headers["content-type"]), (200, "text/html; charset=utf-8"));
    let policy = &page.headers["content-security-policy"];
    for part in [
        "default-src 'none'",
        "script-src 'self';",
        "style-src 'self';",
        "connect-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'self'",
    ] {
        assert!(policy.contains(part), "{part}: {policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-cache"),
    ] {
        assert_eq!(page.headers[name], value);
    }
    assert!(!page.headers.contains_key("strict-transport-security"), "it is not encrypted");
    let known = Asked::get("/").header("If-None-Match", &page.headers["etag"]);
    let again = web.ask(known).await;
    assert_eq!((again.status, &*again.body), (304, ""));
}

#[tokio::test]
async fn what_is_not_there_is_an_error_that_says_so() {
    let (_bed, daemon) = plain_daemon().await;
    let web = WebServer::start(&[&daemon], &[]).await;
    for (path, status, code) in [
        ("/nothing.js", 404, "not_found"),
        ("/../Cargo.toml", 404, "not_found"),
        ("/api/nothing", 404, "not_found"),
        ("/metrics", 404, "not_found"),
        ("/api/actions", 405, "method_not_allowed"),
        ("/api/state?daemon=x", 404, "not_found"),
        ("/api/daemons/x/vpp", 404, "not_found"),
        ("/api/daemons/lb0/backends/x", 404, "not_found"),
        ("/api/daemons/lb0/frontends/x", 404, "not_found"),
        ("/api/timeline?last_s=soon", 400, "bad_request"),
        ("/api/timeline?daemon=x", 404, "not_found"),
    ] {
        let answer = web.get(path).await;
        assert_eq!((answer.status, &*answer.code()), (status, code), "{path}");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff", "{path}");
    }
    let post = web.ask(Asked::post("/", &serde_json::json!({}))).await;
    assert_eq!(post.status, 405);
}

#[tokio::test]
async fn a_base_path_is_in_front_of_everything_and_metrics_are_apart() {
    let (_bed, daemon) = plain_daemon().await;
    let flags = ["--base-path", "/maglev/", "--metrics-listen", "127.0.0.1:0"];
    let mut web = WebServer::start(&[&daemon], &flags).await;
    assert_eq!(web.get("/maglev/").await.status, 200);
    assert_eq!(web.get("/maglev/api/state").await.status, 200);
    let bare = web.get("/maglev").await;
    assert_eq!((bare.status, &*bare.headers["location"]), (308, "/maglev/"));
    assert_eq!(web.get("/").await.status, 404);
    let metrics = web.logged("metrics-listening").await["address"].as_str().unwrap().to_owned();
    let page = async |path: &str| {
        let stream = tokio::net::TcpStream::connect(&metrics).await.unwrap();
        Asked::get(path).over(stream).await
    };
    let text = page("/metrics").await.body;
    for series in ["maglev_web_daemon_up{daemon=\"lb0\"}", "maglev_web_tabs 0", "process_cpu"] {
        assert!(text.contains(series), "{series}: {text}");
    }
    assert_eq!(page("/healthz").await.body, "ok\n");
    assert_eq!(page("/api/state").await.status, 404);
}

#[tokio::test]
async fn readiness_follows_the_daemons() {
    let (_bed, daemon) = plain_daemon().await;
    let web = WebServer::start(&[&daemon], &[]).await;
    web.ready().await;
    let ready = web.get("/readyz").await;
    assert_eq!((ready.status, &*ready.body), (200, "ready\nlb0 is up\n"));
    assert_eq!(web.get("/healthz").await.body, "ok\n");
    drop(daemon);
    web.state_when("the daemon is gone", |state| {
        state["daemons"][0]["connection"]["state"] == "down"
    })
    .await;
    let ready = web.get("/readyz").await;
    assert_eq!((ready.status, &*ready.body), (503, "no daemon answers\nlb0 is down\n"));
}

#[tokio::test]
async fn a_page_that_needs_no_login_answers_to_names_that_are_its_own() {
    let (_bed, daemon) = plain_daemon().await;
    let web = WebServer::start(&[&daemon], &["--host", "lb.example"]).await;
    for (host, status) in [("lb.example", 200), ("localhost:9080", 200), ("evil.example", 403)] {
        let answer = web.ask(Asked::get("/api/state").header("Host", host)).await;
        assert_eq!(answer.status, status, "{host}");
    }
}
