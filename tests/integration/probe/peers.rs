//! Probes against the servers that they are for, as Debian packages them:
//! nginx, `openssl s_server` and unbound, each started on free ports with a
//! configuration of its own, and ended by its process id. What is not
//! installed is said to be skipped.

use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::support::probe::*;
use crate::support::wait::{DEADLINE, eventually};
use vpp_maglev::domain::config::{CheckKind, TlsSettings};
use vpp_maglev::domain::resolution::{HostName, IpFamily, LookupAnswer};
use vpp_maglev::probe::{NameService, Probe, ThreadResources};

/// A server that lives as long as this.
pub(crate) struct Peer(Child);

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Peer {
    /// Starts what `command` makes of `N` free ports, and waits until all are
    /// served. Ports are free only until another process takes them, so a server that
    /// ends at once is tried again with others.
    pub(crate) async fn start<const N: usize>(
        command: impl Fn([u16; N]) -> Command,
    ) -> (Self, [u16; N]) {
        for _ in 0..5 {
            let held = [(); N].map(|()| TcpListener::bind((V4, 0)).unwrap());
            let ports = held.each_ref().map(|listener| listener.local_addr().unwrap().port());
            drop(held);
            let mut peer = Self(command(ports).stdin(Stdio::null()).spawn().unwrap());
            if peer.serves(&ports).await {
                return (peer, ports);
            }
        }
        panic!("the server does not start");
    }

    /// Starts a server that is waited for in another way.
    pub(crate) fn run(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::null()).spawn().unwrap())
    }

    pub(crate) fn of(child: Child) -> Self {
        Self(child)
    }

    /// Waits until these ports accept connections; false if the process ends.
    async fn serves(&mut self, ports: &[u16]) -> bool {
        let mut has_ended = false;
        eventually("the ports are served", DEADLINE, async || {
            has_ended = self.0.try_wait().unwrap().is_some();
            has_ended || ports.iter().all(|port| TcpStream::connect((V4, *port)).is_ok())
        })
        .await;
        !has_ended
    }
}

/// Writes the template `name` from `tests/data/probe` into `directory`.
pub(crate) fn fill_in(directory: &Path, name: &str, values: &[(&str, &str)]) {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/probe").join(name);
    let mut text = std::fs::read_to_string(source).unwrap();
    for (key, value) in values {
        text = text.replace(&format!("@{key}@"), value);
    }
    let text = text.replace("@directory@", directory.to_str().unwrap());
    std::fs::write(directory.join(name), text).unwrap();
}

fn at(port: u16) -> SocketAddr {
    (V4, port).into()
}

/// nginx with the test's configuration.
struct Nginx {
    _peer: Peer,
    certificates: Certificates,
    http: SocketAddr,
    tls: [SocketAddr; 4],
    /// Accepts connections and says nothing.
    _silent: TcpListener,
}

impl Nginx {
    async fn start() -> Option<Self> {
        if !is_installed("nginx") {
            return None;
        }
        let certificates = Certificates::make()?;
        let directory = certificates.directory.path();
        std::fs::create_dir(directory.join("root")).unwrap();
        let large = "ready\n".repeat(300_000);
        for file in ["large", "chunked"] {
            std::fs::write(directory.join("root").join(file), &large).unwrap();
        }
        let silent = TcpListener::bind((V4, 0)).unwrap();
        let silent_port = silent.local_addr().unwrap().port();
        let (peer, [http, good, expired, self_signed, wrong_name]) = Peer::start(|ports| {
            let names = ["http", "good", "expired", "self-signed", "wrong-name"];
            let ports = ports.map(|port| port.to_string());
            let mut values: Vec<_> =
                names.into_iter().zip(ports.iter().map(String::as_str)).collect();
            let silent = silent_port.to_string();
            values.push(("silent", &silent));
            fill_in(directory, "nginx.conf", &values);
            let mut command = Command::new("nginx");
            command.arg("-c").arg(directory.join("nginx.conf")).args(["-g", "user root;", "-e"]);
            command.arg(directory.join("error.log"));
            command
        })
        .await;
        let tls = [good, expired, self_signed, wrong_name].map(at);
        Some(Self { _peer: peer, certificates, http: at(http), tls, _silent: silent })
    }

    /// What nginx had to complain about: resets are, an orderly end is not.
    fn complaints(&self) -> String {
        let log = std::fs::read_to_string(self.certificates.path("error.log")).unwrap();
        let ordinary = ["[notice]", "client closed connection while "];
        let is_complaint = |line: &&str| !ordinary.iter().any(|text| line.contains(text));
        log.lines().filter(is_complaint).collect::<Vec<_>>().join("\n")
    }

    fn get(&self, path: &str, body: Option<&str>) -> CheckKind {
        https(self.http, None, path, 200..=299, body)
    }
}

#[tokio::test]
async fn nginx_answers_http() {
    let Some(nginx) = Nginx::start().await else { return };
    let shared = ThreadResources::new();
    let host = format!(r"^127\.0\.0\.1:{}\|maglevd/[0-9.]+\|close$", nginx.http.port());
    for (path, body, expected) in [
        ("/healthz", None, "L7OK 200 OK"),
        ("/healthz", Some(r"^ok\n$"), "L7OK 200 OK"),
        ("/healthz", Some("^OK$"), "L7CNT status 200, but its body (3 bytes) does not match"),
        ("/host", Some(&*host), "L7OK 200 OK"),
        ("/empty", None, "L7OK 204 No Content"),
        ("/maintenance", None, "L7STS 503 Service Temporarily Unavailable"),
        ("/moved", None, "L7STS 301 Moved Permanently"),
        ("/missing", None, "L7STS 404 Not Found"),
        ("/large", None, "L7OK 200 OK"),
        ("/large", Some(r"\A(ready\n)+read\z"), "L7OK 200 OK"),
        ("/chunked", Some(r"\A(READY\n)+READ\z"), "L7OK 200 OK"),
        ("/reset", None, "L7RSP connection reset before the whole response"),
    ] {
        assert_found(nginx.get(path, body), V4, &shared, expected).await;
    }
    assert_found(tcp(nginx.http, None), V6, &shared, "L4OK").await;
    assert_found(http(nginx.http, 200..=499, None), V6, &shared, "L7OK 403 Forbidden").await;

    let timeout = Duration::from_millis(300);
    for (path, body) in [("/slow-body", Some("x")), ("/slow-headers", None)] {
        let slow = check(nginx.get(path, body), timeout);
        let result = Probe::prepare(&slow, V4, &shared).unwrap().run().await;
        assert_eq!(result.to_string(), "L7TOUT no whole answer within 300ms", "{path}");
    }
}

#[tokio::test]
async fn nginx_has_its_certificates_verified() {
    let Some(nginx) = Nginx::start().await else { return };
    let shared = nginx.certificates.trusted();
    let expected = [
        None,
        Some("L6RSP certificate: certificate has expired"),
        Some("L6RSP certificate: self-signed certificate"),
        Some("L6RSP certificate: hostname mismatch"),
    ];
    for (server, expected) in nginx.tls.into_iter().zip(expected) {
        for (tls, expected) in [(verified("localhost"), expected), (unverified(), None)] {
            let kind = https(server, tls.clone(), "/", 200..=200, None);
            assert_found(kind, V4, &shared, expected.unwrap_or("L7OK 200 OK")).await;
            assert_found(tcp(server, tls), V4, &shared, expected.unwrap_or("L6OK")).await;
        }
    }
    let named = https(nginx.tls[0], verified("localhost"), "/", 200..=200, Some("name localhost"));
    assert_found(named, V4, &shared, "L7OK 200 OK").await;
    // An address is verified, and not sent as a name (RFC 6066, section 3).
    let address = Some(TlsSettings::new(None, true));
    let unnamed = https(nginx.tls[0], address, "/", 200..=200, Some("^name \n$"));
    assert_found(unnamed, V4, &shared, "L7OK 200 OK").await;

    // HTTP where TLS is spoken, and the other way round.
    let plain = http(nginx.tls[0], 200..=200, None);
    assert_found(plain, V4, &shared, "L7STS 400 Bad Request").await;
    let expected = "L6RSP the backend does not speak TLS on this port (wrong version number)";
    assert_found(tcp(nginx.http, unverified()), V4, &shared, expected).await;
}

#[tokio::test]
async fn probes_that_pass_leave_no_errors_in_nginx_s_log() {
    let Some(nginx) = Nginx::start().await else { return };
    let shared = nginx.certificates.trusted();
    let before = nginx.complaints();
    let tls = || verified("localhost");
    for _ in 0..20 {
        for kind in [
            tcp(nginx.http, None),
            tcp(nginx.tls[0], tls()),
            nginx.get("/healthz", Some("ok")),
            https(nginx.tls[0], tls(), "/", 200..=200, None),
        ] {
            let result = probe(kind, V4, &shared).await;
            assert!(result.passed(), "{result}");
        }
    }
    // nginx has one process, which has seen the end of each connection before
    // it answers this one.
    assert!(probe(nginx.get("/healthz", None), V4, &shared).await.passed());
    assert_eq!(nginx.complaints(), before);
}

/// Starts `openssl s_server` with a good certificate.
async fn s_server(certificates: &Certificates, arguments: &[&str]) -> (Peer, SocketAddr) {
    let (peer, [port]) = Peer::start(|[port]| {
        let mut command = Command::new("openssl");
        command.args(["s_server", "-accept", &format!("127.0.0.1:{port}"), "-cert"]);
        command.arg(certificates.path("good.pem")).arg("-key");
        command.arg(certificates.path("good.key")).args(arguments);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    })
    .await;
    (peer, at(port))
}

#[tokio::test]
async fn openssl_is_spoken_to_in_versions_that_are_current() {
    let Some(certificates) = Certificates::make() else { return };
    let shared = certificates.trusted();
    let ok = ["L6OK", "L7OK 200 OK"];
    for (arguments, expected) in [
        (&["-www", "-tls1_2"][..], ok),
        (&["-www", "-tls1_3"], ok),
        (
            &["-www", "-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0"],
            ["L6RSP TLS: tlsv1 alert protocol version"; 2],
        ),
        // With TLS 1.3 the client learns it only after the handshake.
        (&["-www", "-tls1_3", "-Verify", "1"], ["L6RSP TLS: tlsv13 alert certificate required"; 2]),
        (&["-www", "-tls1_2", "-Verify", "1"], ["L6RSP TLS: sslv3 alert handshake failure"; 2]),
    ] {
        let (_peer, to) = s_server(&certificates, arguments).await;
        let tls = verified("localhost");
        assert_found(tcp(to, tls.clone()), V4, &shared, expected[0]).await;
        assert_found(https(to, tls, "/", 200..=200, None), V4, &shared, expected[1]).await;
    }
}

#[tokio::test]
async fn unbound_answers_queries() {
    if !is_installed("unbound") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let (_peer, [port]) = Peer::start(|[port]| {
        let values = [("port", &*port.to_string()), ("long", &"x".repeat(200))];
        fill_in(directory.path(), "unbound.conf", &values);
        let mut command = Command::new("unbound");
        command
            .arg("-d")
            .arg("-c")
            .arg(directory.path().join("unbound.conf"))
            .stderr(Stdio::null());
        command
    })
    .await;
    look_up_in(at(port)).await;
    let shared = ThreadResources::new();
    for (query, record, rcode, expected) in [
        ("www.example.org", "A", "NOERROR", "L7OK NOERROR"),
        ("WWW.example.org.", "A", "NOERROR", "L7OK NOERROR"),
        ("alias.example.org", "CNAME", "NOERROR", "L7OK NOERROR"),
        // More than a datagram holds: truncated over UDP, whole over TCP.
        ("large.example.org", "TXT", "NOERROR", "L7OK NOERROR"),
        ("no.example.org", "A", "NXDOMAIN", "L7OK NXDOMAIN"),
        ("no.example.org", "A", "NOERROR", "L7STS NXDOMAIN"),
        ("x.refused.example", "A", "REFUSED", "L7OK REFUSED"),
        (
            "www.example.org",
            "AAAA",
            "NOERROR",
            "L7CNT NOERROR without a record for www.example.org. IN AAAA",
        ),
    ] {
        for over_tcp in [false, true] {
            for address in [V4, V6] {
                let kind = dns(at(port), over_tcp, query, record, rcode);
                assert_found(kind, address, &shared, expected).await;
            }
        }
    }
}

/// What the names that unbound knows lead to.
async fn look_up_in(server: SocketAddr) {
    let service = NameService::new(&[server]);
    let found = |addresses: &[IpAddr]| LookupAnswer::Found {
        addresses: addresses.into(),
        ttl: Duration::from_secs(3600),
    };
    let www = IpAddr::from([192, 0, 2, 1]);
    for (name, family, expected) in [
        ("www.example.org", IpFamily::V4, found(&[www])),
        ("WWW.example.org.", IpFamily::V4, found(&[www])),
        (
            "www.example.org",
            IpFamily::V6,
            LookupAnswer::Failed("the name has no AAAA record".into()),
        ),
        ("no.example.org", IpFamily::V4, LookupAnswer::Failed("no such name".into())),
    ] {
        let host = HostName { name: name.into(), family };
        assert_eq!(service.look_up(&host).await, expected, "{name}");
    }
    let host = HostName { name: "x.refused.example".into(), family: IpFamily::V4 };
    assert!(matches!(service.look_up(&host).await, LookupAnswer::Failed(_)));
}
