//! Behind nginx, as docs/web.md advises. Where it is not installed, this says that it
//! skips.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tokio::net::TcpStream;

use super::http::Asked;
use super::server::{WebServer, plain_daemon, users};
use crate::probe::peers::Peer;
use crate::support::probe::is_installed;

/// The `location` of docs/web.md, as it stands there.
fn documented() -> String {
    let text = include_str!("../../../docs/web.md");
    let block = text.split("```nginx\n").nth(1).expect("an example for nginx");
    block.split("```").next().unwrap().to_owned()
}

fn configuration(dir: &Path, port: u16) -> String {
    let location = documented();
    assert!(location.contains("unix:/run/vpp-maglev-web/web.sock"), "{location}");
    let socket = dir.join("web.sock");
    let location = location.replace("/run/vpp-maglev-web/web.sock", socket.to_str().unwrap());
    let dir = dir.display();
    format!(
        "worker_processes 1;\npid {dir}/nginx.pid;\nerror_log {dir}/error.log;\ndaemon off;\n\
         events {{}}\nhttp {{\n access_log off;\n client_body_temp_path {dir}/b;\n\
         proxy_temp_path {dir}/p;\n fastcgi_temp_path {dir}/f;\n uwsgi_temp_path {dir}/u;\n\
         scgi_temp_path {dir}/s;\n server {{\n listen 127.0.0.1:{port};\n{location}\n }}\n}}\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn events_pass_through_nginx_as_they_happen_and_posts_do() {
    if !is_installed("nginx") {
        return;
    }
    let (mut bed, daemon) = plain_daemon().await;
    let dir = tempfile::tempdir().unwrap();
    let users = users(dir.path());
    let listen = format!("unix:{}", dir.path().join("web.sock").display());
    let flags = [
        "--listen",
        &listen,
        "--listen-unix-mode",
        "0666",
        "--base-path",
        "/maglev",
        "--users",
        &users,
        "--trusted-proxies",
        "unix",
    ];
    let _web = WebServer::start(&[&daemon], &flags).await;
    let (_nginx, [port]) = Peer::start(|[port]| {
        let file = dir.path().join("nginx.conf");
        std::fs::write(&file, configuration(dir.path(), port)).unwrap();
        let mut command = Command::new("nginx");
        command.arg("-c").arg(file).args(["-g", "user root;", "-e"]);
        command.arg(dir.path().join("start.log"));
        command
    })
    .await;
    let connect = async || TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let host = format!("127.0.0.1:{port}");
    let body = json!({ "name": "ann", "password": "ann's password" });
    let login = Asked::post("/maglev/api/login", &body).header("Host", &host);
    let login = login.header("Origin", &format!("http://{host}"));
    let answer = login.over(connect().await).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.headers["set-cookie"].contains("Path=/maglev;"), "{answer:?}");
    let cookie = answer.cookie().unwrap();
    let token = answer.json()["token"].as_str().unwrap().to_owned();
    let with = |asked: Asked| {
        asked.header("Host", &host).header("Cookie", &cookie).header("X-Maglev-Token", &token)
    };
    let events = with(Asked::get("/maglev/api/events"));
    let (status, mut events) = events.stream(connect().await).await;
    assert_eq!(status, 200);
    assert_eq!(events.next().await.unwrap().kind, "hello", "it is not held back");
    bed.backends[0].stop().await;
    let is_down = |data: &Value| {
        let backends = data["backends"].as_array();
        backends.is_some_and(|all| all.iter().any(|it| it["name"] == "a" && it["state"] == "down"))
    };
    events.until("batch", is_down).await;
    let body = json!({ "action": "pause", "daemons": ["lb0"], "backend": "b", "why": "x" });
    let acted = with(Asked::post("/maglev/api/actions", &body)).over(connect().await).await;
    assert_eq!(acted.json()["outcome"], "done", "{acted:?}");
}
