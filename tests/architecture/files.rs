//! The shape of source files: one idea each, and what it is for comes first.

use std::collections::BTreeSet;

use super::source::{files, read};

/// A longer file is two ideas.
const LONGEST: usize = 350;

/// Files that are not so yet. It is exact: one that is mended is to be deleted
/// here.
const KNOWN: &[&str] = &[];

#[test]
fn source_files_are_one_idea_long_and_begin_with_what_they_are_for() {
    let found: BTreeSet<String> = ["src", "tests", "benches"]
        .map(files)
        .concat()
        .iter()
        .filter_map(|path| {
            let text = read(path);
            let lines = text.lines().count();
            let is_told = text.starts_with("//! ");
            (lines > LONGEST || !is_told).then(|| path.to_str().unwrap().to_owned())
        })
        .collect();
    let known: BTreeSet<String> = KNOWN.iter().map(|&path| path.to_owned()).collect();
    let new: Vec<_> = found.difference(&known).collect();
    assert!(new.is_empty(), "longer than {LONGEST} lines, or without a module comment: {new:#?}");
    let mended: Vec<_> = known.difference(&found).collect();
    assert!(mended.is_empty(), "delete from KNOWN, they are mended: {mended:#?}");
}
