//! ARCHITECTURE.md claims nothing that no test holds: each of its bold
//! invariants says "Held by" and names tests that there are.
//!
//! A test is named by its path, `daemon::life::vpp_may_come_late_and_restart`,
//! of which modules at the beginning may be left out; or by its module or its
//! file, when all that is there holds it. Several may follow one "Held by", and
//! one "Held by" may follow several claims of its paragraph.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use super::source::{Source, files, is_of_tests, read, root};

/// A bold invariant, and the tests that it names.
#[derive(Debug, PartialEq)]
struct Claim {
    text: String,
    tests: Vec<String>,
}

/// The claims of a document. The tests of one are named before the next claim
/// or, if that says nothing, with the next.
fn claims(document: &str) -> Vec<Claim> {
    let paragraphs = document.split("\n\n").map(|text| text.replace('\n', " "));
    let of_one = |text: String| {
        let mut claims: Vec<Claim> = text.split("**Invariant: ").skip(1).map(claim).collect();
        for place in (1..claims.len()).rev() {
            if claims[place - 1].tests.is_empty() {
                claims[place - 1].tests = claims[place].tests.clone();
            }
        }
        claims
    };
    paragraphs.flat_map(of_one).collect()
}

/// One claim, from behind its first word up to the next claim.
fn claim(text: &str) -> Claim {
    let (bold, rest) = text.split_once("**").unwrap_or((text, ""));
    let held = rest.split_once("Held by ").map_or("", |(_, held)| held);
    // Only what comes before the sentence ends.
    let held = held.split(". ").next().unwrap_or("");
    let tests = held.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    Claim { text: bold.to_owned(), tests }
}

/// The path of every test function: of the library from its root, of a test
/// program from its name.
fn tests() -> BTreeSet<String> {
    let sources = [files("src"), files("tests")].concat();
    let paths = sources.iter().flat_map(|path| {
        let module = module_path(path);
        let tests = Source::of(&read(path)).tests;
        // Within a file, tests are in a module of their own, or they are all of it.
        let inner = if path.starts_with("src") && !is_of_tests(path) {
            format!("{module}::tests")
        } else {
            module
        };
        tests.into_iter().map(move |test| format!("{inner}::{test}"))
    });
    paths.collect()
}

fn module_path(path: &Path) -> String {
    let mut parts: Vec<_> = path
        .with_extension("")
        .iter()
        .skip(1)
        .map(|part| part.to_str().unwrap().to_owned())
        .collect();
    if parts.last().is_some_and(|last| last == "mod" || last == "main") {
        parts.pop();
    }
    parts.join("::")
}

/// Whether there is what a claim names.
fn exists(named: &str, tests: &BTreeSet<String>) -> bool {
    if named.contains('/') {
        let path = root().join(named);
        let is_of_tests =
            |file: &PathBuf| read(file).contains("#[test]") || read(file).contains("::test]");
        return if path.is_dir() {
            files(named).iter().any(is_of_tests)
        } else {
            fs::exists(&path).unwrap() && is_of_tests(&PathBuf::from(named))
        };
    }
    let (inner, module) = (format!("::{named}"), format!("::{named}::"));
    tests
        .iter()
        .map(|test| format!("::{test}"))
        .any(|test| test.ends_with(&inner) || test.contains(&module))
}

#[test]
fn every_invariant_names_a_test_that_there_is() {
    let claims = claims(&read(Path::new("ARCHITECTURE.md")));
    assert!(claims.len() > 5, "the document is not understood");
    let tests = tests();
    assert!(tests.len() > 500, "tests are not found");
    let mut broken = String::new();
    for Claim { text, tests: named } in &claims {
        for name in named.iter().filter(|name| !exists(name, &tests)) {
            writeln!(broken, "{text:?} names a test that there is not: {name}").unwrap();
        }
        if named.is_empty() {
            writeln!(broken, "{text:?} names no test").unwrap();
        }
    }
    assert!(broken.is_empty(), "ARCHITECTURE.md claims what nothing holds:\n{broken}");
}

#[test]
fn claims_and_their_tests_are_found() {
    let text = "# A\n\n**Invariant: one\nholds.** Why: it must. Held by `a::b` and\n`tests/c`. \
                See `d`.\n\n**Invariant: two.** `e` says so. **Invariant: three.** Held by `f`.\n\n\
                **Invariant: four.** Nothing holds it.\n";
    let claim = |text: &str, tests: &[&str]| Claim {
        text: text.into(),
        tests: tests.iter().map(|&test| test.to_owned()).collect(),
    };
    let expected = [
        claim("one holds.", &["a::b", "tests/c"]),
        claim("two.", &["f"]),
        claim("three.", &["f"]),
        claim("four.", &[]),
    ];
    assert_eq!(claims(text), expected);
    let tests = tests();
    for named in [
        "claims::claims_and_their_tests_are_found",
        "architecture::claims",
        "architecture::claims::claims_and_their_tests_are_found",
        "tests/architecture",
        "tests/architecture/claims.rs",
    ] {
        assert!(exists(named, &tests), "{named}");
    }
    for named in ["a_test_that_there_is_not", "found", "claim", "tests/nothing", "docs/api.md"] {
        assert!(!exists(named, &tests), "{named}");
    }
}
