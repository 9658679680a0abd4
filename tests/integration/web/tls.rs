//! HTTPS: certificates of the server and of browsers.

use std::sync::Arc;

use rustix::process::Signal;
use serde_json::json;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::http::{Answer, Asked, Carrier};
use super::server::{LoggedIn, WebServer, plain_daemon, users};
use crate::support::certificates::{Authority, Holds, Identity};
use crate::support::{Daemon, TestBed};

/// A server with a certificate of an authority that browsers' certificates are of, too.
struct TlsBed {
    web: WebServer,
    house: Authority,
    dir: tempfile::TempDir,
    _daemon: (TestBed, Daemon),
}

impl TlsBed {
    async fn start() -> Self {
        let daemon = plain_daemon().await;
        let dir = tempfile::tempdir().unwrap();
        let house = Authority::new("house");
        let (cert, key) = house.issue("web", Holds::Now).write(dir.path(), "web");
        let ca = dir.path().join("ca.pem");
        std::fs::write(&ca, house.pem()).unwrap();
        let users = users(dir.path());
        let [cert, key, ca] = [&cert, &key, &ca].map(|path| path.to_str().unwrap());
        let flags = [
            "--listen-tls-cert",
            cert,
            "--listen-tls-key",
            key,
            "--listen-tls-client-ca",
            ca,
            "--users",
            &users,
        ];
        let web = WebServer::start(&[&daemon.1], &flags).await;
        Self { web, house, dir, _daemon: daemon }
    }

    /// A connection that shows a certificate.
    async fn connect(
        &self,
        trusted: &[u8],
        identity: Option<&Identity>,
    ) -> Result<impl Carrier + use<>, String> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(trusted).unwrap()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let config = match identity {
            None => builder.with_no_client_auth(),
            Some(Identity { cert, key }) => {
                let cert = vec![CertificateDer::from_pem_slice(cert).unwrap()];
                let key = PrivateKeyDer::from_pem_slice(key).unwrap();
                builder.with_client_auth_cert(cert, key).unwrap()
            }
        };
        let name = ServerName::try_from("localhost").unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        let connected = connector.connect(name, self.web.connect().await).await;
        connected.map_err(|error| error.to_string())
    }

    async fn ask(&self, asked: Asked, identity: Option<&Identity>) -> Answer {
        asked.over(self.connect(&self.house.pem(), identity).await.unwrap()).await
    }
}

#[tokio::test]
async fn a_certificate_logs_in_and_a_password_does_without_one() {
    let bed = TlsBed::start().await;
    let session = Asked::get("/api/session");
    let nobody = bed.ask(session.clone(), None).await;
    assert_eq!(nobody.json()["methods"], json!(["password", "certificate"]));
    assert_eq!(nobody.headers["strict-transport-security"], "max-age=31536000");
    assert_eq!(bed.ask(Asked::get("/api/state"), None).await.status, 401);
    let body = json!({ "name": "bob", "password": "bob's password" });
    let by_password = bed.ask(Asked::post("/api/login", &body), None).await;
    let cookie = &by_password.headers["set-cookie"];
    assert!(cookie.starts_with("__Host-maglev=") && cookie.contains("; Secure"), "{cookie}");

    // eve has no password, and the role of the file; a stranger may look.
    for (name, role) in [("eve", "operator"), ("stranger", "viewer")] {
        let identity = bed.house.issue(name, Holds::Now);
        let answer = bed.ask(session.clone(), Some(&identity)).await;
        let user = json!({ "name": name, "role": role, "via": "certificate" });
        assert_eq!(answer.json()["user"], user);
        let body = json!({ "action": "pause", "daemons": ["lb0"], "backend": "a", "why": "x" });
        let token = answer.json()["token"].as_str().unwrap().to_owned();
        let who = LoggedIn { cookie: answer.cookie().unwrap(), token };
        let act = who.with(Asked::post("/api/actions", &body));
        let by_another = bed.ask(act.clone(), None).await;
        assert_eq!(by_another.status, 401, "the cookie is of no use without the certificate");
        let status = if role == "operator" { 200 } else { 403 };
        assert_eq!(bed.ask(act, Some(&identity)).await.status, status, "{name}");
    }
    // Of another authority.
    let other = Authority::new("other").issue("eve", Holds::Now);
    let refused = bed.connect(&bed.house.pem(), Some(&other)).await;
    if let Ok(stream) = refused {
        // TLS 1.3 tells a client at its first read.
        let read = tokio::spawn(async move { Asked::get("/api/session").over(stream).await });
        assert!(read.await.is_err());
    }
}

#[tokio::test]
async fn certificates_are_read_anew_at_a_signal_and_kept_if_they_are_broken() {
    let mut bed = TlsBed::start().await;
    let next = Authority::new("next");
    assert!(bed.connect(&next.pem(), None).await.is_err());
    next.issue("web", Holds::Now).write(bed.dir.path(), "web");
    bed.web.signal(Signal::HUP);
    bed.web.logged("web-certificates-renewed").await;
    bed.connect(&next.pem(), None).await.unwrap();
    std::fs::write(bed.dir.path().join("web.pem"), "nonsense").unwrap();
    bed.web.signal(Signal::HUP);
    let kept = bed.web.logged("web-certificates-kept").await;
    let why = kept["error"].as_str().unwrap();
    assert!(why.starts_with("--listen-tls-cert ") && why.contains("holds no certificate"), "{why}");
    bed.connect(&next.pem(), None).await.unwrap();
}
