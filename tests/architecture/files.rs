//! The shape of source files: one idea each, and what it is for comes first.

use std::collections::BTreeSet;

use super::source::{files, read};

/// A longer file is two ideas.
const LONGEST: usize = 350;

/// Files that are not so yet. It is exact: one that is mended is to be deleted
/// here.
const KNOWN: &[&str] = &[
    "src/domain/balancing/weights/tests.rs",
    "src/domain/controller/tests.rs",
    "src/domain/dataplane/plan/tests.rs",
    "src/domain/health/tests.rs",
    "src/domain/reconcile/tests/harness.rs",
];

#[test]
fn source_files_are_one_idea_long_and_begin_with_what_they_are_for() {
    let found: BTreeSet<String> = ["src", "tests", "benches"]
        .map(files)
        .concat()
        .iter()
        .filter_map(|path| {
            let text = read(path);
            let lines = text.lines().count();
            let has_header = text.starts_with("//! ");
            (lines > LONGEST || !has_header).then(|| path.to_str().unwrap().to_owned())
        })
        .collect();
    let known: BTreeSet<String> = KNOWN.iter().map(|&path| path.to_owned()).collect();
    let new: Vec<_> = found.difference(&known).collect();
    let mended: Vec<_> = known.difference(&found).collect();
    assert!(
        new.is_empty() && mended.is_empty(),
        "longer than {LONGEST} lines, or without a module comment: {new:#?}\n\
         delete from KNOWN, they are mended: {mended:#?}"
    );
}
