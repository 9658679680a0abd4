//! The modules of the library and of each program, and what a path in one of
//! them means: the file that defines the item which the path names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::source::{Import, Source, files, read};

/// The modules of one crate.
pub(crate) struct Crate {
    /// By its names from the crate's root.
    modules: BTreeMap<Vec<String>, Module>,
}

pub(crate) struct Module {
    pub(crate) file: PathBuf,
    pub(crate) source: Source,
}

/// What a path means.
#[derive(Debug, PartialEq)]
enum Meaning {
    Module(Vec<String>),
    /// Something that this module's file defines.
    Item(Vec<String>),
    /// Nothing of this crate.
    Foreign,
}

/// Re-exports of re-exports that are gone through.
const FAR: usize = 8;

/// The library, and the programs in `src/bin`.
pub(crate) fn crates() -> Vec<Crate> {
    let sources = files("src");
    let bins = sources.iter().filter(|path| {
        let parts: Vec<_> = path.iter().collect();
        parts[1] == "bin" && (parts.len() == 3 || path.ends_with("main.rs"))
    });
    let library = PathBuf::from("src/lib.rs");
    std::iter::once(&library).chain(bins).map(|root| Crate::at(root)).collect()
}

impl Crate {
    fn at(root: &Path) -> Self {
        let mut modules = BTreeMap::new();
        add(&mut modules, Vec::new(), root, root.parent().unwrap());
        Self { modules }
    }

    pub(crate) fn modules(&self) -> impl Iterator<Item = (&Vec<String>, &Module)> {
        self.modules.iter()
    }

    /// The file of the item that `path` means in the module `at`.
    pub(crate) fn file_of(&self, at: &[String], path: &[String]) -> Option<&Path> {
        match self.meaning(at, path, FAR) {
            Meaning::Item(module) => Some(&self.modules[&module].file),
            Meaning::Module(_) | Meaning::Foreign => None,
        }
    }

    /// Where the names are defined that `path`, which ends with `*`, brings.
    pub(crate) fn glob(&self, at: &[String], path: &[String], name: &str) -> Option<&Path> {
        let [head @ .., _] = path else { return None };
        let Meaning::Module(module) = self.meaning(at, head, FAR) else { return None };
        match self.in_module(&module, name, FAR)? {
            Meaning::Item(module) => Some(&self.modules[&module].file),
            Meaning::Module(_) | Meaning::Foreign => None,
        }
    }

    fn meaning(&self, at: &[String], path: &[String], far: usize) -> Meaning {
        let mut module = at.to_vec();
        let mut rest = path;
        while let Some((first, after)) = rest.split_first() {
            match first.as_str() {
                "crate" => module.clear(),
                "self" => {}
                "super" if !module.is_empty() => drop(module.pop()),
                _ => break,
            }
            rest = after;
        }
        let is_relative = rest.len() == path.len();
        for (place, name) in rest.iter().enumerate() {
            let child = [&module[..], std::slice::from_ref(name)].concat();
            if self.modules.contains_key(&child) {
                module = child;
                continue;
            }
            return match self.in_module(&module, name, far) {
                Some(Meaning::Module(target)) => {
                    let absolute = [&["crate".to_owned()], &target[..], &rest[place + 1..]];
                    self.meaning(&[], &absolute.concat(), far.saturating_sub(1))
                }
                Some(found) => found,
                None if place == 0 && is_relative => Meaning::Foreign,
                None => Meaning::Item(module),
            };
        }
        Meaning::Module(module)
    }

    /// What `name` is in this module: defined there, or imported into it.
    fn in_module(&self, module: &[String], name: &str, far: usize) -> Option<Meaning> {
        let source = &self.modules.get(module)?.source;
        if source.items.contains_key(name) {
            return Some(Meaning::Item(module.to_vec()));
        }
        if far == 0 {
            return None;
        }
        let imports = || source.imports.iter().filter(|import| !import.named.in_tests);
        let follow = |import: &Import| self.meaning(module, &import.named.path, far - 1);
        if let Some(import) = imports().find(|import| import.alias == name) {
            return Some(follow(import));
        }
        imports().filter(|import| import.alias == "*").find_map(|import| {
            let [head @ .., _] = &import.named.path[..] else { return None };
            let Meaning::Module(target) = self.meaning(module, head, far - 1) else { return None };
            if target == module { None } else { self.in_module(&target, name, far - 1) }
        })
    }
}

/// Adds the module in `file`, whose children are in `folder`, and these.
fn add(modules: &mut BTreeMap<Vec<String>, Module>, name: Vec<String>, file: &Path, folder: &Path) {
    let source = Source::of(&read(file));
    for child in &source.children {
        let (flat, nested) = (format!("{child}.rs"), format!("{child}/mod.rs"));
        let place = [flat, nested].map(|place| folder.join(place));
        if let Some(file) = place.iter().find(|file| super::source::root().join(file).exists()) {
            let name = [&name[..], std::slice::from_ref(child)].concat();
            add(modules, name, file, &folder.join(child));
        }
    }
    modules.insert(name, Module { file: file.to_owned(), source });
}

#[test]
fn every_source_file_is_a_module_of_one_crate() {
    let mut found: Vec<_> = crates()
        .iter()
        .flat_map(|of| of.modules().map(|(_, module)| module.file.clone()).collect::<Vec<_>>())
        .collect();
    found.sort();
    assert_eq!(found, files("src"));
}

#[test]
fn a_path_leads_to_the_file_that_defines_its_item() {
    let sources = [
        ("", "mod a; mod b;"),
        ("a", "mod c; pub use self::c::C; use crate::b; pub struct A;"),
        ("a::c", "use super::*; pub struct C;"),
        ("b", "pub use crate::a::*; pub fn f() {}"),
    ];
    let names = |text: &str| -> Vec<String> {
        text.split("::").filter(|name| !name.is_empty()).map(str::to_owned).collect()
    };
    let modules = sources.map(|(name, text)| {
        (names(name), Module { file: PathBuf::from(name), source: Source::of(text) })
    });
    let of = Crate { modules: modules.into() };
    for (at, path, file) in [
        ("b", "crate::a::C", Some("a::c")),
        ("b", "crate::a::c::C", Some("a::c")),
        ("", "b::C", Some("a::c")),
        ("", "a::A::new", Some("a")),
        ("a", "b::f", Some("b")),
        ("a::c", "super::A", Some("a")),
        ("a::c", "super::super::b::f", Some("b")),
        ("a", "crate::b", None),
        ("a", "std::fs::read", None),
    ] {
        let found = of.file_of(&names(at), &names(path));
        assert_eq!(found, file.map(Path::new), "{path} in {at}");
    }
    assert_eq!(of.glob(&names("a::c"), &names("super::*"), "A"), Some(Path::new("a")));
    assert_eq!(of.glob(&names("a::c"), &names("super::*"), "f"), None);
}
