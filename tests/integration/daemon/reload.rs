//! What a reload and a restart keep, and what a reload reads anew.

use crate::support::certificates::{Authority, Holds};
use crate::support::{TestBed, metrics_address, sample};
use rustix::process::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_native_tls::{TlsAcceptor, native_tls};
use vpp_maglev::pb::ReloadConfigRequest;

#[tokio::test]
async fn a_reload_that_renames_all_backends_writes_nothing() {
    let mut bed = TestBed::new(&["a", "b"]).pools(&["a b"]);
    let dataplane = bed.dataplane();
    // The grace of the start is over at once, and that of the reload lasts.
    let text = bed.config().both(&["a b"]).text();
    let short = "startup-min-delay: 0s\n      startup-max-delay: 1ms";
    let mut command = bed.command();
    command.args(["--grpc-addr", "127.0.0.1:0"]);
    bed.write_config(&text.replace("startup-max-delay: 1h", short));
    let mut daemon = bed.run(&mut command).await;
    daemon.all(&["a", "b"], "up").await;
    dataplane.until_both("a=100 b=100").await;
    dataplane.writes();

    // The names in `backends` and in pools, and not those of health checks.
    let renamed: String = text
        .lines()
        .map(|line| match line.trim_start() {
            it if it.starts_with("a:") && !it.contains("type") => line.replacen("a:", "web-a:", 1),
            it if it.starts_with("b:") && !it.contains("type") => line.replacen("b:", "web-b:", 1),
            _ => line.to_owned(),
        })
        .map(|line| line + "\n")
        .collect();
    assert!(renamed.matches("web-a:").count() >= 2, "{renamed}");
    bed.write_config(&renamed);
    daemon.signal(Signal::HUP);
    daemon.logged("config-reload-done").await;
    daemon.all(&["web-a", "web-b"], "up").await;
    assert_eq!(dataplane.writes(), [""; 0]);
    dataplane.until_both("a=100 b=100").await;
    daemon.terminate().await;
}

#[tokio::test]
async fn the_outcome_of_a_reload_is_in_the_metrics() {
    let bed = TestBed::new(&["a"]).pools(&["a"]);
    let mut daemon = bed.start().await;
    let metrics = metrics_address(&mut daemon).await;
    let outcome = async || sample(&metrics, "maglev_config_last_reload_successful").await;
    let time = "maglev_config_last_reload_success_timestamp_seconds";
    let time = async || sample(&metrics, time).await.parse::<f64>().unwrap();
    let (started, good) = (time().await, bed.config().both(&["a"]).text());
    assert_eq!(outcome().await, "1");
    let reload = async |text: &str| {
        bed.write_config(text);
        let mut client = daemon.client().await;
        client.reload_config(ReloadConfigRequest::default()).await.unwrap().into_inner().ok
    };
    assert!(!reload("maglev: nonsense").await);
    assert_eq!(outcome().await, "0");
    assert!((time().await - started).abs() < 1e-6);
    assert!(reload(&good).await);
    assert_eq!(outcome().await, "1");
    assert!(time().await > started);
    daemon.terminate().await;
}

/// A server with a certificate for 127.0.0.1 of this authority; its port.
async fn tls_server(authority: &Authority) -> u16 {
    let identity = authority.issue("backend", Holds::Now);
    let identity = native_tls::Identity::from_pkcs8(&identity.cert, &identity.key).unwrap();
    let acceptor: TlsAcceptor = native_tls::TlsAcceptor::new(identity).unwrap().into();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let _ = stream.read(&mut [0; 1024]).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
        }
    });
    port
}

#[tokio::test]
async fn a_reload_reads_the_trusted_certificates_anew() {
    let [old, new] = ["old", "new"].map(Authority::new);
    let port = tls_server(&new).await;
    let timing = "interval: 100ms, timeout: 5s, rise: 1, fall: 1";
    let bed = TestBed::with_text(format!(
        "maglev:\n  vpp: {{lb: {{ipv4-src-address: 192.0.2.1, ipv6-src-address: 2001:db8::1}}}}\n  \
         healthchecks:\n    web: {{type: https, port: {port}, {timing}, params: {{path: /}}}}\n    \
         tls: {{type: tcp, port: {port}, {timing}, params: {{ssl: true}}}}\n  backends:\n    \
         web: {{address: 127.0.0.1, healthcheck: web}}\n    \
         tls: {{address: 127.0.0.1, healthcheck: tls}}\n"
    ));
    let roots = bed.dir().join("roots.pem");
    std::fs::write(&roots, old.pem()).unwrap();
    let mut command = bed.command();
    command.args(["--grpc-addr", "127.0.0.1:0"]).env("SSL_CERT_FILE", &roots);
    let daemon = bed.run(&mut command).await;
    daemon.all(&["web", "tls"], "down").await;
    std::fs::write(&roots, new.pem()).unwrap();
    daemon.signal(Signal::HUP);
    daemon.all(&["web", "tls"], "up").await;
    daemon.terminate().await;
}
