//! The tables and links of the documents, held against the code.

#[path = "../../src/bin/maglevd/flags.rs"]
#[allow(dead_code, unreachable_pub)]
mod flags;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::probe::skipped;
use crate::support::{ReadyDaemon, soon};
use clap::CommandFactory;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

/// The first cells of the rows of all tables that begin with a word in code.
fn rows(text: &str) -> impl Iterator<Item = Vec<&str>> {
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| row.split('|').skip(1).map(str::trim).collect())
}

fn code(cell: &str) -> &str {
    cell.trim_matches('`')
}

/// Flag, environment and default of everything that a program takes.
fn taken(command: &clap::Command) -> BTreeSet<[String; 3]> {
    let shown = command.get_arguments().filter(|argument| !argument.is_hide_set());
    let flags = shown.map(|argument| {
        let name = format!("--{}", argument.get_long().unwrap());
        let environment = argument.get_env().map(|name| name.to_str().unwrap().to_owned());
        let default = argument.get_default_values().first();
        let default = default.map(|value| value.to_str().unwrap().to_owned());
        // What is off unless given has no default to document.
        let default = default.filter(|value| value != "false").unwrap_or_default();
        [name, environment.unwrap_or_default(), default]
    });
    flags.filter(|[name, ..]| name != "--help" && name != "--version").collect()
}

#[test]
fn the_table_of_flags_is_that_of_the_program() {
    let text = read("docs/operations.md");
    let documented: BTreeSet<_> = rows(&text)
        .filter(|row| row[0].starts_with("`--"))
        .map(|row| [row[0], row[1], row[2]].map(|cell| code(cell).to_owned()))
        .collect();
    let taken = taken(&flags::Flags::command());
    assert!(taken.len() > 10, "the flags are not understood");
    let missing: Vec<_> = taken.difference(&documented).collect();
    let stale: Vec<_> = documented.difference(&taken).collect();
    assert_eq!((missing, stale), (vec![], vec![]), "missing and stale in docs/operations.md");
    let readme = read("README.md");
    for [name, ..] in &taken {
        assert!(readme.contains(&format!("`{name}")), "README.md has no {name}");
    }
}

#[test]
fn the_table_of_the_web_server_s_flags_is_that_of_the_program() {
    let text = read("docs/web.md");
    let documented: BTreeSet<_> = rows(&text)
        .filter(|row| row[0].starts_with("`--"))
        .map(|row| [row[0], row[1], row[2]].map(|cell| code(cell).to_owned()))
        .collect();
    let taken = taken(&vpp_maglev::web::WebOptions::command());
    assert!(taken.len() > 20, "the flags are not understood");
    let missing: Vec<_> = taken.difference(&documented).collect();
    let stale: Vec<_> = documented.difference(&taken).collect();
    assert_eq!((missing, stale), (vec![], vec![]), "missing and stale in docs/web.md");
}

#[test]
fn every_key_of_the_configuration_is_documented_and_no_other() {
    let source = read("src/config/raw.rs");
    let fields = source.lines().filter_map(|line| line.strip_prefix("    pub(super) "));
    let keys = fields.filter_map(|field| Some(field.split_once(": ")?.0.replace('_', "-")));
    // `type` is a word of the language.
    let keys: BTreeSet<_> =
        keys.map(|key| if key == "kind" { "type".to_owned() } else { key }).collect();
    let text = read("docs/configuration.md");
    let mut documented: BTreeSet<_> = rows(&text).map(|row| code(row[0]).to_owned()).collect();
    // The file's one key.
    documented.insert("maglev".into());
    assert!(keys.len() > 30, "the source is not understood");
    let missing: Vec<_> = keys.difference(&documented).collect();
    let stale: Vec<_> = documented.difference(&keys).collect();
    assert_eq!((missing, stale), (vec![], vec![]), "missing and stale in docs/configuration.md");
}

#[test]
fn every_alert_says_what_to_do_about_it() {
    let rules = read("packaging/prometheus/maglevd.rules.yml");
    let alerts: BTreeSet<_> =
        rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    let text = read("docs/operations.md");
    let documented = text.lines().filter(|line| line.starts_with("| Maglev"));
    let documented = documented.map(|row| row.split('|').nth(1).unwrap().trim());
    let documented: BTreeSet<_> = documented.flat_map(|names| names.split(", ")).collect();
    assert_eq!(alerts, documented);
}

/// The Markdown files of the project.
fn documents() -> Vec<PathBuf> {
    let of = |folder: &str| {
        let entries = std::fs::read_dir(root().join(folder)).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        let markdown = |path: &PathBuf| path.extension().is_some_and(|of| of == "md");
        paths.filter(markdown).collect::<Vec<_>>()
    };
    [of("."), of("docs")].concat()
}

#[test]
fn links_lead_somewhere() {
    let mut broken = Vec::new();
    for path in documents() {
        let text = std::fs::read_to_string(&path).unwrap();
        for link in text.split("](").skip(1) {
            let target = link.split([')', '#']).next().unwrap();
            let foreign = target.is_empty() || target.contains("://");
            if !foreign && !path.with_file_name(target).exists() {
                broken.push(format!("{}: {target}", path.display()));
            }
        }
    }
    assert_eq!(broken, Vec::<String>::new());
}

#[test]
fn the_packages_have_the_version_of_the_program() {
    let first = read("packaging/debian/changelog").lines().next().unwrap().to_owned();
    let version = env!("CARGO_PKG_VERSION");
    assert!(first.starts_with(&format!("vpp-maglev ({version}-1) ")), "{first}");
}

#[tokio::test]
async fn the_python_client_of_the_guide_follows_the_daemon() {
    let imports = ["-c", "import grpc, grpc_reflection.v1alpha"];
    let found = Command::new("python3").args(imports).output();
    if !found.is_ok_and(|output| output.status.success()) {
        let why = "python3 with grpcio and grpcio-reflection is not here";
        assert!(std::env::var_os("MAGLEV_TEST_GRPCIO").is_none(), "{why}");
        return skipped(why);
    }
    let system = ReadyDaemon::start().await;
    let mut client = Command::new("python3");
    client.arg(root().join("docs/examples/watch.py")).arg(system.daemon.address());
    let mut client = client.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(client.stdout.take().unwrap()).lines().map_while(Result::ok);
    // On a thread of its own: the dataplane that the daemon uses is on this one.
    let printed = tokio::task::spawn_blocking(move || lines.take(5).collect::<Vec<_>>());
    let printed = soon(printed).await;
    client.kill().unwrap();
    client.wait().unwrap();
    let printed = printed.expect("in time").unwrap();
    for (line, name) in printed.iter().zip(["backend a", "backend b", "backend c"]) {
        assert!(line.starts_with(&format!("{name}: up -> up")), "{printed:?}");
    }
    assert!(printed[3].starts_with("frontend v4: up -> up"), "{printed:?}");
    system.daemon.terminate().await;
}
