//! How long it takes from the deciding probe of a VIP's last server, the answer that is no
//! 200, until the route is gone from the router's kernel. Prints figures for
//! docs/performance.md; run it alone on a quiet machine:
//! `cargo test --release --test integration announce::decided -- --ignored --nocapture`

use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::support::{Bed, RouteEvent, prefix};
use super::{frr, gobgp, netlink_bird};
use crate::support::{Daemon, maglevd};

const ROUNDS: usize = 50;
const VIP: &str = "192.0.2.1";

/// Answers health checks, and notes when it told that it is ill.
#[derive(Clone, Default)]
struct HealthServer(Arc<Mutex<Health>>);

#[derive(Default)]
struct Health {
    is_ill: bool,
    told: Option<Instant>,
}

impl HealthServer {
    async fn start(&self, bed: &Bed, port: u16) {
        let bind = move || std::net::TcpListener::bind(("127.0.0.1", port));
        let listener = bed.site_namespace().open(bind).await.unwrap().unwrap();
        listener.set_nonblocking(true).unwrap();
        let (listener, server) = (TcpListener::from_std(listener).unwrap(), self.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(server.clone().answer(stream));
            }
        });
    }

    async fn answer(self, mut stream: TcpStream) {
        let mut request = [0; 4096];
        while let Ok(1..) = stream.read(&mut request).await {
            let is_ill = {
                let mut health = self.0.lock().unwrap();
                if health.is_ill {
                    health.told.get_or_insert_with(Instant::now);
                }
                health.is_ill
            };
            let status = if is_ill { "503 Service Unavailable" } else { "200 OK" };
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    }

    fn fall_ill(&self) {
        *self.0.lock().unwrap() = Health { is_ill: true, told: None };
    }

    /// Since when it was told; it is well again.
    fn recover(&self) -> Instant {
        let mut health = self.0.lock().unwrap();
        health.is_ill = false;
        health.told.unwrap()
    }
}

/// maglevd in the site's namespace, with these drivers.
async fn daemon(bed: &Bed, drivers: &str) -> Daemon {
    let text = format!(
        "maglev:\n  vpp: {{lb: {{ipv4-src-address: 192.0.2.250, ipv6-src-address: \
         2001:db8::1}}}}\n  announce: {drivers}\n  healthchecks:\n    h: {{type: http, port: \
         8080, interval: 20ms, timeout: 20ms, rise: 1, fall: 1, params: {{path: /}}}}\n    w: \
         {{type: http, port: 8081, interval: 20ms, timeout: 20ms, rise: 1, fall: 1, params: \
         {{path: /}}}}\n  backends:\n    s: {{address: 127.0.0.1, healthcheck: h}}\n    w: \
         {{address: 127.0.0.1, healthcheck: w}}\n  frontends:\n    web: {{address: {VIP}, \
         announce: {{hold-down: 0s, hold-up: 0s}}, pools: [{{name: p, backends: {{s: \
         {{}}}}}}]}}\n    other: {{address: 192.0.2.251, pools: [{{name: p, backends: {{w: \
         {{}}}}}}]}}\n"
    );
    let file = bed.path("maglev.yaml");
    std::fs::write(&file, text).unwrap();
    let built = maglevd(&bed.path(""));
    let mut command = Command::new("ip");
    command.args(["netns", "exec", &bed.site]).arg(built.get_program());
    command.args(["--vpp-api-addr", "embedded", "--metrics-addr=", "--grpc-addr", "127.0.0.1:0"]);
    command.arg("--config").arg(file).current_dir(bed.path("")).env("TMPDIR", bed.path(""));
    Daemon::spawn(&mut command)
}

/// Has the last server fail and recover, and prints how long each took.
async fn measure(name: &str, bed: &Bed, drivers: &str) {
    let (server, witness) = (HealthServer::default(), HealthServer::default());
    server.start(bed, 8080).await;
    witness.start(bed, 8081).await;
    let mut monitor = bed.monitor().await;
    let daemon = daemon(bed, drivers).await;
    let route = prefix(&format!("{VIP}/32"));
    monitor.until(RouteEvent::Came(route)).await;
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        server.fall_ill();
        let (gone, _) = monitor.until(RouteEvent::Went(route)).await;
        times.push(gone - server.recover());
        monitor.until(RouteEvent::Came(route)).await;
    }
    daemon.terminate().await;
    times.sort();
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)];
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    let (median, late) = (milliseconds(at(50)), milliseconds(at(99)));
    println!("{name:<16} median {median:6.2} ms  p99 {late:6.2} ms");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures"]
async fn from_the_deciding_probe_to_the_router() {
    if let Some(bed) = Bed::make(&[]) {
        let _bird = bed.bird(&bed.site, "site", netlink_bird::SITE);
        measure("netlink, BIRD", &bed, "{netlink: {}}").await;
    }
    if let Some(bed) = Bed::make(&["gobgpd"]) {
        let _gobgpd = gobgp::gobgpd_at(&bed, "127.0.0.1:50051");
        measure("gobgp", &bed, "{gobgp: {address: \"127.0.0.1:50051\"}}").await;
    }
    if let Some(bed) = frr::make() {
        let _frr = frr::frr(&bed).await;
        measure("netlink, FRR", &bed, "{netlink: {table: main}}").await;
    }
}
