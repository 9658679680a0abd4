//! What the tests of probes share: checks, certificates, helpers.

use std::future::Future;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::{NonZeroU16, NonZeroU32};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use vpp_maglev::config;
use vpp_maglev::domain::config::{
    CheckKind, DnsExchange, HealthCheck, HttpExchange, Timing, TlsSettings,
};
use vpp_maglev::domain::health::probe_result::ProbeResult;
use vpp_maglev::probe::{Probe, ThreadResources};

pub(crate) const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
pub(crate) const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

/// The timeout of probes that are not to reach it.
pub(crate) const LONG: Duration = Duration::from_secs(30);

/// A check of `kind` with `timeout`.
pub(crate) fn check(kind: CheckKind, timeout: Duration) -> HealthCheck {
    HealthCheck {
        kind,
        timing: Timing {
            interval: timeout,
            fast_interval: timeout,
            down_interval: timeout,
            timeout,
            rise: NonZeroU32::MIN,
            fall: NonZeroU32::MIN,
            damping: None,
        },
        source_v4: None,
        source_v6: None,
        proxy: None,
    }
}

/// The check of a file that has these keys beside its times, as YAML in one line:
/// `type: http, port: 80, params: {path: /}`.
pub(crate) fn configured(keys: &str) -> HealthCheck {
    let text = format!(
        "maglev:\n  vpp: {{lb: {{ipv4-src-address: 192.0.2.1, ipv6-src-address: '2001:db8::1'}}}}\n  \
         healthchecks:\n    it: {{interval: 30s, timeout: 30s, {keys}}}\n"
    );
    let loaded = config::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let check = loaded.config.checks.into_values().next().unwrap();
    Arc::unwrap_or_clone(check)
}

/// The result of one probe of 127.0.0.1 by such a check.
pub(crate) async fn found(keys: &str, shared: &ThreadResources) -> String {
    Probe::prepare(&configured(keys), V4, shared).unwrap().run().await.to_string()
}

pub(crate) fn port(of: SocketAddr) -> NonZeroU16 {
    NonZeroU16::new(of.port()).unwrap()
}

pub(crate) fn tcp(to: SocketAddr, tls: Option<TlsSettings>) -> CheckKind {
    CheckKind::Tcp { port: port(to), tls, steps: Vec::new() }
}

pub(crate) fn http(to: SocketAddr, codes: RangeInclusive<u16>, body: Option<&str>) -> CheckKind {
    https(to, None, "/", codes, body)
}

pub(crate) fn https(
    to: SocketAddr,
    tls: Option<TlsSettings>,
    path: &str,
    codes: RangeInclusive<u16>,
    body: Option<&str>,
) -> CheckKind {
    let body = body.map(str::to_owned);
    let exchange = HttpExchange { body, ..HttpExchange::get(path, codes) };
    CheckKind::Http { port: port(to), tls, exchange }
}

pub(crate) fn dns(to: SocketAddr, tcp: bool, query: &str, record: &str, rcode: &str) -> CheckKind {
    let exchange = DnsExchange {
        query: query.into(),
        record: record.into(),
        tcp,
        rcode: rcode.into(),
        answer: None,
    };
    CheckKind::Dns { port: port(to), exchange }
}

pub(crate) fn verified(server_name: &str) -> Option<TlsSettings> {
    Some(TlsSettings::new(Some(server_name.into()), true))
}

pub(crate) fn unverified() -> Option<TlsSettings> {
    Some(TlsSettings::new(None, false))
}

/// One probe with a timeout that is not meant to be reached.
pub(crate) async fn probe(
    kind: CheckKind,
    address: IpAddr,
    shared: &ThreadResources,
) -> ProbeResult {
    Probe::prepare(&check(kind, LONG), address, shared).unwrap().run().await
}

pub(crate) async fn assert_found(
    kind: CheckKind,
    to: IpAddr,
    shared: &ThreadResources,
    expected: &str,
) {
    let name = format!("{kind:?}");
    let result = probe(kind, to, shared).await.to_string();
    assert_eq!(result, expected, "{name}");
}

/// Listens at `address` and serves one connection after the other.
pub(crate) async fn listen<F, S>(address: IpAddr, serve: F) -> SocketAddr
where
    F: Fn(TcpStream) -> S + 'static,
    S: Future<Output = ()> + 'static,
{
    let listener = TcpListener::bind((address, 0)).await.unwrap();
    let local = listener.local_addr().unwrap();
    tokio::task::spawn_local(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::task::spawn_local(serve(stream));
        }
    });
    local
}

/// Reads the head of a request and gives it back.
pub(crate) async fn request(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

/// A port without a listener: bound and closed.
pub(crate) async fn closed_port(address: IpAddr) -> SocketAddr {
    TcpListener::bind((address, 0)).await.unwrap().local_addr().unwrap()
}

/// Lets the probe's timeout pass without waiting for it. Called by a peer once
/// the probe is where the test wants it to be.
pub(crate) async fn let_time_run_out() {
    tokio::time::pause();
    tokio::time::advance(LONG).await;
}

/// Runs a test in one thread, where peers and probes take turns.
pub(crate) fn local(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, test);
}

/// Whether `program` can be run; as [`missing`] if not.
pub(crate) fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from))
        .any(|directory| directory.join(program).is_file());
    if !found {
        missing(&format!("{program} is not installed"));
    }
    found
}

/// Says that something is not tested for want of another program. Where
/// `MAGLEV_TEST_PEERS` is set, which promises that all are there, that is a failure.
pub(crate) fn missing(what: &str) {
    assert!(std::env::var_os("MAGLEV_TEST_PEERS").is_none(), "{what}");
    skipped(what);
}

/// Says past the test harness, which keeps the output of passing tests, that
/// something was not tested.
pub(crate) fn skipped(why: &str) {
    std::io::stderr().write_all(format!("skipped: {why}\n").as_bytes()).unwrap();
}

/// Certificates for `localhost`, made anew for each test by the `openssl`
/// command: `ca`, `good`, `expired`, `wrong-name` and `self-signed`, each as
/// `NAME.pem` and `NAME.key`.
pub(crate) struct Certificates {
    pub(crate) directory: tempfile::TempDir,
}

impl Certificates {
    /// `None`, said plainly, without the `openssl` command.
    pub(crate) fn make() -> Option<Self> {
        if !is_installed("openssl") {
            return None;
        }
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path();
        root(at, "ca", "/CN=test root", &["basicConstraints=critical,CA:TRUE"]);
        root(at, "self-signed", "/CN=localhost", &["subjectAltName=DNS:localhost"]);
        let local = "DNS:localhost,IP:127.0.0.1,IP:::1";
        let current = ("20200101000000Z", "20990101000000Z");
        signed(at, "good", local, current);
        signed(at, "expired", local, ("20200101000000Z", "20200201000000Z"));
        signed(at, "wrong-name", "DNS:other.example", current);
        Some(Self { directory })
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.directory.path().join(file)
    }

    pub(crate) fn read(&self, file: &str) -> Vec<u8> {
        std::fs::read(self.path(file)).unwrap()
    }

    /// What probers share when they trust `ca`.
    pub(crate) fn trusted(&self) -> ThreadResources {
        ThreadResources::trusting(&self.read("ca.pem")).unwrap()
    }
}

fn openssl(at: &Path, arguments: &[&str]) {
    let output = Command::new("openssl").args(arguments).current_dir(at).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

const KEY: [&str; 5] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/// A certificate that signs itself.
fn root(at: &Path, name: &str, subject: &str, extensions: &[&str]) {
    let (pem, key) = (format!("{name}.pem"), format!("{name}.key"));
    let mut arguments = vec!["req", "-x509", "-subj", subject, "-days", "3650"];
    arguments.extend(KEY);
    arguments.extend(["-keyout", &key, "-out", &pem]);
    for extension in extensions {
        arguments.extend(["-addext", extension]);
    }
    openssl(at, &arguments);
}

/// A certificate for `names` that `ca` signs. `openssl ca` is the only command
/// of OpenSSL 3.0 that makes one which has expired already.
fn signed(at: &Path, name: &str, names: &str, (from, to): (&str, &str)) {
    let (pem, key) = (format!("{name}.pem"), format!("{name}.key"));
    let (request, config) = (format!("{name}.csr"), format!("{name}.cnf"));
    let mut arguments = vec!["req", "-new", "-subj", "/CN=test"];
    arguments.extend(KEY);
    arguments.extend(["-keyout", &key, "-out", &request]);
    openssl(at, &arguments);
    std::fs::write(at.join("index.txt"), "").unwrap();
    std::fs::write(
        at.join(&config),
        format!(
            "[ca]\ndefault_ca=us\n[us]\ndatabase=index.txt\nnew_certs_dir=.\nrand_serial=yes\n\
             default_md=sha256\npolicy=any\nx509_extensions=leaf\ncertificate=ca.pem\n\
             private_key=ca.key\n[any]\ncommonName=supplied\n[leaf]\nsubjectAltName={names}\n"
        ),
    )
    .unwrap();
    openssl(
        at,
        &[
            "ca",
            "-batch",
            "-notext",
            "-config",
            &config,
            "-in",
            &request,
            "-out",
            &pem,
            "-startdate",
            from,
            "-enddate",
            to,
        ],
    );
}
