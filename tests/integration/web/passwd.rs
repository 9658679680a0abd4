//! `maglev-web passwd`.

use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use super::server::{maglev_web, set_password};
use crate::support::terminal::Terminal;

/// Runs it with this input: status, and standard error.
fn passwd(arguments: &[&str], input: &str) -> (i32, String) {
    use std::io::Write;
    let mut command = maglev_web();
    command.arg("passwd").args(arguments);
    command.stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // Who refuses at once reads nothing.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn the_file_is_its_owner_s_and_keeps_its_other_lines() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("users");
    let file = path.to_str().unwrap();
    set_password(file, "ann", "operator", "correct horse");
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let first = std::fs::read_to_string(&path).unwrap();
    assert!(first.starts_with("ann:operator:$argon2id$"), "{first}");
    std::fs::write(&path, format!("# ours\n{first}")).unwrap();
    set_password(file, "bob", "viewer", "another one");
    let (status, _) = passwd(&["--users", file, "ann"], "a new password\n");
    assert_eq!(status, 0);
    let last = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<_> = last.lines().collect();
    assert_eq!((lines.len(), lines[0]), (3, "# ours"));
    assert!(lines[1].starts_with("ann:operator:"), "the role stays: {last}");
    assert_ne!(lines[1], first.trim());
    assert!(!last.contains("password"));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn what_cannot_be_a_user_or_a_password_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("users");
    let file = path.to_str().unwrap();
    let long = "x".repeat(1025);
    for (name, password, part) in [
        ("a:b", "correct horse", "none of which is"),
        ("ann", "short", "8 characters at least"),
        ("ann", "", "8 characters at least"),
        ("ann", &long, "1024 bytes at most"),
    ] {
        let (status, said) = passwd(&["--users", file, name], &format!("{password}\n"));
        assert_eq!((status, said.lines().count()), (1, 1), "{said}");
        assert!(said.contains(part), "{name}: {said}");
    }
    assert!(!path.exists());
    std::fs::write(&path, "nonsense\n").unwrap();
    let (status, said) = passwd(&["--users", file, "ann"], "correct horse\n");
    assert!(status == 1 && said.contains("users:1: write name:role:hash"), "{said}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "nonsense\n");
    let (status, said) = passwd(&["--users", "/nowhere/users", "ann"], "correct horse\n");
    assert!(status == 1 && said.contains("/nowhere"), "{said}");
}

#[test]
fn a_password_that_is_typed_is_not_shown_and_asked_for_twice() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("users");
    let start = || {
        let program = env!("CARGO_BIN_EXE_maglev-web");
        let command = pty_process::blocking::Command::new(program);
        let command = command.args(["passwd", "--users", path.to_str().unwrap(), "ann"]);
        Terminal::start(command, 24, 80)
    };
    let mut terminal = start();
    terminal.sees("New password:");
    terminal.types("correct horse\r");
    terminal.sees("The same again:");
    terminal.types("correct mouse\r");
    terminal.sees("the two passwords differ: nothing was changed");
    assert_eq!(terminal.ends(), 1);
    assert!(!path.exists());
    let mut terminal = start();
    terminal.sees("New password:");
    terminal.types("correct horse\r");
    terminal.sees("The same again:");
    terminal.types("correct horse\r");
    assert_eq!(terminal.ends(), 0);
    assert!(!terminal.text().contains("horse"), "{}", terminal.text());
    assert!(path.exists());
}
