//! Who may log in, for a maglev-web that a test starts.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Everybody's.
pub(super) const PASSWORD: &str = "correct horse";

/// A file with `ann`, who operates, and `bob`, who looks; as `maglev-web passwd` writes it.
pub(super) fn write_users(dir: &Path) -> PathBuf {
    let path = dir.join("users");
    for (name, role) in [("ann", "operator"), ("bob", "viewer")] {
        let mut passwd = Command::new(env!("CARGO_BIN_EXE_maglev-web"))
            .args(["passwd", "--role", role, "--users"])
            .arg(&path)
            .arg(name)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        writeln!(passwd.stdin.take().unwrap(), "{PASSWORD}").unwrap();
        assert!(passwd.wait().unwrap().success());
    }
    path
}
