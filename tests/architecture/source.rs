//! A source file as far as its architecture goes: the modules it declares, the
//! items it defines, what it imports, and the paths that its code names.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::tokens::{Token, tokens};

/// A path in code, and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Named {
    pub(crate) path: Vec<String>,
    pub(crate) line: usize,
    /// In a module of tests.
    pub(crate) in_tests: bool,
}

/// One name that a `use` brings into a module.
#[derive(Clone, Debug)]
pub(crate) struct Import {
    pub(crate) named: Named,
    /// What it is called here; `*` for all that there is.
    pub(crate) alias: String,
    /// Has a visibility of its own, so that others can import it from here.
    pub(crate) is_export: bool,
}

/// What is read of a file. A module inside it (`mod tests { … }`) counts as a
/// part of it.
#[derive(Debug, Default)]
pub(crate) struct Source {
    pub(crate) children: BTreeSet<String>,
    /// Items at the level of modules, by name, with their line.
    pub(crate) items: BTreeMap<String, usize>,
    /// Of these the types: structs, enums, traits and aliases.
    pub(crate) types: Vec<(String, usize)>,
    pub(crate) imports: Vec<Import>,
    /// Paths of two names and more, outside of imports; those in attributes, too.
    pub(crate) paths: Vec<Named>,
    /// Methods and macros that are called: `elapsed`, `println!`.
    pub(crate) calls: Vec<Named>,
    /// Names outside of imports and definitions that are used by themselves or
    /// begin a path, with their first line; lower-case ones if they are called.
    pub(crate) words: BTreeMap<String, usize>,
    /// Functions with an attribute that ends with `test`.
    pub(crate) tests: Vec<String>,
}

const TYPES: [&str; 4] = ["struct", "enum", "trait", "type"];
const OTHERS: [&str; 4] = ["fn", "const", "static", "macro_rules"];

impl Source {
    pub(crate) fn of(text: &str) -> Self {
        let mut parser = Parser { tokens: &tokens(text), at: 0, source: Self::default() };
        parser.module(0, false);
        parser.source
    }
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    source: Source,
}

impl Parser<'_> {
    fn peek(&self, ahead: usize) -> &str {
        self.tokens.get(self.at + ahead).map_or("", |token| &token.text)
    }

    fn line(&self) -> usize {
        self.tokens[self.at].line
    }

    /// Reads a module to its end; `inline` modules are around it.
    fn module(&mut self, inline: usize, in_tests: bool) {
        let (mut depth, mut is_export, mut is_test) = (0_usize, false, false);
        while self.at < self.tokens.len() {
            let word = self.peek(0).to_owned();
            match word.as_str() {
                "}" if depth == 0 && inline > 0 => return self.at += 1,
                "{" => depth += 1,
                "}" => depth = depth.saturating_sub(1),
                "#" if self.peek(1) == "[" || self.peek(2) == "[" => {
                    is_test |= self.attribute(inline, in_tests);
                    continue;
                }
                "use" if self.peek(1) != "<" => {
                    self.import(inline, in_tests, is_export);
                    is_export = false;
                    continue;
                }
                "mod" if depth == 0 => {
                    let name = self.peek(1).to_owned();
                    let opens = self.peek(2) == "{";
                    self.at += 3;
                    if opens {
                        self.module(inline + 1, in_tests || name == "tests");
                    } else if inline == 0 {
                        self.source.children.insert(name);
                    }
                    is_export = false;
                    continue;
                }
                "fn" => {
                    if std::mem::take(&mut is_test) {
                        self.source.tests.push(self.peek(1).to_owned());
                    }
                    self.item(depth, in_tests);
                    continue;
                }
                "pub" => is_export = true,
                "::" => {}
                _ if TYPES.contains(&word.as_str()) || OTHERS.contains(&word.as_str()) => {
                    self.item(depth, in_tests);
                    is_export = false;
                    continue;
                }
                _ if self.tokens[self.at].is_word() => {
                    self.path(inline, in_tests);
                    continue;
                }
                _ => {}
            }
            if !matches!(word.as_str(), "pub" | "(" | ")") {
                is_export = false;
            }
            self.at += 1;
        }
    }

    /// Passes an attribute; whether it marks a test.
    fn attribute(&mut self, inline: usize, in_tests: bool) -> bool {
        while self.peek(0) != "[" {
            self.at += 1;
        }
        let (mut depth, mut is_test) = (0, false);
        loop {
            match self.peek(0) {
                "[" | "(" => depth += 1,
                "]" | ")" => depth -= 1,
                _ if self.peek(1) == "::" && self.tokens[self.at].is_word() => {
                    self.path(inline, in_tests);
                    self.at -= 1;
                    is_test = depth == 1 && self.peek(0) == "test";
                }
                word if depth == 1 => is_test = word == "test",
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return is_test;
            }
        }
    }

    /// Passes the keyword of an item and its name.
    fn item(&mut self, depth: usize, in_tests: bool) {
        let keyword = self.peek(0).to_owned();
        self.at += 1;
        while matches!(self.peek(0), "!" | "mut") {
            self.at += 1;
        }
        // `const { … }` and `fn(…)` define nothing, `const fn` is yet to come.
        let is_keyword = matches!(self.peek(0), "fn" | "unsafe" | "extern" | "async");
        let Some(name) = self.tokens.get(self.at).filter(|token| token.is_word() && !is_keyword)
        else {
            return;
        };
        self.at += 1;
        // A `type` within something else belongs to a trait.
        if TYPES.contains(&keyword.as_str()) && (depth == 0 || keyword != "type") {
            self.source.types.push((name.text.clone(), name.line));
        }
        if depth == 0 && !in_tests {
            self.source.items.entry(name.text.clone()).or_insert(name.line);
        }
    }

    /// `use` and its tree.
    fn import(&mut self, inline: usize, in_tests: bool, is_export: bool) {
        self.at += 1;
        let prefix = Vec::new();
        let mut found = Vec::new();
        self.tree(&prefix, &mut found);
        for (path, alias, line) in found {
            let path = outside(&path, inline);
            if path.len() > 1 {
                let named = Named { path, line, in_tests };
                self.source.imports.push(Import { named, alias, is_export });
            }
        }
    }

    fn tree(&mut self, prefix: &[String], found: &mut Vec<(Vec<String>, String, usize)>) {
        let mut path = prefix.to_vec();
        let line = self.line();
        loop {
            match self.peek(0).to_owned().as_str() {
                "::" => self.at += 1,
                "{" => {
                    self.at += 1;
                    while self.peek(0) != "}" {
                        self.tree(&path, found);
                        if self.peek(0) == "," {
                            self.at += 1;
                        }
                    }
                    self.at += 1;
                    return;
                }
                "*" => {
                    self.at += 1;
                    path.push("*".into());
                    return found.push((path, "*".into(), line));
                }
                "as" => {
                    let alias = self.peek(1).to_owned();
                    self.at += 2;
                    return found.push((path, alias, line));
                }
                "self" if !path.is_empty() => self.at += 1,
                word if word.starts_with(|c: char| c.is_alphabetic() || c == '_') => {
                    path.push(word.to_owned());
                    self.at += 1;
                    let alias = path.last().unwrap().clone();
                    if !matches!(self.peek(0), "::" | "as") {
                        return found.push((path, alias, line));
                    }
                }
                _ => {
                    let alias = path.last().unwrap().clone();
                    return found.push((path, alias, line));
                }
            }
        }
    }

    /// A path in code, or a single name.
    fn path(&mut self, inline: usize, in_tests: bool) {
        let line = self.line();
        let follows_dot = self.at > 0 && self.tokens[self.at - 1].is(".");
        let mut path = vec![self.peek(0).to_owned()];
        self.at += 1;
        while self.peek(0) == "::"
            && self.tokens.get(self.at + 1).is_some_and(Token::is_word)
            && path.len() < 12
        {
            path.push(self.peek(1).to_owned());
            self.at += 2;
        }
        let suffix = if self.peek(0) == "!" { "!" } else { "" };
        if suffix == "!" || follows_dot && self.peek(0) == "(" {
            let path = vec![format!("{}{suffix}", path[path.len() - 1])];
            self.source.calls.push(Named { path, line, in_tests });
        }
        if follows_dot {
            return;
        }
        let first = &path[0];
        let is_used = path.len() > 1
            || matches!(self.peek(0), "(" | "::")
            || first.starts_with(char::is_uppercase);
        if is_used && !in_tests {
            self.source.words.entry(first.clone()).or_insert(line);
        }
        if path.len() > 1 {
            let path = outside(&path, inline);
            self.source.paths.push(Named { path, line, in_tests });
        }
    }
}

/// A path of an inline module, as it is from the file's own module.
fn outside(path: &[String], inline: usize) -> Vec<String> {
    let mut path = path.to_vec();
    for _ in 0..inline {
        if path.first().is_some_and(|first| first == "super") {
            path.remove(0);
            if path.first().is_none_or(|first| first != "super") {
                path.insert(0, "self".into());
            }
        }
    }
    path
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Rust files in a folder of the project, by their path from its root.
pub(crate) fn files(folder: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(root().join(folder)).unwrap() {
        let entry = entry.unwrap();
        let path = Path::new(folder).join(entry.file_name());
        if entry.path().is_dir() {
            files.extend(self::files(path.to_str().unwrap()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

pub(crate) fn read(path: &Path) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path:?}: {error}"))
}

/// Whether a file holds nothing but tests.
pub(crate) fn is_of_tests(path: &Path) -> bool {
    path.iter().any(|part| part == "tests" || part == "tests.rs")
}

#[test]
fn a_source_is_read_as_it_is_meant() {
    let source = Source::of(
        "mod a;\npub use a::{B, c::{self, D as E}};\nuse super::*;\nstruct F { g: a::H }\n\
         impl F { fn i() { crate::j::k(); type L = u8; struct Q; } }\n\
         #[t::u(v::w)]\npub const fn m() -> N { o(); p.q(); x!() }\n\
         #[cfg(test)]\nmod tests { use super::F; struct R; #[tokio::test]\nasync fn s() {} }\n",
    );
    assert_eq!(source.children, BTreeSet::from(["a".to_owned()]));
    assert_eq!(source.items.keys().collect::<Vec<_>>(), ["F", "m"]);
    let types: Vec<_> = source.types.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(types, ["F", "Q", "R"]);
    let imports = source.imports.iter();
    let imports: Vec<_> = imports
        .map(|import| (import.named.path.join("::"), import.alias.as_str(), import.is_export))
        .collect();
    let expected = [
        ("a::B", "B", true),
        ("a::c", "c", true),
        ("a::c::D", "E", true),
        ("super::*", "*", false),
        ("self::F", "F", false),
    ];
    assert_eq!(imports, expected.map(|(path, alias, export)| (path.to_owned(), alias, export)));
    let paths: Vec<_> = source.paths.iter().map(|named| named.path.join("::")).collect();
    assert_eq!(paths, ["a::H", "crate::j::k", "t::u", "v::w", "tokio::test"]);
    let calls: Vec<_> = source.calls.iter().flat_map(|named| named.path.clone()).collect();
    assert_eq!(calls, ["q", "x!"]);
    assert_eq!(source.words.keys().collect::<Vec<_>>(), ["F", "N", "a", "crate", "o", "t", "v"]);
    assert_eq!(source.tests, ["s"]);
}
