//! Files with very many faults or warnings, very deep or very large.

use std::fmt::Write;
use std::time::{Duration, Instant};

use vpp_maglev::config::{self, LoadError, Warning};

const LB: &str =
    "maglev:\n  vpp: { lb: { ipv4-src-address: 192.0.2.1, ipv6-src-address: 2001:db8::1 } }\n";

/// The warnings about backends that no frontend uses, which are more than are shown.
pub(crate) fn many_warnings() -> Vec<Warning> {
    let mut text = format!("{LB}  backends:\n");
    for backend in 0..1234 {
        writeln!(text, "    b{backend}: {{ address: 198.51.{}.{} }}", backend / 250, backend % 250)
            .unwrap();
    }
    config::parse(&text).unwrap().warnings
}

#[test]
fn of_very_many_warnings_the_first_are_shown_and_the_others_counted() {
    let warnings = many_warnings();
    assert_eq!(warnings.len(), 101);
    let last = warnings.last().unwrap().to_string();
    assert_eq!(last, "maglev: has 1134 more warnings, which are shown when these are mended");
}

#[test]
fn of_very_many_faults_the_first_are_told_and_the_others_counted() {
    let mut text = format!("{LB}  backends:\n");
    for backend in 0..100_000 {
        writeln!(text, "    b{backend}: {{ address: nowhere, healthcheck: none }}").unwrap();
    }
    let error = config::parse(&text).unwrap_err();
    let LoadError::Faults(faults) = &error else { panic!("{error}") };
    assert_eq!((faults.len(), faults.more), (100, 199_900));
    let told = error.to_string();
    assert_eq!(told.lines().count(), 101);
    assert!(told.len() < 20_000, "{} bytes", told.len());
    assert!(told.ends_with("\nand 199900 more faults, which are shown when these are mended"));
    assert!(told.starts_with("backends.b0.address: "));
}

#[test]
fn a_value_as_long_as_the_file_is_not_repeated_whole() {
    let long = "x".repeat(1_000_000);
    for text in [
        format!("{LB}  healthchecks: {{ {long}: {{}} }}\n"),
        format!("{LB}  backends: {{ a: {{ address: 192.0.2.1, healthcheck: {long} }} }}\n"),
        format!("{LB}  backends: {{ a: {{ {long}: 1 }} }}\n"),
        format!("{LB}  {long}: 1\n"),
    ] {
        let told = config::parse(&text).unwrap_err().to_string();
        assert!(told.lines().all(|line| line.len() < 1100), "{} bytes", told.len());
    }
}

#[test]
fn what_is_nested_very_deep_is_refused_at_once() {
    let start = Instant::now();
    for open in ["[", "{", "{a: ", "- ", "? ", "[{a: ", "&a [", "!!seq [", "- - ? "] {
        let text = format!("{LB}x-deep: {}", open.repeat(1_000_000));
        let message = config::parse(&text).unwrap_err().to_string();
        assert!(message.starts_with("line "), "{message}");
    }
    // A reader that goes on to the end takes hours.
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
}
