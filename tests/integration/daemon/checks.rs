//! What the built daemon says of checks: certificates that end, and nothing of secrets.

use std::fs;
use std::net::Ipv4Addr;
use std::process::Command;

use crate::probe::tls_client::TlsNginx;
use crate::support::wait::{DEADLINE, eventually};
use crate::support::{Daemon, TestBed, get, metrics_address};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use vpp_maglev::pb::{BackendInfo, GetBackendRequest};

/// A configuration with one backend, `a`, at 127.0.0.1, that is probed so.
fn config(check: &str) -> String {
    format!(
        "maglev:\n  vpp: {{lb: {{ipv4-src-address: 192.0.2.1, ipv6-src-address: '2001:db8::1'}}}}\n  \
         healthchecks: {{c: {{interval: 50ms, timeout: 10s, {check}}}}}\n  \
         backends: {{a: {{address: 127.0.0.1, healthcheck: c}}}}\n"
    )
}

async fn backend(daemon: &Daemon) -> BackendInfo {
    let request = GetBackendRequest { name: "a".into() };
    daemon.client().await.get_backend(request).await.unwrap().into_inner()
}

async fn shown(daemon: &Daemon, words: &[&str]) -> String {
    let mut maglevc = Command::new(env!("CARGO_BIN_EXE_maglevc"));
    maglevc.args(["--server", &daemon.address()]).args(words);
    let shown = tokio::task::spawn_blocking(move || maglevc.output()).await.unwrap().unwrap();
    assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
    String::from_utf8(shown.stdout).unwrap()
}

#[tokio::test]
async fn a_certificate_that_ends_soon_is_told_of_everywhere_and_takes_nobody_down() {
    let Some(nginx) = TlsNginx::start().await else { return };
    // The test's certificates end in 2099.
    let text = |days: u32| config(&nginx.keys(nginx.old, &format!("certificate-warning: {days}d")));
    let bed = TestBed::with_text(text(36_500));
    let mut daemon = bed.start().await;
    let metrics = metrics_address(&mut daemon).await;
    let is_news = |msg: &'static str| {
        move |record: &Value| record["msg"].as_str().is_some_and(|it| it.starts_with(msg))
    };
    let told = daemon.logged_as("a warning", is_news("certificate-ends")).await;
    assert_eq!(told["backend"], "a");
    assert_eq!(told["ends"], "2099-01-01T00:00:00.000000000Z");
    let found = backend(&daemon).await;
    let certificate = found.certificate.unwrap();
    assert_eq!((certificate.ends_unix_ns, certificate.soon), (4_070_908_800_000_000_000, true));
    assert_eq!(found.state, "up");
    let text_of = shown(&daemon, &["show", "backend", "a"]).await;
    assert!(text_of.contains("2099-01-01"), "{text_of}");
    let (_, page) = get(&metrics, "/metrics").await;
    let of_a = |name: &str, value: &str| {
        format!("maglev_backend_certificate_{name}{{backend=\"a\"}} {value}\n")
    };
    assert!(page.contains(&of_a("end_timestamp_seconds", "4070908800")), "{page}");
    assert!(page.contains(&of_a("expires_soon", "1")), "{page}");

    // As if it had been renewed: its end is far enough away.
    bed.write_config(&text(1));
    let mut maglevc = Command::new(env!("CARGO_BIN_EXE_maglevc"));
    maglevc.args(["--server", &daemon.address(), "config", "reload"]);
    let reloaded = tokio::task::spawn_blocking(move || maglevc.output()).await.unwrap().unwrap();
    assert!(reloaded.status.success(), "{}", String::from_utf8_lossy(&reloaded.stderr));
    daemon.logged_as("the end of the warning", is_news("certificate-renewed")).await;
    assert!(!backend(&daemon).await.certificate.unwrap().soon);
    daemon.terminate().await;
}

/// A server that says whether it was sent the secret.
async fn asking_server(secret: &'static str) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                match stream.read_u8().await {
                    Ok(byte) => request.push(byte),
                    Err(_) => break,
                }
            }
            let has = String::from_utf8_lossy(&request).contains(secret);
            let status = if has { "200 OK" } else { "401 Unauthorized" };
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    port
}

#[tokio::test]
async fn a_secret_is_sent_and_shown_nowhere() {
    const SECRET: &str = "hunter2";
    let port = asking_server(SECRET).await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    fs::write(&file, format!("Bearer {SECRET}\n")).unwrap();
    let params = format!("headers: {{Authorization: {{file: {}}}}}", file.display());
    let bed =
        TestBed::with_text(config(&format!("type: http, port: {port}, params: {{{params}}}")));
    let mut daemon = bed.start_with(&["--log-level", "debug"]).await;
    let metrics = metrics_address(&mut daemon).await;
    daemon.all(&["a"], "up").await;
    // From then on it cannot be sent: the fault names the file.
    fs::write(&file, format!("Bearer {SECRET}\nX-Evil: {SECRET}\n")).unwrap();
    let mut last = String::new();
    eventually("the fault is seen", DEADLINE, async || {
        last = backend(&daemon).await.last_result;
        last.starts_with("SOCKERR ")
    })
    .await;
    assert!(last.contains(&*file.to_string_lossy()), "{last}");
    let mut all = vec![get(&metrics, "/metrics").await.1, get(&metrics, "/readyz").await.1];
    for words in [
        &["show", "healthcheck", "c"][..],
        &["--output", "json", "show", "healthcheck", "c"],
        &["--output", "json", "show", "backend", "a"],
        &["show", "timeline"],
        &["show", "healthchecks"],
        &["config", "check"],
    ] {
        // The check fails now, and says why.
        let mut maglevc = Command::new(env!("CARGO_BIN_EXE_maglevc"));
        maglevc.args(["--server", &daemon.address()]).args(words);
        let shown = tokio::task::spawn_blocking(move || maglevc.output()).await.unwrap().unwrap();
        all.push(String::from_utf8(shown.stdout).unwrap());
        all.push(String::from_utf8(shown.stderr).unwrap());
    }
    all.push(daemon.everything());
    let all = all.join("\n");
    assert!(!all.contains(SECRET), "{all}");
    // They do speak of it.
    let path = file.display().to_string();
    assert!(all.matches(&path).count() > 4, "{all}");
    daemon.terminate().await;
}
