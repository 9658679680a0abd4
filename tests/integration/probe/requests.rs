//! What HTTP checks send and expect, from the file to nginx.

use std::fs;
use std::process::Command;

use crate::probe::peers::{Peer, fill_in};
use crate::support::probe::*;
use vpp_maglev::probe::ThreadResources;

struct Nginx {
    _peer: Peer,
    directory: tempfile::TempDir,
    http: u16,
    proxied: u16,
}

impl Nginx {
    async fn start() -> Option<Self> {
        if !is_installed("nginx") {
            return None;
        }
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path();
        let (peer, [http, proxied]) = Peer::start(|[http, proxied]| {
            let (http, proxied) = (http.to_string(), proxied.to_string());
            fill_in(at, "requests.conf", &[("http", &http), ("proxied", &proxied)]);
            let mut command = Command::new("nginx");
            command.arg("-c").arg(at.join("requests.conf")).args(["-g", "user root;", "-e"]);
            command.arg(at.join("error.log"));
            command
        })
        .await;
        Some(Self { _peer: peer, directory, http, proxied })
    }

    async fn finds(&self, params: &str, expected: &str) {
        let keys = format!("type: http, port: {}, params: {{{params}}}", self.http);
        assert_eq!(found(&keys, &ThreadResources::new()).await, expected, "{params}");
    }
}

#[tokio::test]
async fn a_request_has_the_method_the_headers_and_the_body_that_the_file_gives() {
    let Some(nginx) = Nginx::start().await else { return };
    let unmatched = |size| format!("L7CNT status 200, but its body ({size} bytes) does not match");
    for (params, expected) in [
        ("path: /echo, response-regexp: '^GET\\|\\|\\*/\\*\\|$'", "L7OK 200 OK"),
        (
            "path: /echo, method: POST, body: '{}', headers: {X-Probe: a b, Accept: text/plain}, \
             response-regexp: '^POST\\|a b\\|text/plain\\|2$'",
            "L7OK 200 OK",
        ),
        (
            "path: /echo, headers: ['X-Probe: one', {X-Probe: two}], \
             response-regexp: '\\|one\\|'",
            "L7OK 200 OK",
        ),
        ("path: /echo, method: PUT, response-regexp: '\\|0$'", "L7OK 200 OK"),
        ("path: /echo, headers: {X-Probe: x}, response-regexp: y", &*unmatched(10)),
        // Announces a body that never comes.
        ("path: /echo, method: HEAD", "L7OK 200 OK"),
        ("path: /echo, method: BREW", "L7OK 200 OK"),
    ] {
        nginx.finds(params, expected).await;
    }
}

#[tokio::test]
async fn an_answer_has_the_code_and_the_header_that_the_file_asks_for() {
    let Some(nginx) = Nginx::start().await else { return };
    let header = |name: &str, regexp: &str| {
        format!("path: /echo, response-header: {{name: {name}, regexp: {regexp}}}")
    };
    for (params, expected) in [
        (header("x-status", "^fit"), "L7OK 200 OK"),
        (
            header("X-Status", "'^fiddle'"),
            "L7CNT status 200, but its header X-Status does not match",
        ),
        (header("X-State", "."), "L7CNT status 200, but it has no header X-State"),
        ("path: /private, response-code: '200-299,401'".into(), "L7OK 401 Unauthorized"),
        ("path: /private, response-code: [200, 401-403]".into(), "L7OK 401 Unauthorized"),
        ("path: /private, response-code: '200,402-499'".into(), "L7STS 401 Unauthorized"),
    ] {
        nginx.finds(&params, expected).await;
    }
}

#[tokio::test]
async fn a_secret_is_read_from_its_file_and_again_when_that_changes() {
    let Some(nginx) = Nginx::start().await else { return };
    let token = nginx.directory.path().join("token");
    let file = token.display();
    let keys = format!(
        "type: http, port: {}, params: {{path: /private, headers: {{Authorization: {{file: {file}}}}}}}",
        nginx.http
    );
    let shared = ThreadResources::new();
    let missing = format!("SOCKERR {file} cannot be read: No such file or directory (os error 2)");
    assert_eq!(found(&keys, &shared).await, missing);
    fs::write(&token, "Bearer wrong\n").unwrap();
    assert_eq!(found(&keys, &ThreadResources::new()).await, "L7STS 401 Unauthorized");
    fs::write(&token, "Bearer hunter2\n").unwrap();
    assert_eq!(found(&keys, &ThreadResources::new()).await, "L7OK 200 OK");
}

#[tokio::test]
async fn a_connection_begins_with_the_proxy_protocol() {
    let Some(nginx) = Nginx::start().await else { return };
    let shared = ThreadResources::new();
    for (version, body) in [("v1", "^from 127\\.0\\.0\\.1 to PORT$"), ("v2", "^from  to $")] {
        let body = body.replace("PORT", &nginx.proxied.to_string());
        let keys = format!(
            "type: http, port: {}, params: {{proxy-protocol: {version}, response-regexp: '{body}'}}",
            nginx.proxied
        );
        assert_eq!(found(&keys, &shared).await, "L7OK 200 OK", "{version}");
    }
    // It is asked for, and what comes without it is turned away.
    let keys = format!("type: http, port: {}", nginx.proxied);
    assert!(found(&keys, &shared).await.starts_with("L7RSP connection "));
}
