//! maglevc and maglevd over TLS: which certificates are trusted, and the errors
//! when one is not.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::certificates::{Authority, Holds};
use crate::support::{Daemon, TestBed};

/// A daemon that lets in only who shows a certificate of its authority.
struct MutualTls {
    daemon: Daemon,
    bed: TestBed,
}

impl MutualTls {
    async fn start() -> Self {
        let bed = TestBed::new(&[]);
        let dir = bed.dir();
        let authority = Authority::new("house");
        std::fs::write(dir.join("ca.pem"), authority.pem()).unwrap();
        std::fs::write(dir.join("other.pem"), Authority::new("other").pem()).unwrap();
        authority.issue("operator", Holds::Now).write(dir, "operator");
        let (cert, key) = authority.issue("maglevd", Holds::Now).write(dir, "maglevd");
        let mut command = bed.command();
        command.args(["--grpc-addr", "127.0.0.1:0"]);
        command.arg("--grpc-tls-cert").arg(cert).arg("--grpc-tls-key").arg(key);
        command.arg("--grpc-tls-client-ca").arg(dir.join("ca.pem"));
        let daemon = bed.run(&mut command).await;
        Self { daemon, bed }
    }

    /// Exit status, and what is said; files are named relative to the folder.
    fn asked(&self, options: &str) -> (i32, String) {
        asked(self.bed.dir(), &self.daemon.address(), options)
    }
}

fn asked(folder: &Path, server: &str, options: &str) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_maglevc"));
    command.current_dir(folder).stdin(Stdio::null()).args(["--server", server]);
    let output = command.args(options.split_whitespace()).args(["show", "backends"]).output();
    let output = output.unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(said).unwrap())
}

const OPERATOR: &str = "--tls-cert operator.pem --tls-key operator.key";

#[tokio::test]
async fn both_sides_show_who_they_are() {
    let system = MutualTls::start().await;
    let (status, said) = system.asked(&format!("--tls-ca ca.pem {OPERATOR}"));
    assert_eq!(status, 0, "{said}");
    assert_eq!(said, "no backends are configured\n");
    let named = format!("--tls-ca ca.pem --tls-server-name localhost {OPERATOR}");
    assert_eq!(system.asked(&named).0, 0);
}

#[tokio::test]
async fn who_is_not_believed_is_told_why() {
    let system = MutualTls::start().await;
    let cases = [
        (format!("--tls-ca other.pem {OPERATOR}"), "TLS failed: invalid peer certificate"),
        (
            format!("--tls-ca ca.pem --tls-server-name elsewhere.example {OPERATOR}"),
            "TLS failed: invalid peer certificate",
        ),
        ("--tls-ca ca.pem".into(), "TLS failed: received fatal alert"),
        (String::new(), "or maglevd with TLS (see --tls-ca)"),
    ];
    for (options, expected) in cases {
        let (status, said) = system.asked(&options);
        assert_eq!(status, 3, "{options}: {said}");
        assert!(said.contains(expected) && said.lines().count() == 1, "{options}: {said}");
    }
}

#[test]
fn files_of_no_use_are_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("empty.pem"), "").unwrap();
    std::fs::write(folder.path().join("ca.pem"), Authority::new("house").pem()).unwrap();
    let broken = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    std::fs::write(folder.path().join("broken.key"), broken).unwrap();
    let cases = [
        ("--tls-ca none.pem", "--tls-ca none.pem: no such file or directory"),
        ("--tls-ca empty.pem", "--tls-ca empty.pem: there is no certificate in PEM in it"),
        (
            "--tls-ca ca.pem --tls-cert ca.pem --tls-key ca.pem",
            "--tls-key ca.pem: there is no private key in PEM in it",
        ),
        (
            "--tls-ca ca.pem --tls-cert ca.pem --tls-key broken.key",
            "the files of --tls-… cannot be used: ",
        ),
        ("--tls-ca ca.pem --tls-cert ca.pem", "the following required arguments"),
        ("--tls-server-name x", "the following required arguments"),
    ];
    for (options, expected) in cases {
        let (status, said) = asked(folder.path(), "127.0.0.1:1", options);
        assert_eq!(status, 2, "{options}: {said}");
        assert!(said.contains(expected) && said.lines().count() == 1, "{options}: {said}");
    }
}
