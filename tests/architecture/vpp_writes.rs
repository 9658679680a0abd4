//! A step is the only way to write to VPP: outside of `src/vpp` nothing names its
//! messages or its session, and in its client one file makes calls of them. To
//! which VPP a message may go is held by types (`vpp::client::connection`).

use std::path::Path;

use super::source::{Source, files, is_of_tests, read};

/// The shipped paths of a file that `is_meant`, imports among them.
fn paths(file: &Path, is_meant: impl Fn(&[String]) -> bool) -> Vec<String> {
    let source = Source::of(&read(file));
    let imports = source.imports.into_iter().map(|import| import.named);
    imports
        .chain(source.paths)
        .filter(|named| !named.in_tests && is_meant(&named.path))
        .map(|named| format!("{}:{}: {}", file.display(), named.line, named.path.join("::")))
        .collect()
}

/// The files that ship, in the folder or outside of it.
fn shipped(folder: &str, inside: bool) -> Vec<std::path::PathBuf> {
    let mut files = files("src");
    files.retain(|file| !is_of_tests(file) && file.starts_with(folder) == inside);
    files
}

#[test]
fn nothing_outside_of_vpp_names_its_messages_or_its_session() {
    let is_inner = |path: &[String]| {
        let inner = |pair: &[String]| pair[0] == "vpp" && pair[1] == "session";
        path.iter().any(|name| name == "wire") || path.windows(2).any(inner)
    };
    let outside = shipped("src/vpp", false);
    assert!(outside.len() > 100, "no source was found");
    let named: Vec<_> = outside.iter().flat_map(|file| paths(file, is_inner)).collect();
    assert_eq!(named, [""; 0]);
    let inside = shipped("src/vpp", true);
    assert!(inside.iter().any(|file| !paths(file, is_inner).is_empty()), "none is ever found");
}

#[test]
fn one_file_of_the_client_makes_calls() {
    let makes = |path: &[String]| {
        let last = path.last().map_or("", String::as_str);
        ["Encoded", "CliInband", "write_request", "write_frame"].contains(&last)
            || path.iter().any(|name| name == "Encoded")
    };
    let mut files = shipped("src/vpp/client", true);
    // It only names the key of `cli_inband`.
    files.retain(|file| !file.ends_with("required_messages.rs"));
    let (calls, others): (Vec<_>, _) = files.iter().partition(|file| file.ends_with("calls.rs"));
    assert!(!paths(calls[0], makes).is_empty(), "{} makes them", calls[0].display());
    let made: Vec<_> = others.into_iter().flat_map(|file| paths(file, makes)).collect();
    assert_eq!(made, [""; 0]);
}
