//! What the package gives, and where maglevc looks for a daemon that nothing names.

use std::process::Command;

use rustix::process::geteuid;

use super::calls::assert_role;
use super::clients::{RightsDaemon, unix_as};
use crate::support::TestBed;

const UNIT: &str = include_str!("../../../packaging/systemd/vpp-maglevd.service");

/// The listeners of the unit, in the test's folder and at a port that is free.
fn listeners() -> String {
    let line = UNIT.lines().find_map(|line| line.strip_prefix("Environment=MAGLEV_GRPC_ADDR="));
    let listeners = line.expect("the unit says where to listen");
    let here = listeners.replace("/run/vpp-maglev", "DIR").replace(":9090", ":0");
    assert!(here.contains("unix:DIR/maglevd.sock") && here.contains("127.0.0.1:0"), "{here}");
    here
}

#[tokio::test]
async fn the_package_has_operators_on_its_socket_and_viewers_on_loopback() {
    let bed = TestBed::new(&["a", "b"]).pools(&["a b"]).vpp("embedded");
    let group = 4242;
    let flags = ["--grpc-unix-group", "4242"];
    let flags = if geteuid().is_root() { &flags[..] } else { &[] };
    let system = RightsDaemon::start_on(bed, &listeners(), "", flags).await;
    assert_role(&system.unix().await, None, "operator", "the socket").await;
    assert_role(&system.tcp(0).await, None, "viewer", "loopback").await;
    if geteuid().is_root() {
        use std::os::unix::fs::PermissionsExt;
        let everybody = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(system.bed.dir(), everybody).unwrap();
        let member = unix_as(&system.socket(), 6001, 9, &[group]).await;
        assert_role(&member, None, "operator", "a member of the group").await;
    } else {
        eprintln!("skipped: to be another user for a moment takes root");
    }
    let log = system.daemon.everything();
    assert!(!log.contains("grpc-open"), "{log}");
    system.daemon.terminate().await;
}

#[test]
fn without_a_daemon_both_places_are_named() {
    if std::path::Path::new("/run/vpp-maglev/maglevd.sock").exists() {
        eprintln!("skipped: there is a daemon on this machine");
        return;
    }
    if std::net::TcpStream::connect("127.0.0.1:9090").is_ok() {
        eprintln!("skipped: something listens on 127.0.0.1:9090");
        return;
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_maglevc"));
    let output = command.env_remove("MAGLEV_SERVER").args(["show", "backends"]).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let said = String::from_utf8(output.stderr).unwrap();
    let expected = "maglevd at 127.0.0.1:9090: cannot be reached: connection refused; nor at \
                    unix:/run/vpp-maglev/maglevd.sock: no such file or directory";
    assert!(said.contains(expected), "{said}");
}
