//! TLS of the gRPC listeners from the outside: which clients are let in, which
//! errors both sides report otherwise, and what the daemon says of files that it
//! cannot use.

use std::error::Error;

use crate::support::certificates::{Authority, Holds, Identity};
use crate::support::{Daemon, TestBed, ran};
use rustix::process::Signal;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use vpp_maglev::pb::maglev_client::MaglevClient;
use vpp_maglev::pb::{BackendRequest, ListFrontendsRequest, ReloadConfigRequest};

/// A daemon that serves TLS, and its authority.
struct TlsDaemon {
    daemon: Daemon,
    authority: Authority,
    bed: TestBed,
}

impl TlsDaemon {
    /// With `--grpc-tls-client-ca` if `mutual`.
    async fn start(mutual: bool) -> Self {
        let bed = TestBed::new(&["a"]);
        let authority = Authority::new("house");
        let mut command = bed.command();
        command.args(["--grpc-addr", "127.0.0.1:0"]);
        let (cert, key) = authority.issue("maglevd", Holds::Now).write(bed.dir(), "maglevd");
        command.arg("--grpc-tls-cert").arg(cert).arg("--grpc-tls-key").arg(key);
        if mutual {
            let ca = bed.dir().join("ca.pem");
            std::fs::write(&ca, authority.pem()).unwrap();
            command.arg("--grpc-tls-client-ca").arg(ca);
        }
        let daemon = bed.run(&mut command).await;
        Self { daemon, authority, bed }
    }

    /// What a client that trusts `trusted` and shows `identity` is answered:
    /// its errors, the inner ones last.
    async fn ask(&self, trusted: &[u8], identity: Option<&Identity>) -> Result<(), String> {
        ask(&self.endpoint(trusted, identity)).await
    }

    fn endpoint(&self, trusted: &[u8], identity: Option<&Identity>) -> Endpoint {
        let mut tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(trusted));
        if let Some(Identity { cert, key }) = identity {
            tls = tls.identity(tonic::transport::Identity::from_pem(cert, key));
        }
        let url = format!("https://{}", self.daemon.address());
        Endpoint::from_shared(url).unwrap().tls_config(tls).unwrap()
    }

    /// Reloads as a client that trusts `trusted`; the error about certificates.
    async fn reload(&self, trusted: &[u8]) -> String {
        let channel = self.endpoint(trusted, None).connect().await.unwrap();
        let answer = MaglevClient::new(channel).reload_config(ReloadConfigRequest::default()).await;
        let answer = answer.unwrap().into_inner();
        assert_eq!(answer.ok, answer.reload_error.is_empty(), "{answer:?}");
        answer.reload_error
    }

    /// The records of failed handshakes, once there are so many.
    async fn failed(&mut self, count: usize) -> Vec<Value> {
        let refused = |line: &Value| line["msg"] == "grpc-handshake-failed";
        while self.daemon.records("grpc-handshake-failed").len() < count {
            let known = self.daemon.records("grpc-handshake-failed");
            let new = |line: &Value| refused(line) && !known.contains(line);
            self.daemon.logged_as("grpc-handshake-failed", new).await;
        }
        self.daemon.records("grpc-handshake-failed")
    }
}

async fn ask(endpoint: &Endpoint) -> Result<(), String> {
    let channel: Channel = endpoint.connect().await.map_err(|error| all(&error))?;
    let mut client = MaglevClient::new(channel);
    let answer = client.list_frontends(ListFrontendsRequest {}).await;
    answer.map(|_| ()).map_err(|status| all(&status))
}

fn all(error: &(dyn Error + 'static)) -> String {
    let errors = std::iter::successors(Some(error), |&error| error.source());
    errors.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[tokio::test]
async fn only_who_shows_a_good_certificate_is_let_in() {
    let mut system = TlsDaemon::start(true).await;
    let house = system.authority.pem();
    let outsider = Authority::new("outsider");
    let good = system.authority.issue("operator", Holds::Now);
    let expired = system.authority.issue("operator", Holds::UntilYesterday);
    let foreign = outsider.issue("operator", Holds::Now);
    system.ask(&house, Some(&good)).await.unwrap();

    let cases = [
        (None, "CertificateRequired", "showed no certificate"),
        (Some(&foreign), "UnknownCA", "of no authority in --grpc-tls-client-ca"),
        (Some(&expired), "CertificateExpired", "certificate expired"),
    ];
    for (place, (identity, alert, logged)) in cases.into_iter().enumerate() {
        let refused = system.ask(&house, identity).await.unwrap_err();
        assert!(refused.contains(alert), "{alert}: {refused}");
        let failed = system.failed(place + 1).await;
        let why = failed[place]["why"].as_str().unwrap();
        assert!(why.contains(logged), "{logged}: {why}");
        assert!(failed[place]["peer"].as_str().unwrap().starts_with("127.0.0.1:"));
    }

    // A client that does not trust the daemon, and one that speaks no TLS.
    let refused = system.ask(&outsider.pem(), Some(&good)).await.unwrap_err();
    assert!(refused.contains("UnknownIssuer"), "{refused}");
    let failed = system.failed(4).await;
    assert!(failed[3]["why"].as_str().unwrap().contains("the client refused"), "{failed:?}");
    let url = format!("http://{}", system.daemon.address());
    ask(&Endpoint::from_shared(url).unwrap()).await.unwrap_err();
    let failed = system.failed(5).await;
    assert!(failed[4]["why"].as_str().unwrap().contains("does not speak TLS"), "{failed:?}");

    system.ask(&house, Some(&good)).await.unwrap();
    system.daemon.terminate().await;
}

#[tokio::test]
async fn silent_clients_stand_in_nobodys_way_and_certificates_are_renewed() {
    let mut system = TlsDaemon::start(false).await;
    let house = system.authority.pem();
    let mut silent = Vec::new();
    for _ in 0..64 {
        silent.push(TcpStream::connect(system.daemon.address()).await.unwrap());
    }
    // Without --grpc-tls-client-ca no client is asked for a certificate.
    system.ask(&house, None).await.unwrap();

    let successor = Authority::new("successor");
    let dir = system.bed.dir().to_owned();
    successor.issue("maglevd", Holds::Now).write(&dir, "maglevd");
    system.daemon.signal(Signal::HUP);
    system.daemon.logged("grpc-certificates-renewed").await;
    system.ask(&house, None).await.unwrap_err();
    system.ask(&successor.pem(), None).await.unwrap();

    // Files that cannot be used change nothing.
    std::fs::write(dir.join("maglevd.key"), "no key").unwrap();
    system.daemon.signal(Signal::HUP);
    let kept = system.daemon.logged("grpc-certificates-kept").await;
    assert!(kept["error"].as_str().unwrap().contains("--grpc-tls-key"), "{kept}");
    system.ask(&successor.pem(), None).await.unwrap();
    // A reload over gRPC answers the same, and reloads the rest.
    let error = system.reload(&successor.pem()).await;
    assert!(error.contains("old certificates stay: --grpc-tls-key"), "{error}");
    system.authority.issue("maglevd", Holds::Now).write(&dir, "maglevd");
    assert_eq!(system.reload(&successor.pem()).await, "");
    system.ask(&house, None).await.unwrap();
    drop(silent);
    system.daemon.terminate().await;
}

#[tokio::test]
async fn a_flood_of_failed_handshakes_is_cut_after_its_first_records() {
    let mut system = TlsDaemon::start(false).await;
    for _ in 0..50 {
        let mut stranger = TcpStream::connect(system.daemon.address()).await.unwrap();
        stranger.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        // The alert that says why, and the end.
        let _ = stranger.read_to_end(&mut Vec::new()).await;
    }
    system.ask(&system.authority.pem(), None).await.unwrap();
    system.failed(10).await;
    system.daemon.signal(Signal::TERM);
    system.daemon.ended().await;
    assert_eq!(system.daemon.records("grpc-handshake-failed").len(), 10);
}

/// The one line that a daemon with these files ends with.
async fn refusal(bed: &TestBed, files: &[(&str, &str)]) -> String {
    let mut command = bed.command();
    command.args(["--grpc-addr", "127.0.0.1:0"]);
    for (flag, file) in files {
        command.arg(flag).arg(bed.dir().join(file));
    }
    let (status, _, errors) = ran(&mut command).await;
    assert_eq!((status, errors.lines().count()), (1, 1), "{errors}");
    errors
}

#[tokio::test]
async fn files_that_cannot_be_used_are_named_with_what_is_wrong() {
    let bed = TestBed::new(&[]);
    let dir = bed.dir();
    let authority = Authority::new("house");
    authority.issue("one", Holds::Now).write(dir, "one");
    authority.issue("two", Holds::Now).write(dir, "two");
    std::fs::write(dir.join("empty"), "").unwrap();
    std::fs::write(
        dir.join("bent"),
        "-----BEGIN CERTIFICATE-----\nbm8gY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n",
    )
    .unwrap();
    let (cert, key, ca) = ("--grpc-tls-cert", "--grpc-tls-key", "--grpc-tls-client-ca");
    let cases: [(&[_], &[_]); 10] = [
        (&[(cert, "one.pem")], &[cert, "without", key]),
        (&[(key, "one.key")], &[key, "without", cert]),
        (&[(ca, "one.pem")], &[ca, "without", cert]),
        (&[(cert, "none.pem"), (key, "one.key")], &[cert, "none.pem", "No such file"]),
        (&[(cert, "one.pem"), (key, "none.key")], &[key, "none.key", "No such file"]),
        (&[(cert, "empty"), (key, "one.key")], &[cert, "empty", "no certificate"]),
        (&[(cert, "one.pem"), (key, "one.pem")], &[key, "one.pem", "no private key"]),
        (&[(cert, "one.pem"), (key, "two.key")], &[key, "two.key", "not the key", "one.pem"]),
        (&[(cert, "bent"), (key, "one.key")], &[cert, "bent", "cannot be used"]),
        (&[(cert, "one.pem"), (key, "one.key"), (ca, "bent")], &[ca, "bent", "cannot be used"]),
    ];
    for (files, parts) in cases {
        let said = refusal(&bed, files).await;
        for part in parts {
            assert!(said.contains(part), "{part:?} is not in: {said}");
        }
    }
}

#[tokio::test]
async fn a_client_is_named_by_its_certificate() {
    let mut system = TlsDaemon::start(true).await;
    let alice = system.authority.issue("alice", Holds::Now);
    let endpoint = system.endpoint(&system.authority.pem(), Some(&alice));
    let mut client = MaglevClient::new(endpoint.connect().await.unwrap());
    let request = BackendRequest { name: "a".into(), ..BackendRequest::default() };
    let paused = client.pause_backend(request).await.unwrap().into_inner();
    let who = paused.admin_override.unwrap().who;
    assert!(who.starts_with("alice 127.0.0.1:"), "{who}");
    assert_eq!(system.daemon.logged("override-set").await["who"], who);
}
