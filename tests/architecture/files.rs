//! The shape of source files: one idea each, and what it is for comes first.

use std::fmt::Write as _;

use super::source::{files, read};

/// A longer file is two ideas.
const LONGEST: usize = 350;

#[test]
fn source_files_are_one_idea_long_and_begin_with_what_they_are_for() {
    let mut broken = String::new();
    for path in ["src", "tests", "benches"].map(files).concat() {
        let (text, path) = (read(&path), path.display());
        let lines = text.lines().count();
        if lines > LONGEST {
            writeln!(broken, "{path}: {lines} lines are more than {LONGEST}").unwrap();
        }
        if !text.starts_with("//! ") {
            writeln!(broken, "{path} has no module comment").unwrap();
        }
    }
    assert!(broken.is_empty(), "{broken}");
}
