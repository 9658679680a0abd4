//! The layers of ARCHITECTURE.md: which modules of the project each may name,
//! and which foreign crates.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::layer_table::{LAYERS, Layer};
use super::purity::{ACTS, impure};
use super::source::{Import, Named, Source, files, is_of_tests, read};
use super::tree::crates;

/// Files of the root, which are of no layer.
const ROOT: [&str; 2] = ["src/lib.rs", "src/pb.rs"];

impl Layer {
    fn of(path: &Path) -> Option<&'static Self> {
        let within = |layer: &&Self| {
            let folder = Path::new("src").join(layer.folder);
            path.starts_with(&folder) || path == folder.with_extension("rs")
        };
        LAYERS.iter().find(within)
    }

    /// What the path of a module of this layer must not name.
    fn forbids(&self, path: &[String], foreign: &BTreeSet<String>) -> Option<String> {
        let own = self.folder.replace('/', "::");
        let is_own = |module: &str| module == own || self.modules.contains(&module);
        match path.first().map(String::as_str) {
            // The root names the build, which is everybody's.
            Some("crate") => {
                let names: Vec<_> = path.iter().skip(1).take(2).map(String::as_str).collect();
                let module = match names.as_slice() {
                    ["api", "views"] => Some("api::views"),
                    names => names.first().copied(),
                };
                module.filter(|name| *name != "VERSION" && !is_own(name)).map(str::to_owned)
            }
            Some(name) if foreign.contains(name) && !self.crates.contains(&name) => {
                Some(name.to_owned())
            }
            Some("std" | "core" | "alloc") if self.folder == "domain" => impure(&path[1..]),
            _ => None,
        }
    }
}

/// The foreign crates that the package depends on, as they are named in code.
fn dependencies() -> BTreeSet<String> {
    let manifest = read(Path::new("Cargo.toml"));
    let section = manifest.split("\n[dependencies]\n").nth(1).unwrap();
    let lines = section.lines().take_while(|line| !line.starts_with('['));
    let names = lines.filter_map(|line| line.split_once(" = "));
    names.map(|(name, _)| name.replace('-', "_")).collect()
}

/// A path in code, from where its first name was imported.
fn imported(path: &[String], imports: &[Import]) -> Vec<String> {
    let import = imports.iter().find(|import| import.alias == path[0]);
    let found = import.filter(|import| import.named.path[0] != path[0]);
    found.map_or(path.to_vec(), |import| [&import.named.path, &path[1..]].concat())
}

/// A path of the module `at` from the library's root, if it is of the library.
fn absolute(at: &[String], path: &[String], is_library: bool) -> Vec<String> {
    let ups = path.iter().take_while(|name| *name == "super").count();
    match path[0].as_str() {
        "super" if is_library && ups <= at.len() => {
            let own = &at[..at.len() - ups];
            [&["crate".to_owned()], own, &path[ups..]].concat()
        }
        "super" | "self" => vec!["self".into()],
        // A program's own.
        "crate" if !is_library => vec!["self".into()],
        "vpp_maglev" => [&["crate".to_owned()], &path[1..]].concat(),
        _ => path.to_vec(),
    }
}

#[test]
fn every_layer_keeps_to_its_row() {
    let foreign = dependencies();
    assert!(foreign.contains("actix"), "the manifest is not understood");
    let (mut broken, mut seen) = (String::new(), 0);
    for of in crates() {
        let is_library = of.modules().any(|(_, module)| module.file == Path::new("src/lib.rs"));
        for (at, module) in of.modules() {
            let Some(layer) = Layer::of(&module.file) else { continue };
            if is_of_tests(&module.file) {
                continue;
            }
            let Source { imports, paths, calls, .. } = &module.source;
            let (file, folder) = (module.file.display(), layer.folder);
            for Named { path, line, in_tests } in imports.iter().map(|it| &it.named).chain(paths) {
                seen += 1;
                let path = absolute(at, &imported(path, imports), is_library);
                if let Some(name) = layer.forbids(&path, &foreign).filter(|_| !in_tests) {
                    writeln!(broken, "{file}:{line}: {folder} must not use {name}").unwrap();
                }
            }
            let acts = |call: &&Named| ACTS.contains(&call.path[0].as_str()) && !call.in_tests;
            for call in calls.iter().filter(acts).filter(|_| folder == "domain") {
                let (line, name) = (call.line, &call.path[0]);
                writeln!(broken, "{file}:{line}: {folder} must not call {name}").unwrap();
            }
        }
    }
    assert!(seen > 1000, "no source was found");
    assert!(broken.is_empty(), "layers are broken:\n{broken}");
}

#[test]
fn every_file_is_of_a_layer_and_layers_name_those_below_them() {
    for path in files("src") {
        let known = Layer::of(&path).is_some() || ROOT.map(PathBuf::from).contains(&path);
        assert!(known, "{} is in no row of the table", path.display());
    }
    for (place, layer) in LAYERS.iter().enumerate() {
        for module in layer.modules {
            let folder = module.replace("::", "/");
            let below = LAYERS[..place].iter().any(|below| below.folder == folder);
            assert!(below || *module == "pb", "{module} is not below {}", layer.folder);
        }
    }
}

#[test]
fn a_row_forbids_what_it_does_not_name() {
    let foreign = BTreeSet::from(["tonic".to_owned(), "ipnet".to_owned()]);
    let names = |text: &str| -> Vec<String> { text.split("::").map(str::to_owned).collect() };
    let at = names("domain::health");
    for (path, forbidden) in [
        ("crate::domain::names", None),
        ("crate::actors::Outbox", Some("actors")),
        ("super::super::actors::Outbox", Some("actors")),
        ("super::names", None),
        ("tonic::Status", Some("tonic")),
        ("ipnet::IpNet", None),
        ("std::time::Instant::now", Some("time::Instant::now")),
        ("std::time::Instant", None),
        ("std::collections::HashMap", Some("collections::HashMap")),
        ("std::fs", Some("fs")),
        ("core::strange", Some("strange")),
    ] {
        let path = absolute(&at, &names(path), true);
        assert_eq!(LAYERS[0].forbids(&path, &foreign).as_deref(), forbidden, "{path:?}");
    }
    let program = LAYERS.last().unwrap();
    for (path, forbidden) in [
        ("vpp_maglev::cli::run", None),
        ("vpp_maglev::actors::Outbox", Some("actors")),
        ("crate::flags", None),
    ] {
        let path = absolute(&[], &names(path), false);
        assert_eq!(program.forbids(&path, &foreign).as_deref(), forbidden, "{path:?}");
    }
}
