//! What is shipped beside the binaries, judged by those it is for: systemd and
//! Prometheus. What is not installed is skipped, and said; `MAGLEV_TEST_PEERS` makes that
//! a failure.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::support::probe::missing;

fn packaging(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging").join(path)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(packaging(path)).unwrap()
}

/// Both outputs as one text.
fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text)).concat()
}

/// Runs a program; `None`, and a line that says so, if there is none.
fn run(program: &str, package: &str, arguments: &[&str]) -> Option<Output> {
    match Command::new(program).args(arguments).env("SYSTEMD_LOG_COLOR", "0").output() {
        Ok(output) => Some(output),
        Err(error) => {
            missing(&format!("{program} cannot be run: {error} (Debian package {package})"));
            None
        }
    }
}

/// The unit in a directory of its own, with the built maglevd for the installed
/// one, and these of its drop-ins.
fn unit(drop_ins: &[&str]) -> (tempfile::TempDir, String) {
    let built = env!("CARGO_BIN_EXE_maglevd");
    unit_of("vpp-maglevd.service", "/usr/sbin/maglevd", built, drop_ins)
}

fn web_unit() -> (tempfile::TempDir, String) {
    let built = env!("CARGO_BIN_EXE_maglev-web");
    unit_of("vpp-maglev-web.service", "/usr/bin/maglev-web", built, &[])
}

fn unit_of(
    name: &str,
    installed: &str,
    built: &str,
    drop_ins: &[&str],
) -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let text = read(&format!("systemd/{name}"));
    let installed = format!("={installed}");
    assert!(text.contains(&format!("ExecStart{installed}\n")), "{text}");
    let text = text.replace(&installed, &format!("={built}"));
    let path = dir.path().join(name);
    std::fs::write(&path, text).unwrap();
    let folder = dir.path().join(format!("{name}.d"));
    std::fs::create_dir(&folder).unwrap();
    for name in drop_ins {
        std::fs::copy(packaging("systemd").join(name), folder.join(name)).unwrap();
    }
    let path = path.to_str().unwrap().to_owned();
    (dir, path)
}

#[test]
fn systemd_finds_nothing_wrong_with_the_units() {
    let drop_ins: [&[&str]; 6] = [
        &[],
        &["netns.conf"],
        &["before-253.conf"],
        &["announce-netlink.conf", "netns.conf"],
        &["announce-bird.conf"],
        &["announce-netlink.conf", "announce-withdraw.conf"],
    ];
    for (_dir, path) in drop_ins.map(unit).into_iter().chain([web_unit()]) {
        let arguments = ["verify", "--man=no", &path];
        let Some(output) = run("systemd-analyze", "systemd", &arguments) else { return };
        let said = said(&output);
        // What other units of this machine lack is not ours.
        let mut ours = said.lines().filter(|line| line.contains("vpp-maglev")).collect::<Vec<_>>();
        // Known from 253 on; before, the line above it holds.
        ours.retain(|line| {
            !line.ends_with("Failed to parse service type, ignoring: notify-reload")
        });
        assert_eq!(ours, Vec::<&str>::new(), "{path}");
    }
}

#[test]
fn the_units_are_exposed_to_little() {
    for ((_dir, path), most) in [(unit(&[]), 2.0), (web_unit(), 1.5)] {
        let Some(level) = exposure(&path) else { return };
        assert!(level <= most, "{path}: {level}");
    }
}

/// What systemd makes of what a unit may do; `None`: it is not installed.
fn exposure(path: &str) -> Option<f64> {
    let arguments = ["security", "--offline=true", "--no-pager", path];
    let output = run("systemd-analyze", "systemd", &arguments)?;
    let said = said(&output);
    let level = said.lines().find_map(|line| line.split_once("Overall exposure level for "));
    let (_, level) = level.unwrap_or_else(|| panic!("no exposure level in\n{said}"));
    Some(level.split_whitespace().nth(1).unwrap().parse().unwrap())
}

/// The commands of a reload, in order.
fn reload_commands(files: &[&str]) -> Vec<String> {
    let text: String = files.iter().map(|file| read(&format!("systemd/{file}"))).collect();
    let commands = text.lines().filter_map(|line| line.strip_prefix("ExecReload="));
    commands.map(str::to_owned).collect()
}

#[test]
fn a_reload_fails_on_a_file_that_is_refused_and_no_signal_is_sent() {
    let before_253 = reload_commands(&["vpp-maglevd.service", "before-253.conf"]);
    assert_eq!(before_253, ["/usr/sbin/maglevd --check", "/bin/kill -HUP $MAINPID"]);
    let commands = reload_commands(&["vpp-maglevd.service"]);
    let [check] = &commands[..] else { panic!("{commands:?}") };
    let arguments = check.strip_prefix("/usr/sbin/maglevd ").unwrap().split(' ');
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("maglev.yaml");
    let succeeds = |text: &str| {
        std::fs::write(&file, text).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_maglevd"));
        // The environment of the unit names the file.
        let command = command.args(arguments.clone()).env("MAGLEV_CONFIG", &file);
        command.output().unwrap().status.success()
    };
    let good = include_str!("../../config/maglev.yaml");
    assert!(succeeds(good));
    assert!(!succeeds("maglev: nonsense\n"));
    assert!(!succeeds(&good.replace("healthchecks:", "healthcheck:")));
}

#[test]
fn prometheus_takes_the_rules_and_they_fire_when_they_should() {
    let folder = packaging("prometheus");
    for (verb, kind, file) in [
        ("check", "rules", "maglevd.rules.yml"),
        ("test", "rules", "maglevd.test.yml"),
        ("check", "config", "scrape.yml"),
    ] {
        let file = folder.join(file);
        let arguments = [verb, kind, file.to_str().unwrap()];
        let Some(output) = run("promtool", "prometheus", &arguments) else { return };
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    }
}

/// What follows `key` on lines of a text.
fn values<'a>(text: &'a str, key: &str) -> Vec<&'a str> {
    text.lines().filter_map(|line| line.trim_start().strip_prefix(key)).collect()
}

#[test]
fn every_alert_fires_in_a_test() {
    let (rules, tests) =
        (read("prometheus/maglevd.rules.yml"), read("prometheus/maglevd.test.yml"));
    let alerts = values(&rules, "- alert: ");
    assert!(alerts.len() > 20);
    // A test that expects nothing stands on one line.
    let fired: BTreeSet<_> = values(&tests, "alertname: ").into_iter().collect();
    let silent: Vec<_> = alerts.into_iter().filter(|alert| !fired.contains(alert)).collect();
    assert_eq!(silent, Vec::<&str>::new());
}

/// The words of a text that may name series of ours.
fn names(text: &str) -> BTreeSet<String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = text.split(|c| !is_name(c));
    let ours = words.filter(|word| word.starts_with("maglev_") || word.starts_with("process_"));
    let bare = |word: &str| {
        let word = word.strip_suffix("_bucket").unwrap_or(word);
        word.to_owned()
    };
    ours.map(bare).collect()
}

/// The series that docs/metrics.md has.
fn documented() -> BTreeSet<String> {
    let text = include_str!("../../docs/metrics.md");
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
    let rows = rows.filter_map(|row| Some(row.split_once('`')?.0.to_owned()));
    rows.filter(|name| !name.starts_with('/')).collect()
}

/// Every query of the dashboard, its variables among them.
fn queries(of: &Value, into: &mut Vec<String>) {
    match of {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if name == "expr" || name == "query" => {
                        into.push(text.clone());
                    }
                    other => queries(other, into),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| queries(item, into)),
        _ => {}
    }
}

#[test]
fn rules_and_dashboard_ask_for_series_that_there_are() {
    let documented = documented();
    let dashboard: Value = serde_json::from_str(&read("grafana/maglevd.json")).unwrap();
    let mut asked = Vec::new();
    queries(&dashboard, &mut asked);
    assert!(asked.len() > 20, "the dashboard is not understood");
    for text in asked.iter().map(String::as_str).chain([&*read("prometheus/maglevd.rules.yml")]) {
        let unknown: Vec<_> = names(text).difference(&documented).cloned().collect();
        assert_eq!(unknown, Vec::<String>::new(), "{text}");
    }
}

#[test]
fn prometheus_understands_the_queries_of_the_dashboard() {
    let dashboard: Value = serde_json::from_str(&read("grafana/maglevd.json")).unwrap();
    let mut asked = Vec::new();
    queries(&dashboard, &mut asked);
    let mut rules = "groups:\n  - name: dashboard\n    rules:\n".to_owned();
    let expressions = asked
        .iter()
        .filter(|query| query.contains("maglev_") && !query.starts_with("label_values"));
    for (number, query) in expressions.enumerate() {
        // What Grafana puts in.
        let query = query.replace("$__rate_interval", "1m");
        let query = Value::from(query);
        writeln!(rules, "      - {{record: 'q{number}', expr: {query}}}").unwrap();
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("dashboard.yml");
    std::fs::write(&path, rules).unwrap();
    let arguments = ["check", "rules", path.to_str().unwrap()];
    let Some(output) = run("promtool", "prometheus", &arguments) else { return };
    assert!(output.status.success(), "{}", said(&output));
}
