//! No circle of files.
//!
//! A file *uses* another when it names an item which the other defines: by a
//! `use`, by a path in its code, or by a name that a `*` brought. Whether the
//! name was reached through re-exports does not matter, and neither does
//! declaring a module or re-exporting from it: what counts is whose item it is
//! in the end. So a `mod.rs` that declares and re-exports uses none, and a
//! file may take a type from its parent, unless the parent names what that file
//! defines. A parent that re-exports an item and uses it as well does both.
//!
//! Tests use what they test and what it uses, and no code uses them: modules of
//! tests inside a file are left out, and files of tests are files like others.
//!
//! What a text does not show stays unseen: methods that are called on a value
//! whose type is not named, and items that macros define.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::source::Import;
use super::tree::{Crate, crates};

/// For each file, the files that it uses: the line, and the name on it.
type Uses = BTreeMap<PathBuf, BTreeMap<PathBuf, (usize, String)>>;

fn uses(of: &Crate) -> Uses {
    let mut uses = Uses::new();
    for (at, module) in of.modules() {
        let source = &module.source;
        let mut named: Vec<(&Path, usize, String)> = Vec::new();
        let is_used = |import: &&Import| {
            !import.named.in_tests
                && (!import.is_export || source.words.contains_key(&import.alias))
        };
        for Import { named: import, alias, .. } in source.imports.iter().filter(is_used) {
            if alias == "*" {
                for (word, line) in &source.words {
                    let own = source.items.contains_key(word);
                    if let Some(file) = of.glob(at, &import.path, word).filter(|_| !own) {
                        named.push((file, *line, word.clone()));
                    }
                }
            } else if let Some(file) = of.file_of(at, &import.path) {
                named.push((file, import.line, import.path.join("::")));
            }
        }
        for path in source.paths.iter().filter(|path| !path.in_tests) {
            if let Some(file) = of.file_of(at, &path.path) {
                named.push((file, path.line, path.path.join("::")));
            }
        }
        let used = uses.entry(module.file.clone()).or_default();
        for (file, line, name) in named {
            if file != module.file {
                used.entry(file.to_owned()).or_insert((line, name));
            }
        }
    }
    uses
}

/// Every file that can be reached from `start`, with the one before it on a
/// shortest way.
fn reached<'a>(uses: &'a Uses, start: &'a Path) -> BTreeMap<&'a Path, &'a Path> {
    let mut before = BTreeMap::new();
    let mut open = vec![start];
    while !open.is_empty() {
        let mut next = Vec::new();
        for from in open {
            for to in uses.get(from).into_iter().flat_map(BTreeMap::keys) {
                if !before.contains_key(to.as_path()) {
                    before.insert(to.as_path(), from);
                    next.push(to.as_path());
                }
            }
        }
        open = next;
    }
    before
}

/// The sets of files each of which leads to every other.
fn circles(uses: &Uses) -> BTreeSet<Vec<&Path>> {
    let reach: BTreeMap<_, _> =
        uses.keys().map(|file| (file.as_path(), reached(uses, file))).collect();
    let in_one = |file: &&Path| reach[file].contains_key(file);
    let circle = |file: &Path| {
        let back = |other: &&Path| reach.get(other).is_some_and(|way| way.contains_key(file));
        reach[file].keys().copied().filter(back).collect()
    };
    reach.keys().copied().filter(in_one).map(circle).collect()
}

/// A shortest way around through each file, with the lines that make it.
fn around(uses: &Uses, circle: &[&Path]) -> String {
    let mut text = String::new();
    let mut shown = BTreeSet::new();
    for &start in circle {
        let before = reached(uses, start);
        let (mut way, mut at) = (vec![start], before[start]);
        while at != start {
            way.push(at);
            at = before[at];
        }
        way.push(start);
        way.reverse();
        let files: BTreeSet<_> = way.iter().copied().collect();
        if !shown.insert(files) {
            continue;
        }
        writeln!(text, "  around:").unwrap();
        for pair in way.windows(2) {
            let (line, name) = &uses[pair[0]][pair[1]];
            let [from, to] = [pair[0], pair[1]].map(Path::display);
            writeln!(text, "    {from}:{line}: {name}, of {to}").unwrap();
        }
    }
    text
}

#[test]
fn there_is_no_circle_of_files() {
    let mut found = String::new();
    for of in crates() {
        let uses = uses(&of);
        for circle in circles(&uses) {
            writeln!(found, "{circle:?}\n{}", around(&uses, &circle)).unwrap();
        }
    }
    assert!(found.is_empty(), "circles of files:\n{found}");
}

#[test]
fn circles_are_found_and_named() {
    let uses_of = |pairs: &[(&str, &str)]| {
        let mut uses = Uses::new();
        for (from, to) in pairs {
            uses.entry(to.into()).or_default();
            uses.entry(from.into()).or_default().insert(to.into(), (7, format!("crate::{to}")));
        }
        uses
    };
    let none = uses_of(&[("a", "b"), ("b", "c"), ("a", "c")]);
    assert!(circles(&none).is_empty());
    let one = uses_of(&[("a", "b"), ("b", "c"), ("c", "b"), ("c", "d")]);
    let found: Vec<_> = circles(&one).into_iter().collect();
    assert_eq!(found, [[Path::new("b"), Path::new("c")]]);
    let text = around(&one, &found[0]);
    assert_eq!(text, "  around:\n    b:7: crate::c, of c\n    c:7: crate::b, of b\n");
}
