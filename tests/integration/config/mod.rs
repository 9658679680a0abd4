//! The configuration from the outside: the example files, a folder of files
//! with one fault or one warning each, and files broken at random.
//!
//! The first line of a file in `tests/data/config` is the message that it must
//! bring; everything else about it is data.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use vpp_maglev::config::{self, LoadError, Loaded};

mod announce;
mod bounds;
mod broken;
mod compatibility;
mod files;
mod fingerprint;
mod promises;
mod schema;

const EXAMPLE: &str = include_str!("../../../config/maglev.yaml");
const DEMO: &str = include_str!("../../../config/demo.yaml");
const PACKAGED: &str = include_str!("../../../packaging/debian/maglev.yaml");
const GUIDE: &str = include_str!("../../../docs/configuration.md");

#[test]
fn the_example_files_are_accepted_without_a_warning() {
    for (name, text) in [("config/maglev.yaml", EXAMPLE), ("config/demo.yaml", DEMO)] {
        let Loaded { config, warnings } = config::parse(text).expect(name);
        assert_eq!(warnings, [], "{name}");
        assert_eq!(broken::law(&config), None, "{name}");
        let loaded = config::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join(name));
        assert_eq!(loaded.expect(name).config, config, "{name}");
    }
}

#[test]
fn the_packaged_file_lacks_two_addresses_and_nothing_else() {
    let told = config::parse(PACKAGED).unwrap_err().to_string();
    let places: Vec<_> = told.lines().map(|line| line.split(": ").next().unwrap()).collect();
    assert_eq!(places, ["vpp.lb.ipv4-src-address", "vpp.lb.ipv6-src-address"], "{told}");
    let filled = PACKAGED.replace("#ipv", "ipv");
    assert!(config::parse(&filled).is_ok());
}

#[test]
fn the_example_shows_every_type_of_check() {
    let config = config::parse(EXAMPLE).unwrap().config;
    let types: BTreeSet<_> = config.checks.values().map(|check| check.kind.type_name()).collect();
    assert_eq!(types, ["dns", "grpc", "http", "https", "icmp", "tcp", "udp"].into());
}

#[test]
fn each_invalid_file_brings_its_message_alone() {
    for (path, text) in files("invalid") {
        let Err(error) = config::parse(&text) else { panic!("{} passes", path.display()) };
        assert_eq!(error.to_string(), first_line(&text), "{}", path.display());
        let syntax = path.file_name().unwrap().to_str().unwrap().starts_with("syntax-");
        assert_eq!(error.exit_code(), if syntax { 1 } else { 2 }, "{}", path.display());
    }
}

#[test]
fn each_warned_file_is_accepted_and_brings_its_warning_alone() {
    for (path, text) in files("warned") {
        let loaded = config::parse(&text);
        let Ok(Loaded { warnings, .. }) = loaded else { panic!("{}: {loaded:?}", path.display()) };
        let warnings: Vec<_> = warnings.iter().map(ToString::to_string).collect();
        assert_eq!(warnings, [first_line(&text)], "{}", path.display());
    }
}

#[test]
fn there_is_a_file_for_every_kind_of_fault_and_warning() {
    let mut found = String::new();
    for (_, text) in files("invalid") {
        if let Err(LoadError::Faults(faults)) = config::parse(&text) {
            found += &format!("{:?}\n", faults[0].problem);
        }
    }
    for (_, text) in files("warned") {
        found += &format!("{:?}\n", config::parse(&text).unwrap().warnings[0].kind);
    }
    found += &format!("{:?}\n", bounds::many_warnings().last().unwrap().kind);
    found += &files::faults().iter().map(|it| format!("{:?}\n", it.problem)).collect::<String>();
    let found: BTreeSet<_> = found.split(|c: char| !c.is_alphanumeric()).collect();
    for (source, name) in [
        (include_str!("../../../src/config/fault.rs"), "Problem"),
        (include_str!("../../../src/config/check_fault.rs"), "CheckProblem"),
        (include_str!("../../../src/config/fault.rs"), "AddressFlaw"),
        (include_str!("../../../src/domain/duration.rs"), "DurationError"),
        (include_str!("../../../src/config/warnings.rs"), "WarningKind"),
    ] {
        for variant in variants(source, name) {
            assert!(found.contains(variant), "no file brings {name}::{variant}");
        }
    }
}

/// The variants of a public enum, from its source as rustfmt writes it.
fn variants<'a>(source: &'a str, name: &str) -> Vec<&'a str> {
    let (_, rest) = source.split_once(&format!("pub enum {name} {{\n")).expect(name);
    let (body, _) = rest.split_once("\n}\n").expect(name);
    let variants: Vec<_> = body
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()))
        .map(|line| line.split(|c: char| !c.is_alphanumeric()).next().unwrap())
        .collect();
    assert!(variants.len() >= 5, "{name} was not read: {variants:?}");
    variants
}

#[test]
fn all_faults_of_a_file_are_told_at_once_with_their_places() {
    let text = DEMO
        .replace("timeout: 500ms", "timeout: 500")
        .replace("address: 127.0.1.3", "address: 127.0.1.300")
        .replacen("backup: {}", "nginx9: {}", 1);
    let error = config::parse(&text).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    let message = error.to_string();
    let places: Vec<_> = message.lines().map(|line| line.split(": ").next().unwrap()).collect();
    assert_eq!(
        places,
        [
            "healthchecks.demo.timeout",
            "backends.nginx2.address",
            "frontends.web.pools[1].backends.nginx9"
        ],
        "{message}"
    );
}

#[test]
fn a_frontend_with_a_fault_is_still_compared_with_the_others() {
    let text = DEMO.replace("2001:db8::80", "192.0.2.80").replace("weight: 50", "weight: 500");
    let message = config::parse(&text).unwrap_err().to_string();
    assert_eq!(message.lines().filter(|line| line.contains("500 is out of range")).count(), 2);
    assert!(message.contains("frontends.web6: 192.0.2.80/32 tcp/80 is the VIP of frontend web"));
}

#[test]
fn a_slip_in_the_yaml_is_told_with_line_and_column() {
    let text = DEMO.replace("interval: 1s", "intreval: 1s");
    let line = 1 + text.lines().position(|line| line.contains("intreval")).unwrap();
    let error = config::parse(&text).unwrap_err();
    assert_eq!(error.exit_code(), 1);
    assert!(error.to_string().starts_with(&format!("line {line}, column 7: ")), "{error}");
}

#[test]
fn a_file_that_cannot_be_read_is_told_from_one_with_faults() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("no-such.yaml");
    let error = config::load(&path).unwrap_err();
    assert_eq!(error.exit_code(), 1);
    assert!(error.to_string().starts_with("cannot be read: No such file"), "{error}");
    fs::write(&path, b"maglev: {} # \xff").unwrap();
    assert!(matches!(config::load(&path), Err(LoadError::Unreadable { .. })));
}

#[test]
fn the_order_of_a_files_names_means_nothing() {
    let lines: Vec<_> = DEMO.lines().collect();
    let first = lines.iter().position(|line| line.starts_with("    nginx0:")).unwrap();
    let mut turned = lines.clone();
    turned[first..first + 4].reverse();
    assert_ne!(lines, turned);
    assert_eq!(config::parse(DEMO).unwrap(), config::parse(&turned.join("\n")).unwrap());
}

#[test]
fn the_guide_writes_out_the_defaults() {
    let blocks: Vec<_> = GUIDE
        .split("```yaml\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .filter(|block| block.starts_with("maglev:"))
        .collect();
    let [short, long] = blocks[..] else { panic!("two whole files, not {}", blocks.len()) };
    let (short, long) = (config::parse(short).unwrap(), config::parse(long).unwrap());
    assert_eq!(short, long);
    assert_eq!(short.warnings, []);
}

#[test]
fn the_guide_has_a_row_for_every_key_and_no_other() {
    for (section, file) in schema::SECTIONS {
        let known = schema::keys(file);
        let heading = format!("\n## `{section}`\n");
        let (_, rest) = GUIDE.split_once(&heading).unwrap_or_else(|| panic!("no {heading:?}"));
        let rows: BTreeSet<_> = rest
            .split("\n## ")
            .next()
            .unwrap()
            .lines()
            .filter_map(|line| line.strip_prefix("| `"))
            .map(|line| line.split('`').next().unwrap().to_owned())
            .collect();
        assert_eq!(rows, known, "{section}");
    }
}

fn files(folder: &str) -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/config").join(folder);
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), fs::read_to_string(path).unwrap()))
        .collect();
    files.sort();
    assert!(files.len() >= 5, "{} is nearly empty", folder.display());
    files
}

fn first_line(text: &str) -> &str {
    text.lines().next().and_then(|line| line.strip_prefix("# ")).expect("a line `# message`")
}
