//! What Prometheus and load balancers ask the daemon over HTTP.

#![allow(clippy::unwrap_used)] // helpers of tests

mod daemon_support;

use std::io::Write;
use std::process::{Command, Stdio};

use daemon_support::{Backend, Config, Daemon, Steady, maglevd, ran};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Status line and body of the answer to a GET.
async fn get(address: &str, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: m\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap().to_owned(), body.to_owned())
}

async fn metrics_address(daemon: &mut Daemon) -> String {
    daemon.logged("metrics-listening").await["address"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_page_tells_of_backends_frontends_vpp_and_streams() {
    let mut world = Steady::start().await;
    world.daemon.logged("ready").await;
    let address = metrics_address(&mut world.daemon).await;
    let (status, page) = get(&address, "/metrics").await;
    assert_eq!(status, "HTTP/1.1 200 OK");
    for series in [
        "maglev_backend_state{backend=\"a\",state=\"up\"} 1",
        "maglev_backend_state{backend=\"a\",state=\"down\"} 0",
        "maglev_backend_health{backend=\"b\"} 1",
        "maglev_backend_enabled{backend=\"c\"} 1",
        "maglev_frontend_state{frontend=\"v6\",state=\"up\"} 1",
        "maglev_frontend_pool_backend_weight{frontend=\"v4\",pool=\"pool0\",backend=\"b\"} 40",
        "maglev_frontend_pool_backend_effective_weight{frontend=\"v4\",pool=\"pool1\",backend=\"c\"} 0",
        "maglev_vpp_connected 1",
        "maglev_vpp_dead_clients_total 0",
        "maglev_vpp_model_mismatch_total 0",
        "maglev_events_missed_total 0",
        "# TYPE maglev_flip_duration_seconds histogram",
        "maglev_vpp_lbsync_total{scope=\"all\",kind=\"vip-add\"} 2",
    ] {
        assert!(page.lines().any(|line| line == series), "no {series} in\n{page}");
    }
    assert!(page.contains("maglev_vpp_info{version=\"26.10-embedded"), "{page}");
    for path in ["/healthz", "/readyz"] {
        assert_eq!(get(&address, path).await.0, "HTTP/1.1 200 OK", "{path}");
    }
    assert_eq!(get(&address, "/else").await.0, "HTTP/1.1 404 Not Found");
    check_with_promtool(&page);
}

/// Prometheus' own judgement of the page.
fn check_with_promtool(page: &str) {
    let promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut promtool) = promtool else {
        return println!("skipped: promtool is not installed (Debian package prometheus)");
    };
    promtool.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
    let verdict = promtool.wait_with_output().unwrap();
    assert!(verdict.status.success(), "{}", String::from_utf8_lossy(&verdict.stderr));
}

#[tokio::test]
async fn a_daemon_without_its_vpp_lives_and_is_not_ready() {
    let dir = tempfile::tempdir().unwrap();
    let nowhere = dir.path().join("api.sock");
    let backends = ["a", "b", "c"].map(Backend::start);
    let every = backends.each_ref();
    let config = every.iter().fold(Config::new("10s"), |config, backend| config.backend(backend));
    config.both(&["a b c"]).write(dir.path());
    let mut daemon = Daemon::start(dir.path(), nowhere.to_str().unwrap(), &every).await;
    daemon.all(&["a", "b", "c"], "up").await;
    daemon.logged("ready").await;
    let address = metrics_address(&mut daemon).await;
    assert_eq!(get(&address, "/healthz").await.0, "HTTP/1.1 200 OK");
    let (status, why) = get(&address, "/readyz").await;
    assert_eq!(status, "HTTP/1.1 503 Service Unavailable");
    assert!(why.contains("VPP is not connected"), "{why}");
    let (_, page) = get(&address, "/metrics").await;
    assert!(page.lines().any(|line| line == "maglev_vpp_connected 0"), "{page}");
    assert!(!page.contains("maglev_vpp_info"), "{page}");
    daemon.terminate().await;
}

#[tokio::test]
async fn a_taken_metrics_address_is_a_clear_failure() {
    let dir = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut command = maglevd(dir.path());
    command.arg("--config").arg(Config::new("10s").write(dir.path()));
    command.args(["--vpp-api-addr", "", "--grpc-addr", "127.0.0.1:0", "--metrics-addr", &address]);
    let (status, _, errors) = ran(&mut command).await;
    assert_eq!(status, 1);
    assert!(
        errors.starts_with(&format!("maglevd: cannot serve metrics on {address}: ")),
        "{errors}"
    );
}
