//! Against nginx, whose two names serve connections in turn. Where it is not
//! installed, this says that it skips.

use std::process::Command;

use super::process::{Running, ran};
use crate::probe::peers::{Peer, fill_in};
use crate::support::probe::{Certificates, is_installed};

/// nginx over HTTP and HTTPS, on loopback.
struct NamedNginx {
    peer: Peer,
    http: u16,
    https: u16,
    _certificates: Certificates,
}

impl NamedNginx {
    async fn start() -> Option<Self> {
        if !is_installed("nginx") {
            return None;
        }
        let certificates = Certificates::make()?;
        let directory = certificates.directory.path();
        let (peer, [http, https]) = Peer::start(|[http, https]| {
            let values = [("http", &*http.to_string()), ("https", &*https.to_string())];
            fill_in(directory, "nginx-names.conf", &values);
            let mut command = Command::new("nginx");
            command.arg("-c").arg(directory.join("nginx-names.conf"));
            command.args(["-g", "user root;", "-e"]).arg(directory.join("error.log"));
            command
        })
        .await;
        Some(Self { peer, http, https, _certificates: certificates })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn shares_are_judged_by_header_and_a_wrong_one_is_named() {
    let Some(nginx) = NamedNginx::start().await else { return };
    for (url, more) in [
        (format!("http://127.0.0.1:{}", nginx.http), ""),
        (format!("https://127.0.0.1:{}", nginx.https), "-insecure"),
    ] {
        let line = format!("{url} {more} -header X-Served-By -interval 3ms --for 1500ms");
        let (status, out, err) = ran(&format!("{line} --expect nginx0=100,nginx1=100")).await;
        assert_eq!((status, &*err), (0, ""), "{url}: {out}");
        let (status, out, _) = ran(&format!("{line} --expect nginx0=100,nginx1=10")).await;
        assert_eq!(status, 1, "{url}: {out}");
        assert!(out.contains("shares are wrong: nginx1 got "), "{url}: {out}");
    }
    let (status, out, err) = ran(&format!("https://127.0.0.1:{} --for 500ms", nginx.https)).await;
    assert_eq!(status, 1, "{out}{err}");
    assert!(out.contains(" tls)") && out.contains("it never answered"), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn full_packets_pass_and_an_error_is_a_failure_with_its_server() {
    let Some(nginx) = NamedNginx::start().await else { return };
    let url = format!("http://127.0.0.1:{}", nginx.http);
    let line = format!("{url}/ -header X-Served-By --hold 2 --full-size");
    let mut test = Running::start(&line);
    let found = test.until("full packets", |value| value["what"] == "full_size").await;
    assert!(found["why"].as_str().unwrap().contains(" pass"), "{found}");
    // One that never answered would be a failure.
    test.until_vip("it answers", |vip| vip["ok"].as_u64() > Some(0)).await;
    let ended = test.stop().await;
    assert_eq!((ended.status, ended.breaches()), (0, String::new()));
    let (status, out, _) = ran(&format!("{url}/maintenance --for 300ms --max-failed 0")).await;
    assert_eq!(status, 1);
    assert!(out.contains(" status)"), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn kept_connections_break_when_nginx_dies() {
    let Some(nginx) = NamedNginx::start().await else { return };
    let NamedNginx { peer, http, .. } = nginx;
    let line = format!("http://127.0.0.1:{http} -header X-Served-By -keepalive -interval 10ms");
    let mut test = Running::start(&format!("{line} --hold 4 --max-broken 0"));
    test.until_vip("all are held", |vip| {
        let of = |name: &str| vip["held_tally"][name].as_u64().unwrap_or(0);
        of("nginx0") + of("nginx1") == 4
    })
    .await;
    drop(peer);
    let broken = test.until("a break", |value| value["what"] == "broken").await;
    assert!(broken["server"].as_str().unwrap().starts_with("nginx"), "{broken}");
    test.until_vip("refusals", |vip| vip["held_failed"]["refused"].as_u64() > Some(0)).await;
    let ended = test.stop().await;
    assert_eq!((ended.status, &ended.vip()["broken"]), (1, &4.into()));
    assert_eq!(ended.vip()["attempts"], 0, "there are no new flows");
}
