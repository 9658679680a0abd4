//! The live view: drawn from a model into a buffer, and driven in a terminal.

use std::path::PathBuf;
use std::time::Instant;

use crate::support::fake_daemon::background::BackgroundDaemon;
use crate::support::fake_daemon::data::NOW_NS;
use crate::support::fake_daemon::events::{changed, dataplane, held};
use crate::support::fake_daemon::{Behaviour, FakeDaemon, on_tcp};
use crate::support::terminal::{Terminal, maglevc};
use ratatui::backend::TestBackend;
use rustix::process::Signal;
use vpp_maglev::cli::live::{DrawTime, LiveModel, PressedKey, draw};
use vpp_maglev::client::address::DaemonAddress;
use vpp_maglev::client::connection::DaemonClient;
use vpp_maglev::client::mirror::{MirrorSnapshot, MirrorUpdate, VppStatus};
use vpp_maglev::client::requests;
use vpp_maglev::pb;

/// What the view knows of a daemon once it has asked.
async fn known(fake: &FakeDaemon) -> LiveModel {
    let server: DaemonAddress = fake.address.parse().unwrap();
    let client = DaemonClient::connect(&server.into()).await.unwrap();
    let (frontends, _) = requests::frontends(&client).await.unwrap();
    let backends = Some(requests::backends(&client).await.unwrap());
    let vpp = VppStatus::Connected(requests::vpp_info(&client).await.unwrap());
    let mut model = LiveModel::new("lb1.example.org:9090");
    let received = Instant::now();
    model.update(MirrorUpdate::Snapshot(MirrorSnapshot { frontends, backends, vpp, received }));
    model
}

fn event(event: pb::event::Event) -> MirrorUpdate {
    MirrorUpdate::Event(pb::Event { event: Some(event), seq: 101, boot_id: 1 })
}

/// The lines of the screen.
fn drawn(model: &mut LiveModel, columns: u16, rows: u16) -> String {
    let mut terminal = ratatui::Terminal::new(TestBackend::new(columns, rows)).unwrap();
    let time = DrawTime { at: Instant::now(), client_ns: NOW_NS };
    terminal.draw(|frame| draw(frame, model, time, false)).unwrap();
    let buffer = terminal.backend().buffer();
    let line = |row: u16| -> String {
        (0..columns).map(|column| buffer[(column, row)].symbol()).collect::<String>()
    };
    (0..rows).map(|row| line(row).trim_end().to_owned() + "\n").collect()
}

/// The names in the first column, below the titles.
fn names(model: &mut LiveModel) -> Vec<String> {
    let text = drawn(model, 120, 60);
    let table = text.lines().skip(4).take_while(|line| !line.starts_with("LATEST"));
    let name = |line: &str| line.split_whitespace().next().map(str::to_owned);
    table.filter_map(name).collect()
}

/// Types into the filter.
fn types(model: &mut LiveModel, text: &str) {
    for letter in text.chars() {
        assert!(!model.press(PressedKey::Letter(letter)), "a letter does not leave");
    }
}

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

#[tokio::test]
async fn the_view_is_drawn_as_written_down() {
    let mut model = known(&on_tcp(Behaviour::USUAL).await).await;
    model.update(event(changed("nginx0", "down", "up", "L7OK 200 OK")));
    same_as_file("live.txt", &drawn(&mut model, 80, 24));
    same_as_file("live-wide.txt", &drawn(&mut model, 140, 40));
    model.press(PressedKey::Fold);
    same_as_file("live-folded.txt", &drawn(&mut model, 80, 24));
    let mut model = LiveModel::new("lb1.example.org:9090");
    same_as_file("live-connecting.txt", &drawn(&mut model, 80, 24));
}

#[tokio::test]
async fn a_slow_start_is_drawn_with_how_far_it_is_and_what_is_left() {
    let fake = on_tcp(Behaviour::USUAL).await;
    let mut model = known(&fake).await;
    let server: DaemonAddress = fake.address.parse().unwrap();
    let client = DaemonClient::connect(&server.into()).await.unwrap();
    let mut web = requests::frontend(client, "web".into()).await.unwrap();
    let members = web.pools.iter_mut().flat_map(|pool| &mut pool.backends);
    for member in members {
        member.slow_start = Some(pb::SlowStartInfo {
            frontend_name: "web".into(),
            weight: 30,
            target: 80,
            left_ns: 42_000_000_000,
        });
    }
    model.update(event(changed("nginx0", "down", "up", "L7OK 200 OK")));
    model.update(MirrorUpdate::Frontends { names: vec!["web".into()], frontends: vec![web] });
    let text = drawn(&mut model, 140, 40);
    let row = |name: &str| text.lines().find(|line| line.trim_start().starts_with(name)).unwrap();
    let expected = "slow start at 37 %: weight 30 of 80, the whole in 42s";
    assert!(row("nginx0").contains(expected), "{text}");
    assert!(row("größter-ersatz").contains("doubted: "), "a doubt says more: {text}");
    assert!(!row("nginx1").contains("slow start"), "it is disabled: {text}");
}

#[tokio::test]
async fn a_view_of_any_size_is_drawn() {
    let mut model = known(&on_tcp(Behaviour::USUAL).await).await;
    for (columns, rows) in [(1, 1), (5, 3), (20, 5), (80, 15), (500, 200)] {
        drawn(&mut model, columns, rows);
        model.press(PressedKey::Bottom);
    }
}

#[tokio::test]
async fn an_event_changes_the_row_and_the_latest_changes() {
    let mut model = known(&on_tcp(Behaviour::USUAL).await).await;
    model.update(event(changed("nginx0", "down", "up", "L7OK 200 OK")));
    model.update(event(changed("new", "unknown", "down", "L4TOUT no reply")));
    let text = drawn(&mut model, 120, 40);
    let row = text.lines().find(|line| line.starts_with("    nginx0")).unwrap();
    assert!(row.contains(" up ") && row.contains(" 0s L7OK 200 OK"), "{row}");
    let changes: Vec<&str> = text.lines().skip_while(|line| !line.starts_with("LATEST")).collect();
    assert_eq!(changes[1], "2026-03-01 12:00:00 backend new unknown → down L4TOUT no reply");
    assert_eq!(changes[2], "2026-03-01 12:00:00 backend nginx0 down → up L7OK 200 OK");

    let open = pb::event::Event::FailOpen(pb::FailOpenEvent {
        frontend_name: "web".into(),
        transition: Some(pb::TransitionRecord {
            from: "closed".into(),
            to: "open".into(),
            at_unix_ns: NOW_NS,
            why: "nginx0 down".into(),
        }),
        up_weight: 100,
        total_weight: 300,
        ..pb::FailOpenEvent::default()
    });
    model.update(event(open));
    let text = drawn(&mut model, 120, 40);
    assert!(
        text.contains(" frontend web FAILS OPEN weight 100 of 300 is up nginx0 down"),
        "{text}"
    );
    assert!(text.contains("FAILS OPEN: weight 100 of 300 is up, below 40%"), "{text}");

    // The present state, with which a stream begins, is no change.
    model.update(event(changed("new", "down", "down", "")));
    assert_eq!(drawn(&mut model, 120, 40).matches("backend new").count(), 1);
    // One that is gone is not known any more.
    model.update(event(changed("new", "down", "removed", "")));
    let text = drawn(&mut model, 120, 40);
    let row = text.lines().find(|line| line.starts_with("    new")).unwrap();
    assert!(row.contains("unknown"), "{row}");
}

#[tokio::test]
async fn a_hold_stands_in_the_heading_until_it_ends() {
    let mut model = known(&on_tcp(Behaviour::USUAL).await).await;
    model.update(event(held("began", 3)));
    let text = drawn(&mut model, 120, 40);
    assert!(text.lines().next().unwrap().ends_with("  VERDICTS HELD (ipv4) for 3s"), "{text}");
    assert!(text.contains("2026-03-01 11:59:57 verdicts held ipv4 nobody passes"), "{text}");
    let row = text.lines().find(|line| line.starts_with("    größter-ersatz")).unwrap();
    assert!(row.contains(" up? ") && row.contains("doubted: L4TOUT timeout; no other"), "{row}");
    model.update(event(held("ended", 0)));
    let text = drawn(&mut model, 120, 40);
    assert!(!text.contains("VERDICTS HELD"), "{text}");
    assert!(text.contains("2026-03-01 12:00:00 verdicts passed ipv4 after 3s"), "{text}");
    // A transition ends the doubt of a backend.
    model.update(event(changed("größter-ersatz", "up", "down", "L4TOUT timeout")));
    assert!(!drawn(&mut model, 120, 40).contains("doubted:"));
}

#[tokio::test]
async fn what_is_wrong_comes_first_unless_another_order_is_chosen() {
    let mut model = known(&on_tcp(Behaviour::USUAL).await).await;
    model.press(PressedKey::Fold);
    // One that fails open is as urgent as one that is down.
    assert_eq!(names(&mut model), ["dns", "web", "everything"]);
    model.update(MirrorUpdate::Event(pb::Event {
        event: Some(pb::event::Event::Frontend(pb::FrontendEvent {
            frontend_name: "dns".into(),
            transition: Some(pb::TransitionRecord {
                from: "down".into(),
                to: "up".into(),
                at_unix_ns: NOW_NS,
                why: String::new(),
            }),
        })),
        seq: 101,
        boot_id: 1,
    }));
    assert_eq!(names(&mut model), ["web", "everything", "dns"]);
    model.press(PressedKey::Sort);
    assert_eq!(names(&mut model), ["dns", "everything", "web"]);
    model.update(event(changed("new", "unknown", "up", "")));
    model.press(PressedKey::Sort);
    assert_eq!(names(&mut model)[..2], ["dns", "everything"]);
}

#[tokio::test]
async fn a_filter_shows_what_fits_and_what_it_belongs_to() {
    let mut model = known(&on_tcp(Behaviour::USUAL).await).await;
    model.press(PressedKey::Filter);
    types(&mut model, "NGINX0");
    assert!(model.is_typing());
    assert!(drawn(&mut model, 80, 24).contains("filter: NGINX0_"));
    model.press(PressedKey::Accept);
    assert_eq!(names(&mut model), ["web", "primary", "nginx0"]);
    // A frontend that fits is shown whole.
    model.press(PressedKey::Clear);
    model.press(PressedKey::Filter);
    types(&mut model, "2001:db8");
    assert_eq!(names(&mut model), ["dns", "all", "bind0"]);
    model.press(PressedKey::Letter('x'));
    assert!(names(&mut model).is_empty());
    model.press(PressedKey::Erase);
    assert_eq!(names(&mut model).len(), 3);
    model.press(PressedKey::Clear);
    assert!(names(&mut model).len() > 6 && !model.is_typing());
}

#[tokio::test]
async fn scrolling_ends_at_both_ends() {
    let mut model = known(&on_tcp(Behaviour::USUAL).await).await;
    let first = |model: &mut LiveModel| drawn(model, 80, 10).lines().nth(4).unwrap().to_owned();
    let beginning = first(&mut model);
    assert!(beginning.starts_with("dns"));
    model.press(PressedKey::Lines(1));
    assert!(first(&mut model).starts_with("  all"));
    model.press(PressedKey::Lines(-7));
    assert_eq!(first(&mut model), beginning);
    model.press(PressedKey::Bottom);
    let last = first(&mut model);
    model.press(PressedKey::Pages(3));
    assert_eq!(first(&mut model), last);
    let text = drawn(&mut model, 80, 10);
    assert!(text.lines().nth(8).unwrap().starts_with("    new"), "{text}");
    model.press(PressedKey::Top);
    assert_eq!(first(&mut model), beginning);
}

fn view(address: &str, folder: &std::path::Path) -> Terminal {
    Terminal::start(maglevc(address, folder).args(["watch", "state"]), 24, 80)
}

#[test]
fn the_view_lives_in_a_terminal_and_gives_it_back() {
    let folder = tempfile::tempdir().unwrap();
    let daemon = BackgroundDaemon::start(Behaviour::USUAL);
    let mut view = view(&daemon.address, folder.path());
    view.sees("größter-ersatz");
    assert!(view.screen().alternate_screen() && view.screen().hide_cursor());
    daemon.happens(changed("nginx0", "down", "up", "L7OK 200 OK"));
    view.sees("backend nginx0 down → up L7OK 200 OK");
    // Keys.
    view.types("s");
    view.sees("s sort: by name");
    view.types("/ngin\r");
    view.sees_no_more("größter-ersatz");
    view.sees("/ filter: ngin");
    view.types("\x1b");
    view.sees("größter-ersatz");
    view.types("f");
    view.sees_no_more("primary");
    // Another size is filled at once.
    view.resize(40, 140);
    view.waits("the keys in the last line", |screen| {
        screen.rows(0, 140).nth(39).is_some_and(|line| line.starts_with("q quit"))
    });
    view.resize(10, 60);
    view.waits("the keys in the last line", |screen| {
        screen.rows(0, 60).nth(9).is_some_and(|line| line.starts_with("q quit"))
    });
    view.types("q");
    assert_eq!(view.ends(), 0);
    assert!(!view.screen().alternate_screen() && !view.screen().hide_cursor());
}

#[test]
fn the_view_outlives_the_daemon() {
    let folder = tempfile::tempdir().unwrap();
    let daemon = BackgroundDaemon::start_in(folder.path(), Behaviour::USUAL);
    let address = daemon.address.clone();
    let mut view = view(&address, folder.path());
    view.sees("größter-ersatz");
    daemon.happens(dataplane("disconnected"));
    view.sees("VPP disconnected");
    drop(daemon);
    view.sees("LOST: maglevd at unix:");
    // What was known stays.
    view.sees("größter-ersatz");
    let _daemon =
        BackgroundDaemon::start_in(folder.path(), Behaviour { empty: true, ..Behaviour::USUAL });
    view.sees_no_more("LOST");
    view.sees("VPP is not connected");
    view.sees_no_more("größter-ersatz");
    view.types("\x03");
    assert_eq!(view.ends(), 0);
}

#[test]
fn a_signal_gives_the_terminal_back_too() {
    let folder = tempfile::tempdir().unwrap();
    let daemon = BackgroundDaemon::start(Behaviour::USUAL);
    let mut view = view(&daemon.address, folder.path());
    view.sees("größter-ersatz");
    view.signal(Signal::TERM);
    assert_eq!(view.ends(), 0);
    assert!(!view.screen().alternate_screen() && !view.screen().hide_cursor());
}

#[test]
fn the_shell_goes_on_after_the_view() {
    let folder = tempfile::tempdir().unwrap();
    let daemon = BackgroundDaemon::start(Behaviour::USUAL);
    let prompt = format!("maglev {}>", daemon.address);
    let mut shell = Terminal::start(maglevc(&daemon.address, folder.path()), 24, 80);
    shell.sees_last(&prompt);
    for key in ["q", "\x03"] {
        shell.types("watch state\r");
        shell.sees("LATEST CHANGES");
        shell.types(key);
        shell.waits("the shell", |screen| !screen.alternate_screen());
        shell.sees_last(&prompt);
    }
    shell.types("show version\r");
    shell.sees("(commit ");
}
