//! Tests wait for events and conditions, and not for time to pass; those that
//! are threads of one process change nothing that belongs to the process.

use std::collections::BTreeMap;

use super::source::{files, read};
use super::tokens::tokens;

/// Where a thread may sleep or give up its turn, and why.
const PAUSES: &[(&str, &str)] = &[
    ("benches/daemon/bare.rs", "the pause between two writes is a part of the load"),
    ("benches/daemon/main.rs", "as long as is measured"),
    ("benches/fanout/readers.rs", "silence for a while is the end of the stream"),
    ("benches/lab/bed.rs", "as long as is watched, or as VPP is to be away"),
    ("benches/lab/drained.rs", "between two looks at a drain, with a deadline"),
    ("benches/lab/leaving.rs", "between two lines of a connection"),
    ("benches/lab/slow_start.rs", "between two looks at VPP's weights, with a deadline"),
    ("benches/probe-scale/main.rs", "as long as is measured"),
    ("benches/support/mod.rs", "between two looks at a condition, with a deadline"),
    ("tests/integration/probe/http.rs", "a turn for the reader between two pieces"),
    ("tests/integration/support/wait.rs", "between two looks at a condition, with a deadline"),
];

/// Functions that change what all threads of a process share.
const PROCESS_WIDE: [&str; 7] =
    ["set_var", "remove_var", "set_current_dir", "umask", "setrlimit", "set_hook", "sigaction"];

/// Where these functions are called, by file.
fn calls(folders: &[&str], functions: &[&str]) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for path in folders.iter().flat_map(|folder| files(folder)) {
        for pair in tokens(&read(&path)).windows(2) {
            if functions.contains(&pair[0].text.as_str()) && pair[1].is("(") {
                found.insert(path.to_str().unwrap().to_owned(), pair[0].line);
            }
        }
    }
    found
}

#[test]
fn no_test_waits_by_sleeping() {
    let found = calls(&["tests", "benches"], &["sleep", "yield_now"]);
    let is_known = |path: &String| PAUSES.iter().any(|(known, _)| known == path);
    let new: Vec<_> = found.iter().filter(|(path, _)| !is_known(path)).collect();
    assert!(new.is_empty(), "wait for an event, or use support::wait: {new:?}");
    for (path, why) in PAUSES {
        assert!(found.contains_key(*path) && !why.is_empty(), "{path} pauses no more");
    }
}

#[test]
fn tests_that_share_a_process_leave_it_as_it_is() {
    let found = calls(&["tests/integration"], &PROCESS_WIDE);
    assert!(found.is_empty(), "this takes a test program of its own: {found:?}");
}
