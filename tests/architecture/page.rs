//! The modules of the page: small, without circles, with their decisions apart from the
//! document, and without anything that makes text into markup or asks other hosts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::source::{read, root};

const PAGE: &str = "src/web/page";
const LONGEST: usize = 350;

/// Those that decide: they name neither the document nor the clock, chance or the network.
const PURE: [&str; 7] = [
    "actions/catalog.js",
    "format.js",
    "route.js",
    "state",
    "tree.js",
    "window.js",
    "views/health_check.js",
];
const IMPURE: [&str; 12] = [
    "document",
    "globalThis",
    "localStorage",
    "location",
    "history",
    "fetch",
    "EventSource",
    "setTimeout",
    "setInterval",
    "requestAnimationFrame",
    "performance",
    "Math.random",
];

/// What would make text into markup or code, with a word of why in the error.
const MARKUP: [&str; 9] = [
    "innerHTML",
    "outerHTML",
    "insertAdjacentHTML",
    "document.write",
    "eval(",
    "new Function",
    "createContextualFragment",
    "DOMParser",
    "setHTML",
];

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root().join(folder)).unwrap() {
        let path = folder.join(entry.unwrap().file_name());
        if root().join(&path).is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Text files of the page with what is in them.
fn sources() -> Vec<(PathBuf, String)> {
    let read = |path: PathBuf| {
        let text = read(&path);
        (path.strip_prefix(PAGE).unwrap().to_owned(), text)
    };
    files(Path::new(PAGE)).into_iter().map(read).collect()
}

fn modules() -> Vec<(PathBuf, String)> {
    let is_module = |path: &Path| path.extension().is_some_and(|extension| extension == "js");
    sources().into_iter().filter(|(path, _)| is_module(path)).collect()
}

/// The modules that each one imports, by their path in the page.
fn imports() -> BTreeMap<PathBuf, BTreeSet<PathBuf>> {
    let imported = |path: &Path, text: &str| {
        let lines = text
            .lines()
            .filter_map(|line| line.split_once(" from \"./").or(line.split_once(" from \"../")));
        let up = |line: &str| line.contains(" from \"../");
        text.lines()
            .filter(|line| line.contains(" from \"."))
            .zip(lines)
            .map(|(line, (_, rest))| {
                let folder = path.parent().unwrap();
                let folder = if up(line) { folder.parent().unwrap() } else { folder };
                folder.join(rest.split('"').next().unwrap())
            })
            .collect()
    };
    modules().iter().map(|(path, text)| (path.clone(), imported(path, text))).collect()
}

#[test]
fn modules_of_the_page_are_one_idea_long_and_begin_with_what_they_are_for() {
    let mut broken = Vec::new();
    for (path, text) in sources() {
        let begins = match path.extension().unwrap().to_str().unwrap() {
            "js" => text.starts_with("// "),
            "css" => text.starts_with("/* "),
            _ => true,
        };
        if !begins || text.lines().count() > LONGEST {
            broken.push(path);
        }
    }
    assert!(broken.is_empty(), "too long, or without a first comment: {broken:?}");
}

#[test]
fn modules_of_the_page_import_each_other_without_circles() {
    let mut imports = imports();
    assert!(imports.len() > 20 && imports.values().map(BTreeSet::len).sum::<usize>() > 40);
    for (path, imported) in &imports {
        let missing: Vec<_> = imported.iter().filter(|it| !imports.contains_key(*it)).collect();
        assert!(missing.is_empty(), "{path:?} imports {missing:?}, which are not there");
    }
    // What imports nothing that is left cannot be in a circle.
    loop {
        let done: Vec<_> =
            imports.iter().filter(|(_, of)| of.is_empty()).map(|(path, _)| path.clone()).collect();
        if done.is_empty() {
            break;
        }
        for path in done {
            imports.remove(&path);
            for imported in imports.values_mut() {
                imported.remove(&path);
            }
        }
    }
    assert!(imports.is_empty(), "a circle is in {:?}", imports.keys());
}

#[test]
fn what_decides_in_the_page_knows_no_document_no_clock_and_no_network() {
    let imports = imports();
    let is_pure = |path: &Path| PURE.iter().any(|pure| path.starts_with(pure));
    for (path, text) in modules().iter().filter(|(path, _)| is_pure(path)) {
        let code: Vec<_> = text.lines().map(|line| line.split("//").next().unwrap()).collect();
        let code: String =
            code.into_iter().filter(|line| !line.trim_start().starts_with(['*', '/'])).collect();
        let words: BTreeSet<_> = code.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        let named: Vec<_> = IMPURE
            .iter()
            .filter(|word| words.contains(*word) || code.contains("Math.random"))
            .collect();
        assert!(named.is_empty(), "{path:?} names {named:?}");
        let outside: Vec<_> = imports[path].iter().filter(|it| !is_pure(it)).collect();
        assert!(outside.is_empty(), "{path:?} imports {outside:?}");
    }
}

#[test]
fn the_page_makes_no_text_into_markup_and_asks_no_other_host() {
    for (path, text) in sources() {
        let found: Vec<_> = MARKUP.iter().filter(|word| text.contains(*word)).collect();
        assert!(found.is_empty(), "{path:?} has {found:?}: put text in as text");
        let namespaces = ["http://www.w3.org/2000/svg"];
        let addresses = text.match_indices("://").map(|(at, _)| {
            let from = text[..at].rfind(|c: char| !c.is_ascii_lowercase()).map_or(0, |at| at + 1);
            text[from..].split(['"', '\'', ' ', ')', '<']).next().unwrap()
        });
        let foreign: Vec<_> = addresses.filter(|address| !namespaces.contains(address)).collect();
        assert!(foreign.is_empty(), "{path:?} names {foreign:?}");
        if path.extension().is_some_and(|extension| extension == "html") {
            let inline =
                text.contains(" style=") || text.contains("<style") || text.contains(" onclick=");
            assert!(
                !inline
                    && text.matches("<script").count()
                        == text.matches("<script src=\"./").count()
                            + text.matches("<script type=\"module\" src=\"./").count(),
                "{path:?} has a script or a style of its own"
            );
        }
    }
}
