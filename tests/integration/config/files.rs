//! The files that checks name: looked at when the configuration is loaded.

use std::fs;
use std::path::Path;

use vpp_maglev::config::{self, ConfigFault, LoadError};

const FILE: &str = "\
maglev:
  vpp: {lb: {ipv4-src-address: 192.0.2.1, ipv6-src-address: '2001:db8::1'}}
  healthchecks:
    web:
      type: http
      port: 80
      interval: 5s
      timeout: 2s
      params:
        headers:
          - Authorization: {file: DIR/token}
          - X-Key: {file: DIR/key}
  backends: {a: {address: 198.51.100.1, healthcheck: web}}
  frontends: {a: {address: 192.0.2.80, pools: [{name: a, backends: {a: {}}}]}}
";

fn load(dir: &Path) -> Result<config::Loaded, LoadError> {
    let path = dir.join("maglev.yaml");
    fs::write(&path, FILE.replace("DIR", dir.to_str().unwrap())).unwrap();
    config::load(&path)
}

/// One file is missing, and one holds what cannot be sent.
pub(crate) fn faults() -> Vec<ConfigFault> {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("token"), "hunter2\nhunter3\n").unwrap();
    match load(dir.path()) {
        Err(LoadError::Faults(faults)) => faults.to_vec(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_file_that_is_of_no_use_is_named_with_its_key_and_not_repeated() {
    let told: Vec<_> = faults().iter().map(ToString::to_string).collect();
    let [token, key] = told.as_slice() else { panic!("{told:?}") };
    let of = |name: &str| format!("healthchecks.web.params.headers.{name}.file: ");
    assert!(token.starts_with(&of("Authorization")), "{token}");
    assert!(
        token.ends_with(
            "/token holds no value of a header: write one line without control characters"
        ),
        "{token}"
    );
    assert!(!token.contains("hunter"), "{token}");
    assert!(key.starts_with(&of("X-Key")), "{key}");
    let end = "/key cannot be read: No such file or directory; have the daemon's user read it, or name another file";
    assert!(key.ends_with(end), "{key}");
}

#[test]
fn files_that_are_right_are_taken_and_are_no_part_of_the_configuration() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("token"), "Bearer hunter2\n").unwrap();
    fs::write(dir.path().join("key"), "hunter3").unwrap();
    let loaded = load(dir.path()).unwrap();
    assert_eq!(loaded.warnings, []);
    assert!(!format!("{loaded:?}").contains("hunter"), "{loaded:?}");
}
