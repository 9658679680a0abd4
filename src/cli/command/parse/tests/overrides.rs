//! Tests of what is set and unset, for how long and why.

use std::time::Duration;

use super::*;

fn backend(change: BackendChange, lasts: Option<u64>, reason: Option<&str>) -> CliCommand {
    let terms = terms(lasts, reason);
    CliCommand::Request(DaemonRequest::SetBackend { name: "nginx0".into(), change, terms })
}

fn terms(lasts: Option<u64>, reason: Option<&str>) -> OverrideTerms {
    OverrideTerms { lasts: lasts.map(Duration::from_secs), reason: reason.map(str::to_owned) }
}

fn weight(weight: Option<u8>, terms: OverrideTerms) -> CliCommand {
    CliCommand::Request(DaemonRequest::SetWeight {
        frontend: "web".into(),
        pool: "primary".into(),
        backend: "nginx0".into(),
        weight,
        terms,
    })
}

#[test]
fn what_is_set_may_have_an_end_and_a_reason_in_any_order() {
    use BackendChange::{Disable, Enable, Pause, Resume, Unset};
    let member = "f web p primary b nginx0";
    for (line, expected) in [
        ("set backend nginx0 pause", backend(Pause, None, None)),
        ("set b nginx0 p for 2h", backend(Pause, Some(7200), None)),
        ("set b nginx0 p because x for 1h30m", backend(Pause, Some(5400), Some("x"))),
        ("set b nginx0 p f 1d b x", backend(Pause, Some(86_400), Some("x"))),
        ("set b nginx0 disable because x", backend(Disable, None, Some("x"))),
        ("set b nginx0 enable for 90s", backend(Enable, Some(90), None)),
        ("set b nginx0 resume because done", backend(Resume, None, Some("done"))),
        ("unset backend nginx0", backend(Unset, None, None)),
        ("uns b nginx0 because done", backend(Unset, None, Some("done"))),
        (&format!("set {member} w 7 for 2h"), weight(Some(7), terms(Some(7200), None))),
        (&format!("unset {member}"), weight(None, terms(None, None))),
        (&format!("unset {member} because done"), weight(None, terms(None, Some("done")))),
        ("show overrides", CliCommand::Request(DaemonRequest::ShowOverrides)),
    ] {
        assert_eq!(parsed(line), Ok(expected), "{line}");
    }
    let words = ["set", "backend", "nginx0", "pause", "because", "kernel upgrade"];
    assert_eq!(parse(&words), Ok(backend(Pause, None, Some("kernel upgrade"))));
}

#[test]
fn what_would_not_end_or_is_no_reason_is_told() {
    for (line, expected) in [
        (
            "set backend a pause for 2",
            "`2` is not how long, such as 2h, 1d12h or 90s (after `set backend a pause for`)",
        ),
        (
            "set backend a pause for",
            "`set backend a pause for` is not complete; possible next: <duration>",
        ),
        (
            "set backend a pause because kernel upgrade",
            "`upgrade` is not possible after `set backend a pause because kernel`; possible: for",
        ),
        (
            "set backend a resume for 2h",
            "`for` is not possible after `set backend a resume`; possible: slowly, because",
        ),
        (
            "unset backend a for 2h",
            "`for` is not possible after `unset backend a`; possible: because",
        ),
    ] {
        assert_eq!(message(line), expected, "{line}");
    }
    for reason in ["", " ", "two\nlines"] {
        let words = ["set", "backend", "a", "pause", "because", reason];
        assert!(matches!(parse(&words), Err(ParseError::BadValue { .. })), "{reason:?}");
    }
}
