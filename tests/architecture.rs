//! The layers of ARCHITECTURE.md, held by reading the source: which module may
//! name which other, and which crates each may use.

#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// A folder of `src`, the project's modules and the foreign crates that it may
/// name. `std` and `core` go without saying.
struct Layer {
    folder: &'static str,
    modules: &'static [&'static str],
    crates: &'static [&'static str],
}

const LAYERS: &[Layer] = &[
    Layer { folder: "domain", modules: &["domain"], crates: &["thiserror", "ipnet"] },
    Layer {
        folder: "config",
        modules: &["config", "domain"],
        crates: &["thiserror", "ipnet", "serde", "serde_yaml", "regex", "tokio"],
    },
    Layer {
        folder: "host",
        modules: &["host", "domain"],
        crates: &[
            "actix",
            "tokio",
            "tracing",
            "tracing_subscriber",
            "clap",
            "serde",
            "serde_json",
            "rustix",
            "libc",
        ],
    },
    Layer {
        folder: "probe",
        modules: &["probe", "domain"],
        crates: &[
            "thiserror",
            "tokio",
            "surge_ping",
            "tokio_native_tls",
            "hickory_resolver",
            "httparse",
            "regex",
            "socket2",
            "rustix",
            "libc",
            "fastrand",
        ],
    },
    Layer {
        folder: "vpp",
        modules: &["vpp", "domain"],
        crates: &["thiserror", "ipnet", "tokio", "tracing", "rustix", "fastrand"],
    },
    Layer {
        folder: "actors",
        modules: &["actors", "config", "domain", "host", "probe", "vpp"],
        crates: &[
            "thiserror",
            "tokio",
            "tracing",
            "tracing_subscriber",
            "actix",
            "actix_rt",
            "fastrand",
        ],
    },
    Layer {
        folder: "api",
        modules: &["api", "actors", "config", "domain", "pb"],
        crates: &[
            "thiserror",
            "tokio",
            "tokio_stream",
            "tokio_rustls",
            "tracing",
            "rustix",
            "socket2",
            "actix",
            "axum",
            "prost",
            "tonic",
            "tonic_health",
            "tonic_prost",
            "tonic_reflection",
        ],
    },
    Layer {
        folder: "cli",
        modules: &["cli", "pb"],
        crates: &[
            "thiserror",
            "tokio",
            "tokio_stream",
            "tonic",
            "serde_json",
            "rustix",
            "clap",
            "rustyline",
            "crossterm",
            "ratatui",
            "strsim",
        ],
    },
];

/// What `domain` must not learn by itself: it is told.
const CLOCKS: &[&str] =
    &["Instant::now", "SystemTime::now", "thread::sleep", "std::fs", "TcpStream"];

/// Source files are 350 lines at most; a longer one is two ideas.
const LONGEST: usize = 350;

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

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Lines with the code that ships: comments, and everything from a test module
/// or in a file of tests, left out.
fn shipped(path: &Path) -> Vec<(usize, String)> {
    let name = path.file_name().unwrap_or_default();
    if name == "tests.rs" || path.components().any(|part| part.as_os_str() == "tests") {
        return Vec::new();
    }
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().take_while(|line| *line != "mod tests {").enumerate();
    let code = |line: &str| line.split("//").next().unwrap_or_default().to_owned();
    lines.map(|(number, line)| (number + 1, code(line))).collect()
}

/// The foreign crates that the package depends on, as they are named in code.
fn dependencies() -> Vec<String> {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let section = manifest.split("\n[dependencies]\n").nth(1).unwrap();
    let lines = section.lines().take_while(|line| !line.starts_with('['));
    lines
        .filter_map(|line| line.split_once(" = "))
        .map(|(name, _)| name.replace('-', "_"))
        .collect()
}

/// The names that stand before `::` in a line: `a` and `b` of `a::x(b::y)`.
fn paths_begun(line: &str) -> Vec<&str> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let mut names = Vec::new();
    for (at, _) in line.match_indices("::") {
        let head = &line[..at];
        let start = head.rfind(|c| !is_name(c)).map_or(0, |before| before + 1);
        if !head[..start].ends_with("::") {
            names.push(&head[start..]);
        }
    }
    names
}

/// The modules of this package that a line names: `x` of `crate::x`.
fn modules_named(line: &str) -> Vec<&str> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices("crate::")
        .map(|(at, begun)| {
            let rest = &line[at + begun.len()..];
            &rest[..rest.find(|c| !is_name(c)).unwrap_or(rest.len())]
        })
        .filter(|name| !name.is_empty())
        .collect()
}

#[test]
fn every_layer_keeps_to_its_row() {
    let foreign = dependencies();
    assert!(foreign.iter().any(|name| name == "actix"), "the manifest is not understood");
    let mut broken = String::new();
    let mut seen = 0;
    for layer in LAYERS {
        for path in source_files(&root().join("src").join(layer.folder)) {
            for (number, line) in shipped(&path) {
                // The root names the build, which is everybody's.
                let module = |name: &&str| *name != "VERSION" && !layer.modules.contains(name);
                let named = modules_named(&line).into_iter().filter(module);
                let krate = |name: &&str| {
                    foreign.iter().any(|known| known == name) && !layer.crates.contains(name)
                };
                let used = paths_begun(&line).into_iter().filter(krate);
                let clocks = CLOCKS.iter().copied();
                let clocks =
                    clocks.filter(|clock| layer.folder == "domain" && line.contains(clock));
                seen += 1;
                for name in named.chain(used).chain(clocks) {
                    let path = path.strip_prefix(root()).unwrap().display();
                    writeln!(broken, "{path}:{number}: {} must not use {name}", layer.folder)
                        .unwrap();
                }
            }
        }
    }
    assert!(seen > 1000, "no source was found");
    assert!(broken.is_empty(), "layers are broken:\n{broken}");
}

#[test]
fn every_folder_is_a_layer() {
    for entry in fs::read_dir(root().join("src")).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let known = LAYERS.iter().any(|layer| layer.folder == name) || name == "bin";
        assert!(known || entry.path().is_file(), "src/{name} is in no row of the table");
    }
}

#[test]
fn source_files_are_one_idea_long() {
    let mut long = String::new();
    for path in source_files(&root().join("src")) {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        if lines > LONGEST {
            let path = path.strip_prefix(root()).unwrap().display();
            writeln!(long, "{path}: {lines} lines").unwrap();
        }
    }
    assert!(long.is_empty(), "longer than {LONGEST} lines:\n{long}");
}

#[test]
fn every_source_file_says_what_it_is_for() {
    for path in source_files(&root().join("src")) {
        if path.file_name().is_some_and(|name| name == "tests.rs") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("//! "), "{} has no module comment", path.display());
    }
}

#[test]
fn the_reader_of_source_is_not_fooled() {
    assert_eq!(paths_begun("use tonic::{Request, Status};"), ["tonic"]);
    assert_eq!(paths_begun("let x = actix_rt::spawn(std::a::b);"), ["actix_rt", "std"]);
    assert_eq!(modules_named("use crate::actors::Outbox;"), ["actors"]);
    assert_eq!(modules_named("crate::a::b(crate::c)"), ["a", "c"]);
}
