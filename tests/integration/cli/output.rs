//! Every command's text and JSON against the files of `tests/data/cli`, from a
//! daemon with fixed data. `UPDATE=1 cargo test --test integration cli::output` writes the
//! files anew; read the difference before committing it.

use std::path::PathBuf;
use std::time::Duration;

use crate::support::fake_daemon::data::NOW_NS;
use crate::support::fake_daemon::events::{BOOT_ID, events};
use crate::support::fake_daemon::{Behaviour, FakeDaemon, on_tcp, on_unix};
use vpp_maglev::cli::answer::CliAnswer;
use vpp_maglev::cli::command::request::{CliCommand, Shell};
use vpp_maglev::cli::command::{help, parse, scripts};
use vpp_maglev::cli::error::CliError;
use vpp_maglev::cli::execute::execute;
use vpp_maglev::cli::render::context::RenderContext;
use vpp_maglev::cli::render::{json, text};
use vpp_maglev::cli::{multi_server, version, watch_events};
use vpp_maglev::client::address::DaemonAddress;
use vpp_maglev::client::connection::DaemonClient;
use vpp_maglev::pb::WatchRequest;

const PLAIN: RenderContext = RenderContext { now_ns: NOW_NS, width: None, colour: false };
const COLOURED: RenderContext = RenderContext { colour: true, ..PLAIN };
const NARROW: RenderContext = RenderContext { width: Some(80), ..PLAIN };

const USUAL: Behaviour = Behaviour::USUAL;
const EMPTY: Behaviour = Behaviour { empty: true, ..USUAL };
const CONTRARY: Behaviour = Behaviour { contrary: true, ..USUAL };

/// Compares with the file, or writes it where `UPDATE` is set.
fn same_as_file(name: &str, found: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/cli").join(name);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, found).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, expected, "\n{name}: found\n{found}\nexpected\n{expected}");
}

async fn connected(fake: &FakeDaemon) -> DaemonClient {
    let server: DaemonAddress = fake.address.parse().unwrap();
    DaemonClient::connect(&server.into()).await.unwrap()
}

async fn ask(client: &DaemonClient, line: &str) -> Result<CliAnswer, CliError> {
    let words: Vec<&str> = line.split(' ').collect();
    match parse::parse(&words) {
        Ok(CliCommand::Request(request)) => execute(client, request, Duration::ZERO).await,
        other => panic!("`{line}` asks nothing of the daemon: {other:?}"),
    }
}

/// Compares the text and JSON of commands with the files named before them.
async fn compare(behaviour: Behaviour, cases: &[(&str, &str)]) {
    let fake = on_tcp(behaviour).await;
    let client = connected(&fake).await;
    for (name, line) in cases {
        let answer = ask(&client, line).await.unwrap();
        same_as_file(&format!("{name}.txt"), &text::text(&answer, &PLAIN));
        same_as_file(&format!("{name}.json"), &json::pretty(&json::answer(&answer).unwrap()));
    }
}

#[tokio::test]
async fn ages_count_from_the_daemons_clock() {
    let fake = on_tcp(USUAL).await;
    let client = connected(&fake).await;
    let ahead = RenderContext { now_ns: NOW_NS + 3_600_000_000_000, ..PLAIN };
    for line in ["show backends", "show backend nginx0", "show vpp info", "show vpp lb state"] {
        let answer = ask(&client, line).await.unwrap();
        assert_eq!(text::text(&answer, &ahead), text::text(&answer, &PLAIN), "{line}");
    }
}

/// Every command that the daemon answers, after the name of its files.
const ANSWERS: &[(&str, &str)] = &[
    ("frontends", "show frontends"),
    ("frontend", "show frontend web"),
    ("frontend-down", "show frontend dns"),
    ("frontend-unknown", "show frontend everything"),
    ("prediction", "show frontend web if backend größter-ersatz weight 40"),
    ("prediction-of-nothing", "show frontend web if backend nginx0 weight 0"),
    ("backends", "show backends"),
    ("backend", "show backend nginx0"),
    ("backend-overridden", "show backend nginx1"),
    ("backend-new", "show backend new"),
    ("backend-drained", "show backend bind0"),
    ("backend-slow-start", "show backend größter-ersatz"),
    ("healthchecks", "show healthchecks"),
    ("healthcheck-https", "show healthcheck web"),
    ("healthcheck-tls", "show healthcheck tls"),
    ("healthcheck-steps", "show healthcheck cache"),
    ("healthcheck-grpc", "show healthcheck orders"),
    ("healthcheck-dns", "show healthcheck dns"),
    ("vpp-info", "show vpp info"),
    ("vpp-lb-state", "show vpp lb state"),
    ("vpp-lb-counters", "show vpp lb counters"),
    ("vpp-doctor", "show vpp doctor"),
    ("overrides", "show overrides"),
    ("announcements", "show announcements"),
    ("announcements-of-dns", "show announcements dns"),
    ("set-announcement", "set announcement 2001:db8::53 withdraw for 1h because upgrade"),
    ("unset-announcement", "unset announcement dns"),
    ("withdraw-all", "withdraw all"),
    ("announce-all", "announce all because done"),
    ("identity", "show identity"),
    ("explain-backend", "explain backend nginx0"),
    ("explain-frontend", "explain frontend web"),
    ("timeline", "show timeline"),
    ("timeline-since", "show timeline backend nginx0 since 1h"),
    ("set-backend", "set backend nginx0 disable"),
    ("set-backend-for", "set backend nginx0 pause for 2h because upgrade"),
    ("unset-backend", "unset backend nginx0"),
    ("unset-weight", "unset frontend web pool primary backend nginx1"),
    ("drain", "drain backend nginx0 timeout 10m then flush"),
    ("undrain", "undrain backend bind0"),
    ("set-weight", "set frontend web pool primary backend nginx0 weight 7"),
    ("sync", "sync vpp lb state"),
    ("sync-dry-run", "sync vpp lb state web dry-run"),
    ("config-check", "config check"),
    ("config-reload", "config reload"),
];

#[tokio::test]
async fn every_answer_is_shown_as_written_down() {
    compare(USUAL, ANSWERS).await;
}

#[tokio::test]
async fn nothing_is_said_in_words() {
    let cases = [
        ("empty-frontends", "show frontends"),
        ("empty-backends", "show backends"),
        ("empty-healthchecks", "show healthchecks"),
        ("empty-lb-state", "show vpp lb state"),
        ("empty-lb-counters", "show vpp lb counters"),
        ("empty-sync", "sync vpp lb state"),
        ("empty-overrides", "show overrides"),
        ("empty-announcements", "show announcements"),
        ("empty-timeline", "show timeline"),
    ];
    compare(EMPTY, &cases).await;
}

#[tokio::test]
async fn faults_and_failed_steps_are_lines_of_their_own() {
    let cases = [
        ("refused-config-check", "config check"),
        ("refused-config-reload", "config reload"),
        ("refused-sync", "sync vpp lb state"),
        ("missing-vpp-info", "show vpp info"),
        ("faulty-vpp-doctor", "show vpp doctor"),
        ("identity-of-nobody", "show identity"),
        ("held-frontends", "show frontends"),
        ("held-sync", "sync vpp lb state dry-run"),
    ];
    compare(CONTRARY, &cases).await;
}

/// Text without the escapes of colour.
fn bare(text: &str) -> String {
    let mut bare = String::new();
    let mut rest = text;
    while let Some((before, escape)) = rest.split_once("\x1b[") {
        bare.push_str(before);
        rest = escape.split_once('m').unwrap().1;
    }
    bare + rest
}

#[tokio::test]
async fn colour_and_a_narrow_terminal_keep_tables_aligned() {
    let fake = on_tcp(USUAL).await;
    let client = connected(&fake).await;
    for (name, line) in ANSWERS {
        let answer = ask(&client, line).await.unwrap();
        let coloured = text::text(&answer, &COLOURED);
        assert_eq!(bare(&coloured), text::text(&answer, &PLAIN), "{line}");
        same_as_file(&format!("{name}-coloured.txt"), &coloured);
        same_as_file(&format!("{name}-narrow.txt"), &text::text(&answer, &NARROW));
    }
    for line in ["show frontends", "show frontend web", "show backends"] {
        let narrow = text::text(&ask(&client, line).await.unwrap(), &NARROW);
        assert!(narrow.lines().all(|line| line.chars().count() <= 80), "{narrow}");
    }
}

#[tokio::test]
async fn no_line_of_any_text_ends_in_blanks() {
    let fake = on_tcp(USUAL).await;
    let client = connected(&fake).await;
    for line in ["show frontends", "show frontend web", "show backends", "show vpp lb state"] {
        let text = text::text(&ask(&client, line).await.unwrap(), &PLAIN);
        assert!(text.lines().all(|line| !line.ends_with(' ')), "{text}");
    }
}

#[tokio::test]
async fn a_unix_socket_serves_as_well() {
    let directory = tempfile::tempdir().unwrap();
    let fake = on_unix(USUAL, directory.path()).await;
    let client = connected(&fake).await;
    let answer = ask(&client, "show backends").await.unwrap();
    same_as_file("backends.txt", &text::text(&answer, &PLAIN));
}

#[tokio::test]
async fn an_older_daemon_is_asked_for_each_backend() {
    let fake = on_tcp(Behaviour { old: true, ..USUAL }).await;
    let answer = ask(&connected(&fake).await, "show backends").await.unwrap();
    same_as_file("backends.txt", &text::text(&answer, &PLAIN));
}

#[tokio::test]
async fn a_refusal_is_told_in_the_daemons_words() {
    let fake = on_tcp(EMPTY).await;
    let client = connected(&fake).await;
    for (line, expected) in [
        ("set backend nginx1 pause", "backend `nginx1` is disabled; enable it first"),
        ("set backend nobody pause", "no backend `nobody`"),
        ("show frontend nowhere", "no frontend `nowhere`"),
        ("sync vpp lb state nowhere", "no frontend `nowhere`"),
        ("show vpp info", "VPP is not connected"),
    ] {
        let error = ask(&client, line).await.unwrap_err();
        assert_eq!((error.to_string().as_str(), error.status()), (expected, 1), "{line}");
    }
}

#[tokio::test]
async fn events_are_lines_of_the_documented_kinds() {
    let events = events(&WatchRequest::default(), BOOT_ID);
    let lines: String =
        events.iter().map(|event| format!("{}\n", json::event(event).unwrap())).collect();
    same_as_file("events.jsonl", &lines);
}

#[tokio::test]
async fn several_daemons_answer_under_their_names() {
    let directories = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let fake = on_unix(USUAL, directories[0].path()).await;
    let empty = on_unix(EMPTY, directories[1].path()).await;
    let mut said = Vec::new();
    for (name, fake) in [("unix:/run/a.sock", &fake), ("b.example.org:9090", &empty)] {
        let result = ask(&connected(fake).await, "show vpp info").await;
        said.push(multi_server::ServerAnswer { server: name.parse().unwrap(), result });
    }
    same_as_file("several.txt", &multi_server::render_text(&said, &PLAIN));
    same_as_file("several-coloured.txt", &multi_server::render_text(&said, &COLOURED));
    same_as_file("several-narrow.txt", &multi_server::render_text(&said, &NARROW));
    same_as_file("several.json", &format!("{:#}\n", multi_server::render_json(&said).unwrap()));
}

#[tokio::test]
async fn a_watch_goes_on_over_a_reconnect_without_gap() {
    // Every stream ends after two events; there are ten.
    let fake = on_tcp(Behaviour { leaving: Some(2), ..USUAL }).await;
    let client = connected(&fake).await;
    let Ok(CliCommand::WatchEvents(ten)) = parse::parse(&["watch", "events", "num", "10"]) else {
        panic!("not a watch")
    };
    let (mut out, mut notices) = (Vec::new(), Vec::new());
    let mut notice = |line: &str| notices.push(line.to_owned());
    let end = watch_events::run(client, &ten, &mut out, &mut notice).await.unwrap();
    assert_eq!(end, watch_events::CommandEnd::Done);
    let events = events(&WatchRequest::default(), BOOT_ID);
    let lines: String =
        events.iter().map(|event| format!("{}\n", json::event(event).unwrap())).collect();
    assert_eq!(String::from_utf8(out).unwrap(), lines);
    let lost = format!(
        "maglevd at {}: is stopping, no more events; trying again until it is back",
        fake.address
    );
    let back = "connected again".to_owned();
    let missed = "3 events missed; the present state follows".to_owned();
    let away = [lost, back];
    let notices_of_four = away.iter().cycle().take(8).chain([&missed]);
    assert!(notices.iter().eq(notices_of_four), "{notices:?}");
}

#[test]
fn help_version_and_completions_need_no_daemon() {
    same_as_file("help.txt", &help::text());
    same_as_file("help.json", &format!("{:#}\n", json::usages(&help::usages())));
    let build = version::Version { version: "1.2.3", commit: "0123abc", build_date: "2026-03-01" };
    same_as_file("version.txt", &format!("{build}\n"));
    same_as_file("version.json", &format!("{:#}\n", json::version(&build)));
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        let value = json::completions(shell);
        assert_eq!(value["shell"], shell.as_str());
        assert_eq!(value["script"], scripts::script(shell));
    }
}
