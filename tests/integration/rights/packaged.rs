//! Where maglevc looks for a daemon that nothing names.

use std::process::Command;

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
