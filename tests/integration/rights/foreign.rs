//! The table of roles once more, from a client that was not written for this daemon:
//! Python's grpcio, over each way in.

use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::geteuid;

use super::calls::{ROLES, may, methods};
use super::clients::{RightsDaemon, tokens};
use crate::support::TestBed;
use crate::support::certificates::{Authority, Holds};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/integration/rights/calls.py");

fn has_grpcio() -> bool {
    let mut python = Command::new("python3");
    let found = python.stdin(Stdio::null()).args(["-c", "import grpc"]).output();
    let found = found.is_ok_and(|output| output.status.success());
    assert!(found || std::env::var_os("MAGLEV_TEST_GRPCIO").is_none(), "python3 has no grpcio");
    if !found {
        eprintln!("skipped: python3 with grpcio is not here");
    }
    found
}

/// A daemon's certificate, or a client's: its authority, itself, its key.
type CertificateFiles<'a> = [&'a Path; 3];

/// Asserts that those RPCs are denied that the role does not allow, and no other.
async fn assert_role(address: &str, token: &str, files: Option<CertificateFiles<'_>>, role: &str) {
    let mut python = Command::new("python3");
    python.stdin(Stdio::null()).arg(SCRIPT).args([address, token]);
    match files {
        Some(files) => python.args(files),
        None => python.args(["", "", ""]),
    };
    let shown = |(name, is_stream): &(String, bool)| {
        if *is_stream { format!("{name}:stream") } else { name.clone() }
    };
    python.args(methods().iter().map(shown));
    let output = tokio::task::spawn_blocking(move || python.output()).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let mut seen = 0;
    for line in said.lines() {
        let (method, code) = line.split_once(' ').unwrap();
        let is_denied = ["PERMISSION_DENIED", "UNAUTHENTICATED"].contains(&code);
        assert_eq!(is_denied, !may(role, method), "{role} at {address}: {line}");
        seen += 1;
    }
    assert_eq!(seen, methods().len(), "{said}");
}

#[tokio::test]
async fn a_foreign_client_may_do_what_its_role_says_over_every_way_in() {
    if !has_grpcio() {
        return;
    }
    let bed = TestBed::new(&["a", "b"]).pools(&["a b"]).vpp("embedded");
    let (tokens, rights) = tokens(bed.dir()).await;
    let listeners = "127.0.0.1:0,role=none,127.0.0.1:0,role=viewer,127.0.0.1:0,\
                     unix:DIR/maglevd.sock,role=none";
    let rights = format!("{rights}  self: {{ role: viewer, users: [{}] }}\n", geteuid().as_raw());
    let system = RightsDaemon::start_on(bed, listeners, &rights, &[]).await;
    let addresses = system.addresses();
    for (address, role) in addresses.iter().zip(ROLES) {
        assert_role(address, "", None, role).await;
    }
    for (token, role) in tokens.iter().zip(ROLES) {
        assert_role(&addresses[0], &token.token, None, role).await;
    }
    let socket = format!("unix:{}", system.socket().display());
    assert_role(&socket, "", None, "viewer").await;
    assert_role(&socket, &tokens[2].token, None, "operator").await;
    system.daemon.terminate().await;
}

#[tokio::test]
async fn a_foreign_client_is_known_by_its_certificate() {
    if !has_grpcio() {
        return;
    }
    let bed = TestBed::new(&["a", "b"]).pools(&["a b"]).vpp("embedded");
    let dir = bed.dir().to_owned();
    let authority = Authority::new("house");
    let (cert, key) = authority.issue("maglevd", Holds::Now).write(&dir, "maglevd");
    let ca = dir.join("ca.pem");
    std::fs::write(&ca, authority.pem()).unwrap();
    let flags =
        [("--grpc-tls-cert", cert), ("--grpc-tls-key", key), ("--grpc-tls-client-ca", ca.clone())];
    let flags: Vec<String> = flags
        .into_iter()
        .flat_map(|(flag, path)| [flag.to_owned(), path.display().to_string()])
        .collect();
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let rights: String = ROLES
        .iter()
        .map(|role| format!("  by-cn-{role}: {{ role: {role}, certificates: [\"cn:{role}\"] }}\n"))
        .collect();
    let system = RightsDaemon::start_on(bed, "127.0.0.1:0,role=none", &rights, &flags).await;
    let address = &system.addresses()[0];
    for role in ROLES {
        let (cert, key) = authority.issue(role, Holds::Now).write(&dir, role);
        assert_role(address, "", Some([&ca, &cert, &key]), role).await;
    }
    system.daemon.terminate().await;
}
