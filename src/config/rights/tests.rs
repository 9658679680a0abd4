//! Files with the rights that they give, and files with one fault.

use super::*;
use crate::domain::rights::{CertificateName, Role, TokenDigest};

/// Two users and two groups.
struct FakeAccounts;

impl AccountNames for FakeAccounts {
    fn user(&self, name: &str) -> Option<u32> {
        [("alice", 1000), ("prometheus", 111)].into_iter().find(|it| it.0 == name).map(|it| it.1)
    }

    fn group(&self, name: &str) -> Option<u32> {
        [("netops", 50), ("alice", 1000)].into_iter().find(|it| it.0 == name).map(|it| it.1)
    }
}

fn digest() -> String {
    format!("sha256:{}", "0f".repeat(32))
}

#[test]
fn everybody_is_known_by_what_the_file_says() {
    let text = format!(
        "x-ops: &ops operator\n\
         rights:\n  \
           alice:\n    role: *ops\n    certificates: [\"cn:alice\", \"dns:A.example\"]\n    \
             users: [alice, 7]\n    tokens: [\"{}\"]\n  \
           staff: {{ role: viewer, groups: [netops, 60] }}\n  \
           left: {{ role: none, users: [prometheus] }}\n",
        digest()
    );
    let rights = parse(&text, &FakeAccounts).unwrap();
    let alice = &rights.identities["alice"];
    assert_eq!(alice.role, Role::Operator);
    let names = [CertificateName::Common("alice".into()), CertificateName::dns("a.example")];
    assert_eq!(alice.certificates, names.into());
    assert_eq!(alice.users, [7, 1000].into());
    assert_eq!(alice.tokens, [TokenDigest::parse(&digest()).unwrap()]);
    let staff = &rights.identities["staff"];
    assert_eq!((staff.role, &staff.groups), (Role::Viewer, &[50, 60].into()));
    assert_eq!(rights.identities["left"].role, Role::Nobody);
    assert_eq!(parse("rights: {}\n", &FakeAccounts).unwrap(), Rights::default());
}

#[test]
fn the_example_can_be_used() {
    let rights = parse(include_str!("../../../config/rights.yaml"), &FakeAccounts).unwrap();
    let roles: Vec<_> =
        rights.identities.iter().map(|(name, it)| (name.as_str(), it.role.as_str())).collect();
    let expected =
        [("alice", "operator"), ("dashboard", "viewer"), ("left-us", "none"), ("staff", "viewer")];
    assert_eq!(roles, expected);
}

/// A file in which one thing is wrong, and the one line that is said of it.
#[test]
fn every_fault_is_named_with_its_place_and_what_mends_it() {
    let twice = format!("a: {{ role: viewer, tokens: [\"{0}\", \"{0}\"] }}", digest());
    let cases = [
        ("a: { users: [7] }", "rights.a.role: is missing: give none, viewer, operator"),
        ("a: { role: admin, users: [7] }", "rights.a.role: \"admin\" is no role: give none, "),
        ("a: { role: viewer }", "rights.a: names nobody: give certificates, users, groups or "),
        ("\"a b\": { role: viewer, users: [7] }", "rights.\"a b\": is not a usable name: give"),
        (
            "a: { role: viewer, users: [7, bob] }",
            "rights.a.users[1]: there is no user \"bob\" in /etc/passwd: add it, or give a ",
        ),
        ("a: { role: viewer, groups: [staff] }", "rights.a.groups[0]: there is no group \"staff\""),
        (
            "a: { role: viewer, certificates: [alice] }",
            "rights.a.certificates[0]: \"alice\" is no name of a certificate: give the kind and ",
        ),
        (
            "a: { role: viewer, tokens: [maglev-secret] }",
            "rights.a.tokens[0]: is no digest of a token: give the SHA-256 of a token, sha256: ",
        ),
        (
            "a: { role: viewer, users: [7] }\n  b: { role: operator, users: [8, 7] }",
            "rights.b.users[1]: is given for rights.a as well: remove it from one of the two",
        ),
        ("a: { role: viewer, users: [1000, alice] }", "rights.a.users[1]: is given for rights.a"),
        (&*twice, "rights.a.tokens[1]: is given for rights.a as well"),
        ("a: { role: viewer, user: [7] }", "line 2, column 22: rights.a: unknown field `user`"),
        ("a: { role: viewer, users: 7 }", "line 2, column 29: rights.a.users: invalid type: "),
        ("a: { role: viewer, users: }", "line 2, column 22: rights.a.users: has nothing behind"),
    ];
    for (text, expected) in cases {
        let error = parse(&format!("rights:\n  {text}\n"), &FakeAccounts).unwrap_err();
        let said = error.to_string();
        assert!(said.starts_with(expected), "{text}\n{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(!said.contains("secret"), "a token is shown: {said}");
        let is_syntax = expected.starts_with("line ");
        assert_eq!(error.exit_code(), if is_syntax { 1 } else { 2 }, "{said}");
    }
    let error = parse("right: {}\n", &FakeAccounts).unwrap_err().to_string();
    assert!(error.contains("unknown field `right`, expected `rights`"), "{error}");
}

#[test]
fn all_faults_are_told_at_once() {
    let text = "rights:\n  a: { role: x, users: [bob] }\n  b: { role: viewer }\n";
    let said = parse(text, &FakeAccounts).unwrap_err().to_string();
    assert_eq!(said.lines().count(), 3, "{said}");
}

#[test]
fn a_file_that_is_not_there_is_told_by_its_flag() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("rights.yaml");
    let said = load(&path, &FakeAccounts).unwrap_err().to_string();
    assert!(said.starts_with("cannot be read: No such file"), "{said}");
    assert!(said.ends_with("give the right file with --rights"), "{said}");
    std::fs::write(&path, "rights: {}\n").unwrap();
    assert_eq!(load(&path, &FakeAccounts).unwrap(), Rights::default());
    std::fs::write(&path, "rights: {}").unwrap();
    let said = load(&path, &FakeAccounts).unwrap_err().to_string();
    assert!(said.contains("may be cut off"), "{said}");
}
