//! Who may make messages for VPP, held by reading the source: outside of
//! `src/vpp` nobody, and in its client one file. So a step is the only way to
//! write, and `vpp::client`'s types say to which VPP.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

fn source_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(source_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The lines of code in files of `folder` that `is_meant` and that have one of
/// `words`, tests and comments aside.
fn lines_with(
    folder: &str,
    is_meant: impl Fn(&Path) -> bool,
    words: &[&str],
) -> (usize, Vec<String>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut seen, mut found) = (0, Vec::new());
    for path in source_files(&root.join(folder)) {
        let name = path.strip_prefix(root).unwrap();
        let is_test = name.iter().any(|part| part == "tests" || part == "tests.rs");
        if is_test || !is_meant(name) {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        for line in text.lines().take_while(|line| *line != "mod tests {") {
            let code = line.split("//").next().unwrap();
            seen += 1;
            if words.iter().any(|word| code.contains(word)) {
                found.push(format!("{}: {}", name.display(), line.trim()));
            }
        }
    }
    (seen, found)
}

#[test]
fn nobody_else_names_vpps_messages_or_its_session() {
    let outside = |name: &Path| !name.starts_with("src/vpp");
    // Also in a list: `use crate::vpp::{client::VppClient, wire};`
    let words = ["vpp::wire", "vpp::session", "wire::", "session::Session"];
    let (seen, found) = lines_with("src", outside, &words);
    assert!(seen > 10_000, "no source was found");
    assert_eq!(found, [""; 0]);
}

#[test]
fn one_file_of_the_client_makes_calls() {
    let another = |name: &Path| !name.ends_with("calls.rs");
    let words = ["Encoded::new", "Encoded {", "CliInband {", "write_request", "write_frame"];
    let (seen, found) = lines_with("src/vpp/client", another, &words);
    assert!(seen > 500, "no source was found");
    assert_eq!(found, [""; 0]);
    let (_, made) = lines_with("src/vpp/client", |name| name.ends_with("calls.rs"), &words);
    assert_eq!(made.len(), 3, "a message, a line of the CLI, dumps: {made:#?}");
}
