//! Trees of YAML as text, and the places of what is refused.

use std::fmt::Write;

use super::load::{MAX_DEPTH, MAX_VALUES, load};
use super::node::{YamlNode, YamlValue};
use super::read;
use crate::config::raw::RawFile;

/// The tree in one line: strings in quotes, what is plain without.
fn shown(node: &YamlNode<'_>) -> String {
    match &node.value {
        YamlValue::Scalar(it) if it.is_plain => it.text.to_string(),
        YamlValue::Scalar(it) => format!("{:?}", it.text),
        YamlValue::Sequence(items) => {
            format!("[{}]", items.iter().map(|item| shown(item)).collect::<Vec<_>>().join(" "))
        }
        YamlValue::Mapping(entries) => {
            let entry = |entry: &super::node::YamlEntry<'_>| {
                format!("{}:{}", entry.key, shown(&entry.value))
            };
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(" "))
        }
    }
}

fn tree(text: &str) -> String {
    load(text).map_or_else(|error| format!("! {error}"), |root| shown(&root))
}

/// The error with its place.
fn refused(text: &str) -> String {
    let Err(error) = read::<RawFile>(text) else { panic!("{text:?} is read") };
    error.to_string()
}

#[test]
fn merge_keys_follow_the_rules_of_their_type() {
    for (text, expected) in [
        // One source; what stands beside it wins, before and after it.
        ("a: &a {k: 1, l: 2}\nb: {<<: *a, k: 3}", "{a:{k:1 l:2} b:{k:3 l:2}}"),
        ("a: &a {k: 1, l: 2}\nb: {k: 3, <<: *a}", "{a:{k:1 l:2} b:{k:3 l:2}}"),
        // Of several the first wins.
        (
            "a: &a {k: 1}\nb: &b {k: 2, l: 2}\nc: {<<: [*a, *b]}",
            "{a:{k:1} b:{k:2 l:2} c:{k:1 l:2}}",
        ),
        (
            "a: &a {k: 1}\nb: &b {k: 2, l: 2}\nc: {<<: [*b, *a]}",
            "{a:{k:1} b:{k:2 l:2} c:{k:2 l:2}}",
        ),
        // A source that merges by itself.
        ("a: &a {k: 1}\nb: &b {<<: *a, l: 2}\nc: {<<: *b}", "{a:{k:1} b:{l:2 k:1} c:{l:2 k:1}}"),
        // Without an alias, in block style, and not deep.
        ("a:\n  <<: {k: {x: 1}}\n  k: {y: 2}", "{a:{k:{y:2}}}"),
        ("a: &a\n  k: 1\nb:\n  <<: *a\n", "{a:{k:1} b:{k:1}}"),
        ("<<: {k: 1}\nl: 2", "{l:2 k:1}"),
        ("a: {<<: []}", "{a:{}}"),
        // In quotes it is a key like any other.
        ("a: {\"<<\": {k: 1}}", "{a:{<<:{k:1}}}"),
        (
            "a: {<<: 1}",
            "! a.<<: takes a mapping, or a list of mappings: give an alias such as *base",
        ),
        (
            "a: {<<: [1]}",
            "! a.<<: takes a mapping, or a list of mappings: give an alias such as *base",
        ),
        ("a: {<<: }", "! a.<<: has nothing behind it: give an alias such as *base"),
        ("a: {<<: {}, <<: {}}", "! a: the key \"<<\" is given twice: remove one"),
    ] {
        assert_eq!(tree(text), expected, "{text}");
    }
}

#[test]
fn anchors_may_stand_under_keys_with_x() {
    for (text, expected) in [
        ("x-a: &a {k: 1}\nmaglev: {b: *a}", "{maglev:{b:{k:1}}}"),
        ("x-a: ~\nx-b:\nmaglev: {}", "{maglev:{}}"),
        // At the top alone.
        ("maglev: {x-a: 1}", "{maglev:{x-a:1}}"),
        ("x-a: 1\nx-a: 2", "! the key \"x-a\" is given twice: remove one"),
    ] {
        assert_eq!(tree(text), expected, "{text}");
    }
}

#[test]
fn aliases_tags_and_quotes_are_what_they_are_in_yaml() {
    for (text, expected) in [
        ("a: &x 1\nb: [*x, *x]", "{a:1 b:[1 1]}"),
        ("&k a: 1\nb: *k", "{a:1 b:a}"),
        ("a: 'yes'\nb: \"1\"\nc: |\n  x\n", "{a:\"yes\" b:\"1\" c:\"x\\n\"}"),
        (
            "a: !!str 1\nb: !!int '1'\nc: ! 1\nd: !!map {}\ne: !!seq []",
            "{a:\"1\" b:1 c:\"1\" d:{} e:[]}",
        ),
        ("\u{feff}a: 1", "{a:1}"),
        ("%YAML 1.1\n---\na: 1\n...\n", "{a:1}"),
        ("a: !x 1", "! a: the YAML tag !x means nothing here: remove it"),
        ("a: !!set {}", "! a: the YAML tag !!set means nothing here: remove it"),
        ("a: &a [*a]", "! a[0]: an alias cannot stand inside its own anchor"),
        ("? [a]\n: 1", "! a key must be one word, not a mapping or a list"),
        ("a: {b: 1, b: 2}", "! a: the key \"b\" is given twice: remove one"),
        ("a: [{}, {b: 1, 'b': 2}]", "! a[1]: the key \"b\" is given twice: remove one"),
    ] {
        assert_eq!(tree(text), expected, "{text}");
    }
    assert!(tree("a: *x").starts_with('!'));
}

#[test]
fn a_fault_has_the_place_of_what_is_wrong() {
    for (text, expected) in [
        // What is merged has its own place, and the path of where it is used.
        (
            "x-a: &a\n  nabled: true\nmaglev:\n  backends:\n    b: {<<: *a}\n",
            "line 2, column 3: maglev.backends.b: unknown field `nabled`, expected one of \
             `address`, `resolve`, `healthcheck`, `port`, `enabled`",
        ),
        (
            "x-a: &a { enabled: 7 }\nmaglev:\n  backends:\n    b: {<<: *a}\n",
            "line 1, column 20: maglev.backends.b.enabled: invalid type: integer `7`, expected a boolean",
        ),
        (
            "maglev:\n  backends:\n    b:\n      healthcheck:\n",
            "line 4, column 7: maglev.backends.b.healthcheck: has nothing behind it: \
             give a value, or remove the key",
        ),
        (
            "maglev:\n  healthchecker:\n    nameservers:\n      - 192.0.2.1\n      -\n",
            "line 5, column 8: maglev.healthchecker.nameservers[1]: is blank: \
             give a value, or remove the item",
        ),
        (
            "maglev: {}\n\0",
            "line 2, column 1: the control character '\\0' cannot stand in YAML: remove it",
        ),
        ("maglev: 7\n", "line 1, column 9: maglev: invalid type: integer `7`, expected a mapping"),
        (
            "maglev: {backends: {b: {}}, backends: {}}\n",
            "line 1, column 29: maglev: the key \"backends\" is given twice: remove one",
        ),
    ] {
        assert_eq!(refused(text), expected, "{text}");
    }
}

#[test]
fn nesting_has_a_bound() {
    let at_most = MAX_DEPTH - 2;
    for (open, close) in [("[", "]"), ("{a: ", "}")] {
        let nested = |depth: usize| {
            format!("x-a: {}1{}\nmaglev: {{}}\n", open.repeat(depth), close.repeat(depth))
        };
        assert_eq!(tree(&nested(at_most)), "{maglev:{}}");
        assert!(tree(&nested(at_most + 1)).starts_with("! values stand in each other"));
        // Refused at the bound, and not after all of it was read.
        assert!(tree(&nested(100_000)).starts_with('!'));
    }
    let block = |depth: usize| {
        let mut text = String::new();
        for level in 0..depth {
            writeln!(text, "{}a:", " ".repeat(level)).unwrap();
        }
        text
    };
    assert!(tree(&block(at_most + 5)).starts_with("! values stand in each other"));
    assert!(tree(&"- ".repeat(100_000)).starts_with("! values stand in each other"));
    assert!(tree(&"? ".repeat(100_000)).starts_with("! values stand in each other"));
    // Through aliases, of which each is shallow in the text.
    let mut text = String::from("x-a0: &a0 []\n");
    for level in 1..100 {
        writeln!(text, "x-a{level}: &a{level} [*a{}]", level - 1).unwrap();
    }
    assert!(tree(&text).starts_with("! values stand in each other"));
}

#[test]
fn what_aliases_repeat_has_a_bound() {
    let mut text = String::from("x-a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n");
    let mut merging = String::from("x-a0: &a0 {k: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]}\n");
    for level in 1..10 {
        let ten = vec![format!("*a{}", level - 1); 10].join(", ");
        writeln!(text, "x-a{level}: &a{level} [{ten}]").unwrap();
        writeln!(merging, "x-a{level}: &a{level} {{k: [{ten}], <<: [{ten}]}}").unwrap();
    }
    let message = format!("! the file has more than {MAX_VALUES} values");
    for text in [text, merging] {
        assert!(tree(&text).starts_with(&message), "{}", tree(&text));
    }
}
