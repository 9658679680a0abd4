//! ARCHITECTURE.md claims nothing that no test holds: each of its bold
//! invariants says "Held by" and names tests that there are.
//!
//! A test is named by its path, `daemon::life::vpp_may_come_late_and_restart`,
//! of which modules at the beginning may be left out; or by its file or folder,
//! `tests/architecture`, when all that is there holds it. Several may follow one
//! "Held by".

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::source::{Source, files, read, root};

/// Claims that no test holds yet, by how they begin. It is exact: one that is
/// held is to be deleted here.
const KNOWN: &[&str] = &[
    "`domain` never learns the time",
    "no lock holds state that two actors share",
    "no message that matters is dropped",
    "a stale answer is recognised by an id",
    "a panic ends the process",
    "nothing is planned from what was not read",
    "the daemon writes nothing on a restart",
];

/// A bold invariant, and the tests that it names.
#[derive(Debug, PartialEq)]
struct Claim {
    text: String,
    tests: Vec<String>,
}

/// The claims of a document. One ends where the next begins, or with its
/// paragraph.
fn claims(document: &str) -> Vec<Claim> {
    let paragraphs = document.split("\n\n").map(|text| text.replace('\n', " "));
    let of_one = |text: String| {
        let claims = text.split("**Invariant: ").skip(1).map(|claim| {
            let (bold, rest) = claim.split_once("**").unwrap_or((claim, ""));
            let held = rest.split_once("Held by ").map_or("", |(_, held)| held);
            // Only what comes before the sentence ends.
            let held = held.split(". ").next().unwrap_or("");
            let tests = held.split('`').skip(1).step_by(2).map(str::to_owned).collect();
            Claim { text: bold.to_owned(), tests }
        });
        claims.collect::<Vec<_>>()
    };
    paragraphs.flat_map(of_one).collect()
}

/// The path of every test function: of the library from its root, of a test
/// program from its name.
fn tests() -> BTreeSet<String> {
    let sources = [files("src"), files("tests")].concat();
    let paths = sources.iter().flat_map(|path| {
        let module = module_path(path);
        let tests = Source::of(&read(path)).tests;
        // Within a file, tests are in a module of their own, or they are all of it.
        let inner = if path.starts_with("src") && !path.iter().any(|part| part == "tests") {
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
    tests.contains(named) || tests.iter().any(|test| test.ends_with(&format!("::{named}")))
}

#[test]
fn every_invariant_names_a_test_that_there_is() {
    let claims = claims(&read(Path::new("ARCHITECTURE.md")));
    assert!(claims.len() > 5, "the document is not understood");
    let tests = tests();
    assert!(tests.len() > 500, "tests are not found");
    let mut unheld = Vec::new();
    for Claim { text, tests: named } in &claims {
        let gone: Vec<_> = named.iter().filter(|name| !exists(name, &tests)).collect();
        assert!(gone.is_empty(), "{text:?} names tests that there are not: {gone:?}");
        if named.is_empty() {
            unheld.push(text.as_str());
        }
    }
    let is_known = |text: &&&str| KNOWN.iter().any(|known| text.starts_with(known));
    let new: Vec<_> = unheld.iter().filter(|text| !is_known(text)).collect();
    assert!(new.is_empty(), "nothing is said to hold these: {new:#?}");
    let held = KNOWN.iter().filter(|known| !unheld.iter().any(|text| text.starts_with(**known)));
    let held: Vec<_> = held.collect();
    assert!(held.is_empty(), "delete from KNOWN, they are held or gone: {held:#?}");
}

#[test]
fn claims_and_their_tests_are_found() {
    let text = "# A\n\n**Invariant: one\nholds.** Why: it must. Held by `a::b` and\n`tests/c`. \
                See `d`.\n\n**Invariant: two.** `e` says so. **Invariant: three.** Held by `f`.\n";
    let claim = |text: &str, tests: &[&str]| Claim {
        text: text.into(),
        tests: tests.iter().map(|&test| test.to_owned()).collect(),
    };
    let expected =
        [claim("one holds.", &["a::b", "tests/c"]), claim("two.", &[]), claim("three.", &["f"])];
    assert_eq!(claims(text), expected);
    let tests = tests();
    for named in [
        "claims::claims_and_their_tests_are_found",
        "architecture::claims::claims_and_their_tests_are_found",
        "tests/architecture",
        "tests/architecture/claims.rs",
    ] {
        assert!(exists(named, &tests), "{named}");
    }
    for named in ["a_test_that_there_is_not", "found", "tests/nothing", "docs/api.md"] {
        assert!(!exists(named, &tests), "{named}");
    }
}
