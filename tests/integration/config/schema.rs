//! Every key of the schema: what becomes of it without a value.

use std::collections::BTreeSet;

use vpp_maglev::config::{self, LoadError};

/// The sections of the guide, each with a file whose one open place, `? :`, is for a
/// key of it.
pub(crate) const SECTIONS: [(&str, &str); 18] = [
    ("maglev", "maglev: { ? : }"),
    ("healthchecker", "maglev: { healthchecker: { ? : } }"),
    ("vpp", "maglev: { vpp: { ? : } }"),
    ("vpp.lb", "maglev: { vpp: { lb: { ? : } } }"),
    ("announce", "maglev: { announce: { ? : } }"),
    ("announce.netlink", "maglev: { announce: { netlink: { ? : } } }"),
    ("announce.gobgp", "maglev: { announce: { gobgp: { ? : } } }"),
    ("announce.bird", "maglev: { announce: { bird: { ? : } } }"),
    ("healthchecks.NAME", "maglev: { healthchecks: { a: { ? : } } }"),
    ("healthchecks.NAME.params", "maglev: { healthchecks: { a: { params: { ? : } } } }"),
    (
        "healthchecks.NAME.params.steps[]",
        "maglev: { healthchecks: { a: { params: { steps: [ { ? : } ] } } } }",
    ),
    (
        "healthchecks.NAME.params.response-header",
        "maglev: { healthchecks: { a: { params: { response-header: { ? : } } } } }",
    ),
    (
        "healthchecks.NAME.flap-damping",
        "maglev: { healthchecks: { a: { flap-damping: { ? : } } } }",
    ),
    ("backends.NAME", "maglev: { backends: { a: { ? : } } }"),
    ("frontends.NAME", "maglev: { frontends: { a: { ? : } } }"),
    ("frontends.NAME.announce", "maglev: { frontends: { a: { announce: { ? : } } } }"),
    ("frontends.NAME.pools[]", "maglev: { frontends: { a: { pools: [ { ? : } ] } } }"),
    (
        "frontends.NAME.pools[].backends.NAME",
        "maglev: { frontends: { a: { pools: [ { backends: { b: { ? : } } } ] } } }",
    ),
];

/// The keys of a section: the schema says which ones it has when it is given one that
/// it has not.
pub(crate) fn keys(file: &str) -> BTreeSet<String> {
    let error = config::parse(&file.replace("? :", "no-such-key: 1")).unwrap_err();
    let message = error.to_string();
    let (_, known) = message.split_once("`no-such-key`, expected ").unwrap();
    known.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn refused_as_blank(text: &str, path: &str) {
    let error = config::parse(text).unwrap_err();
    let LoadError::Syntax { message, .. } = &error else { panic!("{text}: {error}") };
    let expected = format!("{path}: has nothing behind it: give a value, or remove the key");
    assert_eq!(*message, expected, "{text}");
}

#[test]
fn a_key_without_a_value_is_a_fault_whichever_it_is() {
    let mut tried = BTreeSet::new();
    for (section, file) in SECTIONS {
        let path = section.replacen("pools[].backends.NAME", "pools[0].backends.b", 1);
        let path = path.replace("NAME", "a").replace("[]", "[0]");
        let path = if section == "maglev" { path } else { format!("maglev.{path}") };
        for key in keys(file) {
            for blank in ["", " ~", " null", " !!null \"\""] {
                let text = file.replace("? :", &format!("{key}:{blank} "));
                refused_as_blank(&text, &format!("{path}.{key}"));
            }
            tried.insert(key);
        }
    }
    let source = include_str!("../../../src/config/raw.rs");
    let fields = source.lines().filter_map(|line| line.strip_prefix("    pub(super) "));
    let fields = fields.filter_map(|field| Some(field.split_once(": ")?.0.replace('_', "-")));
    // The file's one key is tried below, and `type` is a word of the language.
    let fields: BTreeSet<_> = fields
        .filter(|field| field != "maglev")
        .map(|field| if field == "kind" { "type".to_owned() } else { field })
        .collect();
    assert_eq!(tried, fields);
}

#[test]
fn a_name_without_a_value_is_a_fault_wherever_it_stands() {
    for (path, text) in [
        ("maglev", "maglev:"),
        ("maglev.healthchecks.a", "maglev: { healthchecks: { a: } }"),
        ("maglev.backends.a", "maglev: { backends: { a } }"),
        ("maglev.frontends.a", "maglev: { frontends: { a: ~ } }"),
        (
            "maglev.frontends.a.pools[0].backends.b",
            "maglev: { frontends: { a: { pools: [ { backends: { b } } ] } } }",
        ),
        // Merged in, it is blank all the same.
        (
            "maglev.backends.a.healthcheck",
            "x-b: &b {healthcheck: }\nmaglev: {backends: {a: {<<: *b}}}",
        ),
    ] {
        refused_as_blank(text, path);
    }
    for (path, text) in [
        ("maglev.frontends.a.pools[1]", "maglev: { frontends: { a: { pools: [ {}, ~ ] } } }"),
        (
            "maglev.healthchecker.nameservers[0]",
            "maglev: { healthchecker: { nameservers: [ null ] } }",
        ),
    ] {
        let message = config::parse(text).unwrap_err().to_string();
        assert!(message.contains(&format!("{path}: is blank: give a value")), "{message}");
    }
}

#[test]
fn an_empty_value_that_is_written_out_is_none() {
    let lb = "vpp: { lb: { ipv4-src-address: 192.0.2.1, ipv6-src-address: 2001:db8::1 } }";
    let empty = "healthchecker: { nameservers: [] }, healthchecks: {}, backends: {}, frontends: {}";
    let loaded = config::parse(&format!("maglev: {{ {lb}, {empty} }}\n")).unwrap();
    assert_eq!(loaded, config::parse(&format!("maglev: {{ {lb} }}\n")).unwrap());
}
