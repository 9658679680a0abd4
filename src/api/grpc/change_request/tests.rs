//! Every request that changes something in words, and what a request must not pretend.

use super::*;
use crate::domain::rights::METHODS;

/// A request of each method that may change something, and what it asks for in words.
fn cases() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let hour = 3_600_000_000_000;
    let backend = |for_ns| pb::BackendRequest {
        name: "a".into(),
        wait_ns: 5,
        for_ns,
        why: "kernel".into(),
        ..Default::default()
    };
    let member = |why: &str| pb::SetWeightRequest {
        frontend: "web".into(),
        pool: "p".into(),
        backend: "a".into(),
        weight: 7,
        for_ns: hour,
        why: why.into(),
        ..Default::default()
    };
    let unset = pb::UnsetWeightRequest {
        frontend: "web".into(),
        pool: "p".into(),
        backend: "a".into(),
        why: "kernel".into(),
        ..Default::default()
    };
    let drain = pb::DrainBackendRequest {
        name: "a".into(),
        timeout_ns: hour / 2,
        flush: true,
        why: "kernel".into(),
        ..Default::default()
    };
    let resume = pb::BackendRequest { slowly: true, ..backend(0) };
    let sync =
        pb::SyncVpplbStateRequest { frontend_name: Some("web".into()), ..Default::default() };
    let announcement = pb::SetAnnouncementRequest {
        frontend_name: "web".into(),
        order: "withdraw".into(),
        for_ns: hour,
        why: "kernel".into(),
        ..Default::default()
    };
    let rules =
        pb::UnsetAnnouncementRequest { all: true, why: "kernel".into(), ..Default::default() };
    vec![
        ("SetAnnouncement", announcement.encode_to_vec(), "set announcement web withdraw for 1h"),
        ("UnsetAnnouncement", rules.encode_to_vec(), "unset announcement all"),
        ("PauseBackend", backend(hour).encode_to_vec(), "pause backend a for 1h"),
        ("ResumeBackend", resume.encode_to_vec(), "resume backend a slowly"),
        ("EnableBackend", backend(0).encode_to_vec(), "enable backend a"),
        ("DisableBackend", backend(-1).encode_to_vec(), "disable backend a for -1ns"),
        ("UnsetBackend", backend(0).encode_to_vec(), "unset backend a"),
        ("UndrainBackend", backend(0).encode_to_vec(), "undrain backend a"),
        ("DrainBackend", drain.encode_to_vec(), "drain backend a timeout 30m then flush"),
        (
            "SetFrontendPoolBackendWeight",
            member("kernel").encode_to_vec(),
            "set frontend web pool p backend a weight 7 for 1h",
        ),
        (
            "UnsetFrontendPoolBackendWeight",
            unset.encode_to_vec(),
            "unset frontend web pool p backend a weight",
        ),
        (
            "ReloadConfig",
            pb::ReloadConfigRequest { force: true }.encode_to_vec(),
            "config reload force",
        ),
        ("SyncVPPLBState", sync.encode_to_vec(), "sync vpp lb state web"),
    ]
}

fn body(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[0], &length[..], message].concat()
}

#[test]
fn every_method_that_changes_something_is_told_in_words() {
    let cases = cases();
    let changing = METHODS.iter().filter(|(_, requirement)| requirement.may_change());
    let mut changing: Vec<_> = changing.map(|(name, _)| *name).collect();
    let mut told: Vec<_> = cases.iter().map(|(method, ..)| *method).collect();
    changing.sort_unstable();
    told.sort_unstable();
    assert_eq!(told, changing, "add a request of the method here, and its words");
    for (method, message, expected) in cases {
        let request = ChangeRequest::of(method, &body(&message));
        assert_eq!(request.what, expected, "{method}");
        let has_reason = !["ReloadConfig", "SyncVPPLBState"].contains(&method);
        assert_eq!(request.why, if has_reason { "kernel" } else { "" }, "{method}");
        assert!(!request.is_dry_run && !request.is_validation, "{method}");
        assert_eq!(request.backend.is_some(), expected.contains("backend a"), "{method}");
        assert_eq!(request.frontend.is_some(), expected.contains("web"), "{method}");
    }
}

#[test]
fn what_changes_nothing_is_told_apart() {
    let sync = pb::SyncVpplbStateRequest { dry_run: true, ..Default::default() }.encode_to_vec();
    assert!(ChangeRequest::of("SyncVPPLBState", &body(&sync)).is_dry_run);
    let asked = pb::BackendRequest { validate_only: true, ..Default::default() }.encode_to_vec();
    assert!(ChangeRequest::of("PauseBackend", &body(&asked)).is_validation);
    let asked = pb::SetWeightRequest { validate_only: true, ..Default::default() }.encode_to_vec();
    assert!(ChangeRequest::of("SetFrontendPoolBackendWeight", &body(&asked)).is_validation);
    let asked =
        pb::UnsetWeightRequest { validate_only: true, ..Default::default() }.encode_to_vec();
    assert!(ChangeRequest::of("UnsetFrontendPoolBackendWeight", &body(&asked)).is_validation);
}

/// What the service does not read makes no dry run of what it does.
#[test]
fn bytes_behind_the_message_do_not_count() {
    let dry_run = pb::SyncVpplbStateRequest { dry_run: true, ..Default::default() };
    let dry_run = dry_run.encode_to_vec();
    let compressed = [&[1], &body(&dry_run)[1..]].concat();
    for bytes in [
        [body(&[]), dry_run.clone()].concat(),
        [body(&[]), body(&dry_run)].concat(),
        [body(&dry_run), body(&[])].concat(),
        compressed,
    ] {
        let request = ChangeRequest::of("SyncVPPLBState", &bytes);
        assert!(!request.is_dry_run, "{bytes:?}");
        assert!(request.what.ends_with("cannot be read"), "{request:?}");
    }
}

#[test]
fn what_cannot_be_read_is_no_dry_run_and_what_a_caller_writes_is_bounded_and_printable() {
    for bytes in [&b""[..], b"\0\0\0\0", b"\0\0\0\0\x02\xff\xff", b"\0\0\0\0\x02\x10"] {
        let request = ChangeRequest::of("SyncVPPLBState", bytes);
        assert!(!request.is_dry_run, "{bytes:?}");
    }
    let unreadable = ChangeRequest::of("SyncVPPLBState", b"\0\0\0\0\x02\xff\xff");
    assert_eq!(unreadable.what, "SyncVPPLBState with a request that cannot be read");
    let request = pb::BackendRequest {
        name: "x".repeat(60_000),
        why: "\x1b[2J\n".repeat(10_000),
        ..Default::default()
    };
    let request = ChangeRequest::of("PauseBackend", &body(&request.encode_to_vec()));
    assert!(request.what.chars().count() < 300, "{}", request.what.len());
    assert!(request.why.len() < 3000 && !request.why.contains(['\x1b', '\n']), "{}", request.why);
}
