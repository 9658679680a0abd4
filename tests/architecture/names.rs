//! One word, one thing: a search for a type finds one.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::source::{Source, files, read};

/// Names that may be defined more than once, and why.
const ALLOWED: &[(&str, &str)] = &[];

#[test]
fn no_type_is_defined_twice() {
    assert!(ALLOWED.len() <= 5, "one word, one thing");
    let mut defined: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for path in files("src") {
        for (name, line) in Source::of(&read(&path)).types {
            defined.entry(name).or_default().push(format!("{}:{line}", path.display()));
        }
    }
    assert!(defined.len() > 300, "no types were found");
    let mut twice = String::new();
    for (name, places) in defined.iter().filter(|(_, places)| places.len() > 1) {
        if !ALLOWED.iter().any(|(allowed, _)| allowed == name) {
            writeln!(twice, "{name}: {}", places.join(", ")).unwrap();
        }
    }
    assert!(twice.is_empty(), "defined more than once:\n{twice}");
    for (name, why) in ALLOWED {
        let is_needed = defined.get(*name).is_some_and(|places| places.len() > 1);
        assert!(is_needed && !why.is_empty(), "{name} is defined once: delete it here");
    }
}
