//! Probers as TLS clients: what they show, whom they trust and what they speak, from the
//! file to nginx.

use std::fs;
use std::process::Command;

use crate::probe::peers::{Peer, fill_in};
use crate::support::probe::*;
use vpp_maglev::probe::{Probe, ThreadResources};

/// nginx with the test's certificates.
pub(crate) struct TlsNginx {
    _peer: Peer,
    pub(crate) certificates: Certificates,
    pub(crate) asking: u16,
    pub(crate) old: u16,
    pub(crate) http2: u16,
}

impl TlsNginx {
    pub(crate) async fn start() -> Option<Self> {
        if !is_installed("nginx") {
            return None;
        }
        let certificates = Certificates::make()?;
        let at = certificates.directory.path();
        fs::create_dir(at.join("root")).unwrap();
        fs::write(at.join("root/large"), "ready\n".repeat(300_000)).unwrap();
        let (peer, [asking, old, http2]) = Peer::start(|ports| {
            let ports = ports.map(|port: u16| port.to_string());
            let names = ["asking", "old", "http2"];
            let values: Vec<_> = names.into_iter().zip(ports.iter().map(String::as_str)).collect();
            fill_in(at, "tls.conf", &values);
            let mut command = Command::new("nginx");
            command.arg("-c").arg(at.join("tls.conf")).args(["-g", "user root;", "-e"]);
            command.arg(at.join("error.log"));
            command
        })
        .await;
        Some(Self { _peer: peer, certificates, asking, old, http2 })
    }

    pub(crate) fn path(&self, file: &str) -> String {
        self.certificates.path(file).display().to_string()
    }

    /// The keys of a check that trusts the test's issuer.
    pub(crate) fn keys(&self, port: u16, params: &str) -> String {
        let ca = self.path("ca.pem");
        format!(
            "type: https, port: {port}, params: {{server-name: localhost, ca-file: {ca}, {params}}}"
        )
    }
}

#[tokio::test]
async fn a_server_that_asks_for_a_certificate_is_shown_one() {
    let Some(nginx) = TlsNginx::start().await else { return };
    let (pem, key) = (nginx.path("good.pem"), nginx.path("good.key"));
    let shown = |pem: &str, key: &str| {
        let params = format!(
            "client-certificate: {pem}, client-key: {key}, response-regexp: '^SUCCESS CN=test$'"
        );
        nginx.keys(nginx.asking, &params)
    };
    let shared = ThreadResources::new();
    assert_eq!(found(&shown(&pem, &key), &shared).await, "L7OK 200 OK");
    let without = found(&nginx.keys(nginx.asking, ""), &shared).await;
    assert_eq!(without, "L7STS 400 Bad Request");

    let other = nginx.path("expired.key");
    let mismatch = format!("SOCKERR {other} is not the key of the client certificate");
    assert_eq!(found(&shown(&pem, &other), &shared).await, mismatch);
    let none = format!("SOCKERR {pem} holds no private key in PEM, without a passphrase");
    assert_eq!(found(&shown(&pem, &pem), &shared).await, none);
    let none = format!("SOCKERR {key} holds no certificate in PEM");
    assert_eq!(found(&shown(&key, &key), &shared).await, none);
    // With a passphrase, which nobody is asked for.
    let locked = nginx.path("locked.key");
    let mut command = Command::new("openssl");
    let aes = ["-aes256", "-passout", "pass:x", "-in", &key, "-out", &locked];
    assert!(command.arg("pkey").args(aes).output().unwrap().status.success());
    let none = format!("SOCKERR {locked} holds no private key in PEM, without a passphrase");
    assert_eq!(found(&shown(&pem, &locked), &shared).await, none);
    // A key in the form of its algorithm.
    let old_form = nginx.path("old-form.key");
    let mut command = Command::new("openssl");
    assert!(
        command.args(["ec", "-in", &key, "-out", &old_form]).output().unwrap().status.success()
    );
    assert!(fs::read_to_string(&old_form).unwrap().contains("BEGIN EC PRIVATE KEY"));
    assert_eq!(found(&shown(&pem, &old_form), &shared).await, "L7OK 200 OK");
}

#[tokio::test]
async fn a_certificate_that_is_replaced_is_used_without_a_reload() {
    let Some(nginx) = TlsNginx::start().await else { return };
    let (pem, key) = (nginx.path("own.pem"), nginx.path("own.key"));
    let copy = |name: &str| {
        fs::copy(nginx.path(&format!("{name}.pem")), &pem).unwrap();
        fs::copy(nginx.path(&format!("{name}.key")), &key).unwrap();
    };
    copy("expired");
    let params = format!("client-certificate: {pem}, client-key: {key}");
    let check = configured(&nginx.keys(nginx.asking, &params));
    let probe = Probe::prepare(&check, V4, &ThreadResources::new()).unwrap();
    assert_eq!(probe.run().await.to_string(), "L7STS 400 Bad Request");
    copy("good");
    crate::support::wait::eventually("it is used", crate::support::wait::DEADLINE, async || {
        probe.run().await.passed()
    })
    .await;
}

#[tokio::test]
async fn the_issuers_of_a_file_are_trusted_in_place_of_the_systems() {
    let Some(nginx) = TlsNginx::start().await else { return };
    let shared = nginx.certificates.trusted();
    let keys = |params: &str| {
        format!("type: https, port: {}, params: {{server-name: localhost, {params}}}", nginx.old)
    };
    assert_eq!(found(&keys(""), &shared).await, "L7OK 200 OK");
    let other = format!("ca-file: {}", nginx.path("self-signed.pem"));
    let unknown = "L6RSP certificate: unable to get local issuer certificate";
    assert_eq!(found(&keys(&other), &shared).await, unknown);
    let own = format!("ca-file: {}", nginx.path("ca.pem"));
    assert_eq!(found(&keys(&own), &ThreadResources::new()).await, "L7OK 200 OK");
}

#[tokio::test]
async fn a_server_speaks_the_version_and_a_protocol_that_are_asked_for() {
    let Some(nginx) = TlsNginx::start().await else { return };
    let shared = ThreadResources::new();
    for (port, params, expected) in [
        (nginx.old, "min-tls: 1.2", "L7OK 200 OK"),
        (nginx.old, "min-tls: 1.3", "L6RSP TLS: tlsv1 alert protocol version"),
        (nginx.http2, "min-tls: 1.3", "L7OK 200 OK"),
        (nginx.old, "alpn: [http/1.1]", "L7OK 200 OK"),
    ] {
        assert_eq!(found(&nginx.keys(port, params), &shared).await, expected, "{params}");
    }
    let tcp = |protocols: &str| {
        let ca = nginx.path("ca.pem");
        format!(
            "type: tcp, port: {}, params: {{ssl: true, server-name: localhost, ca-file: {ca}, \
             alpn: [{protocols}]}}",
            nginx.http2
        )
    };
    assert_eq!(found(&tcp("h2"), &shared).await, "L6OK");
    let refused = "L6RSP TLS: tlsv1 alert no application protocol";
    assert_eq!(found(&tcp("nonsense"), &shared).await, refused);
}

#[tokio::test]
async fn a_server_that_chooses_no_protocol_is_told_from_one_that_does() {
    let Some(certificates) = Certificates::make() else { return };
    let path = |file: &str| certificates.path(file).display().to_string();
    // Without -alpn it passes over what is offered.
    for (flags, expected) in [
        (&[][..], "L6RSP the backend chose none of the protocols that were offered (ALPN)"),
        (&["-alpn", "h2"], "L6OK"),
    ] {
        let (_peer, [port]) = Peer::start(|[port]| {
            let mut command = Command::new("openssl");
            command.args(["s_server", "-quiet", "-accept", &format!("127.0.0.1:{port}")]);
            command.args(["-cert", &path("good.pem"), "-key", &path("good.key")]).args(flags);
            command
        })
        .await;
        let ca = path("ca.pem");
        let keys = format!(
            "type: tcp, port: {port}, params: {{ssl: true, server-name: localhost, ca-file: {ca}, \
             alpn: [h2]}}"
        );
        assert_eq!(found(&keys, &ThreadResources::new()).await, expected);
    }
}

#[tokio::test]
async fn the_end_of_the_servers_certificate_is_seen_where_that_is_asked_for() {
    let Some(nginx) = TlsNginx::start().await else { return };
    // 2099-01-01, as `Certificates` makes them.
    let ends = std::time::UNIX_EPOCH + std::time::Duration::from_secs(4_070_908_800);
    for (params, expected) in [("certificate-warning: 14d", Some(ends)), ("", None)] {
        let check = configured(&nginx.keys(nginx.old, params));
        let probe = Probe::prepare(&check, V4, &ThreadResources::new()).unwrap();
        assert_eq!(probe.certificate_end(), None);
        assert_eq!(probe.run().await.to_string(), "L7OK 200 OK");
        assert_eq!(probe.certificate_end().map(|end| end.ends), expected, "{params}");
    }
}
