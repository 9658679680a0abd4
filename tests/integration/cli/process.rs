//! The built maglevc as a shell sees it: exit statuses, what goes to which
//! stream, signals, closed pipes, a daemon that goes away.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

use crate::support::fake_daemon::Behaviour;
use crate::support::fake_daemon::background::BackgroundDaemon;
use crate::support::wait::DEADLINE;
use rustix::process::{Pid, Signal, kill_process};
use socket2::{Domain, Socket, Type};

const USUAL: Behaviour = Behaviour::USUAL;

/// maglevc without anything of the environment that it heeds.
fn maglevc(server: &str, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_maglevc"));
    command.env_remove("NO_COLOR").env_remove("MAGLEV_SERVER").arg("--server").arg(server);
    command.args(line.split_whitespace()).stdin(Stdio::null());
    command
}

/// Exit status, standard output, standard error.
fn ran(command: &mut Command) -> (i32, String, String) {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    ended(command.spawn().unwrap())
}

/// Waits for the end, and for no longer than the deadline.
fn ended(child: Child) -> (i32, String, String) {
    let pid = Pid::from_child(&child);
    let (sender, ended) = mpsc::channel();
    std::thread::spawn(move || sender.send(child.wait_with_output()));
    let Ok(output) = ended.recv_timeout(DEADLINE) else {
        kill_process(pid, Signal::KILL).unwrap();
        panic!("maglevc does not end");
    };
    let output = output.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// An address without a listener, and without one as long as the socket lives.
fn nobody() -> (Socket, String) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap().to_string();
    (socket, address)
}

#[test]
fn what_is_done_exits_with_0() {
    let daemon = BackgroundDaemon::start(USUAL);
    for line in ["show backends", "sync vpp lb state dry-run", "config check", "help", "quit"] {
        let (status, out, err) = ran(&mut maglevc(&daemon.address, line));
        assert_eq!((status, err.as_str()), (0, ""), "{line}");
        assert_eq!(out.is_empty(), line == "quit", "{line}: {out}");
    }
}

#[test]
fn what_is_refused_exits_with_1_and_one_line_of_the_daemon() {
    let daemon = BackgroundDaemon::start(USUAL);
    let result = ran(&mut maglevc(&daemon.address, "set backend nginx1 pause"));
    assert_eq!(result, (1, "".into(), "backend `nginx1` is disabled; enable it first\n".into()));
    let (_, _, err) = ran(&mut maglevc(&daemon.address, "--color always show backend x"));
    assert_eq!(err, "\x1b[31mno backend `x`\x1b[0m\n");
}

#[test]
fn a_faulty_configuration_is_listed_and_refused() {
    let daemon = BackgroundDaemon::start(Behaviour { contrary: true, ..USUAL });
    let (status, out, err) = ran(&mut maglevc(&daemon.address, "config check"));
    assert_eq!((status, err.as_str()), (1, "the configuration is not valid: 2 faults\n"));
    assert_eq!(out.lines().filter(|line| line.starts_with("fault: ")).count(), 2, "{out}");
    let (status, out, _) = ran(&mut maglevc(&daemon.address, "--output json config check"));
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((status, &json["ok"]), (1, &false.into()));

    let (status, _, err) = ran(&mut maglevc(&daemon.address, "sync vpp lb state"));
    assert_eq!((status, err.as_str()), (1, "VPP refused 1 of 3 steps\n"));
    let (status, _, err) = ran(&mut maglevc(&daemon.address, "show vpp lb counters"));
    assert_eq!(
        (status, err.as_str()),
        (1, "the daemon does not know this command; is it older?\n")
    );
}

#[test]
fn mistakes_exit_with_2_and_one_line_that_helps() {
    let cases = [
        ("--server a:1,b:2", "without a command there can be one --server only"),
        ("--server a:1,b:2 watch events", "a watch follows one daemon: name one --server"),
        ("compare", "compare needs several daemons: --server a:9090,b:9090 compare"),
        ("watch state", "`watch state` needs a terminal; `watch events` writes JSON anywhere"),
        ("show frontend", "`show frontend` is not complete; possible next: <frontend>"),
        ("shwo", "`shwo` is not possible as a command; did you mean `show`? possible: show,"),
        ("set frontend f pool p backend b weight -1", "`-1` is not a weight from 0 to 100"),
        ("--colour", "unexpected argument '--colour' found"),
        ("--server nowhere show backends", "invalid value 'nowhere' for '--server <ADDR>'"),
    ];
    for (line, start) in cases {
        let mut command = Command::new(env!("CARGO_BIN_EXE_maglevc"));
        let (status, out, err) = ran(command.args(line.split_whitespace()));
        assert_eq!((status, out.as_str(), err.lines().count()), (2, "", 1), "{line}: {err}");
        assert!(err.starts_with(start), "{line}: {err}");
    }
}

#[test]
fn an_absent_daemon_exits_with_3() {
    let (_socket, nobody) = nobody();
    let (status, out, err) = ran(&mut maglevc(&nobody, "show backends"));
    let expected = format!("maglevd at {nobody}: cannot be reached: connection refused\n");
    assert_eq!((status, out, err), (3, String::new(), expected));

    let directory = tempfile::tempdir().unwrap();
    let path = format!("unix:{}", directory.path().join("none.sock").display());
    let (status, _, err) = ran(&mut maglevc(&path, "watch events"));
    let expected = format!("maglevd at {path}: cannot be reached: no such file or directory\n");
    assert_eq!((status, err), (3, expected));
}

#[test]
fn what_needs_no_daemon_asks_none() {
    let (_socket, nobody) = nobody();
    for line in ["show version", "help", "--help", "--version", "exit"] {
        let (status, _, err) = ran(&mut maglevc(&nobody, line));
        assert_eq!((status, err.as_str()), (0, ""), "{line}");
    }
}

/// Two builds of one commit say the same: nothing in it is of the machine.
#[test]
fn both_programs_tell_their_version_and_commit() {
    for (name, path) in
        [("maglevc", env!("CARGO_BIN_EXE_maglevc")), ("maglevd", env!("CARGO_BIN_EXE_maglevd"))]
    {
        let (status, out, err) = ran(Command::new(path).arg("--version"));
        let expected = format!("{name} {}\n", vpp_maglev::VERSION);
        assert_eq!((status, out.as_str(), err.as_str()), (0, expected.as_str(), ""));
    }
    let build = vpp_maglev::VERSION.strip_prefix(env!("CARGO_PKG_VERSION")).unwrap();
    let build = build.strip_prefix(" (commit ").and_then(|build| build.strip_suffix(')')).unwrap();
    let (commit, date) = build.split_once(", ").unwrap();
    let hex = commit.len() >= 7 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    assert!(hex || commit == "unknown", "{commit}");
    let is_date = date.len() == 10 && date.bytes().filter(|byte| *byte == b'-').count() == 2;
    assert!(is_date || date == "unknown", "{date}");
}

#[test]
fn the_environment_names_the_daemon_and_the_option_beats_it() {
    let daemon = BackgroundDaemon::start(USUAL);
    let (_socket, nobody) = nobody();
    let mut command = Command::new(env!("CARGO_BIN_EXE_maglevc"));
    command.args(["show", "backends"]).env("MAGLEV_SERVER", &daemon.address);
    assert_eq!(ran(&mut command).0, 0);
    assert_eq!(ran(command.env("MAGLEV_SERVER", &nobody)).0, 3);
    assert_eq!(ran(command.args(["--server", &daemon.address])).0, 0);
}

#[test]
fn colour_goes_where_it_is_wanted() {
    let daemon = BackgroundDaemon::start(USUAL);
    let (_, out, _) = ran(&mut maglevc(&daemon.address, "show backends"));
    assert!(!out.contains('\x1b'), "a pipe is no terminal");
    let (_, out, _) = ran(&mut maglevc(&daemon.address, "show backends --color always"));
    assert!(out.contains("\x1b[31mdown\x1b[0m"), "{out}");
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let daemon = BackgroundDaemon::start(USUAL);
    for line in ["show backends", "watch events", "--help"] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = maglevc(&daemon.address, line);
        let child = command.stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
        assert_eq!(ended(child), (0, String::new(), String::new()), "{line}");
    }
}

#[test]
fn a_watch_prints_as_many_events_as_asked_for() {
    let daemon = BackgroundDaemon::start(USUAL);
    let (status, out, _) = ran(&mut maglevc(&daemon.address, "watch events num 2 log backend"));
    let lines: Vec<serde_json::Value> =
        out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<&str> = lines.iter().map(|line| line["type"].as_str().unwrap()).collect();
    assert_eq!((status, kinds), (0, vec!["backend", "log"]));
}

/// What a watch says of the fake daemon's last event.
const MISSED: &str = "3 events missed; the present state follows\n";

/// A watch that has printed all that there is for now.
fn watching(daemon: &BackgroundDaemon) -> Child {
    let mut command = maglevc(&daemon.address, "watch events");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    for _ in 0..10 {
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        assert!(line.starts_with('{') && line.ends_with("}\n"), "{line}");
    }
    // Closing it would end the watch at the next event, and none comes.
    child.stdout = Some(lines.into_inner());
    child
}

#[test]
fn an_interrupt_ends_a_watch_with_0() {
    let daemon = BackgroundDaemon::start(USUAL);
    let child = watching(&daemon);
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(ended(child), (0, String::new(), MISSED.into()));
}

#[test]
fn a_watch_outlives_the_daemon_and_sees_the_next_one() {
    let directory = tempfile::tempdir().unwrap();
    let daemon = BackgroundDaemon::start_in(directory.path(), USUAL);
    let address = daemon.address.clone();
    let mut child = watching(&daemon);
    drop(daemon);
    let _daemon =
        BackgroundDaemon::start_in(directory.path(), Behaviour { boot_id: 0xbeef, ..USUAL });
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    assert!(line.contains("\"boot_id\":\"000000000000beef\""), "{line}");
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let (status, _, err) = ended(child);
    let expected = format!(
        "{MISSED}maglevd at {address}: the connection was lost; trying again until it is back\n\
         connected again\n"
    );
    assert_eq!(status, 0);
    assert!(err.starts_with(&expected), "{err}");
}

/// What maglevc does with these lines on standard input.
fn script(server: &str, lines: &str) -> (i32, String, String) {
    let mut command = maglevc(server, "");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    ended(child)
}

#[test]
fn lines_on_standard_input_are_a_script() {
    let daemon = BackgroundDaemon::start(USUAL);
    let (status, out, err) = script(
        &daemon.address,
        "# what runs here\n\nshow version\n  set backend 'nginx0' pause # for a moment\nquit\nshwo\n",
    );
    assert_eq!((status, err.as_str()), (0, ""));
    assert!(out.starts_with("maglevc ") && out.contains("nginx0"), "{out}");
    assert_eq!(script(&daemon.address, ""), (0, String::new(), String::new()));
}

#[test]
fn a_script_ends_at_the_first_line_that_is_not_done() {
    let daemon = BackgroundDaemon::start(USUAL);
    let cases = [
        ("show version\nshow backend x\nshow version\n", 1, "line 2: no backend `x`\n"),
        ("show 'a\n", 2, "line 1: the quote ' is not closed\n"),
        ("shwo\n", 2, "line 1: `shwo` is not possible as a command; did you mean `show`?"),
    ];
    for (lines, status, complaint) in cases {
        let (found, out, err) = script(&daemon.address, lines);
        assert_eq!(found, status, "{lines}");
        assert!(err.starts_with(complaint), "{err}");
        assert_eq!(out.lines().count(), usize::from(lines.starts_with("show version")));
    }
    let (_socket, nobody) = nobody();
    let (status, _, err) = script(&nobody, "show version\nshow backends\n");
    let expected = format!("line 2: maglevd at {nobody}: cannot be reached: connection refused\n");
    assert_eq!((status, err), (3, expected));
}

#[test]
fn an_interrupt_ends_a_script_in_a_command_and_between_two() {
    let daemon = BackgroundDaemon::start(USUAL);
    for (lines, number, first) in
        [("watch events backend\nshow version\n", 1, "{"), ("show version\n", 2, "maglevc ")]
    {
        let mut command = maglevc(&daemon.address, "");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // Left open: more could come.
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(lines.as_bytes()).unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        assert!(line.starts_with(first), "{line}");
        child.stdout = Some(out.into_inner());
        kill_process(Pid::from_child(&child), Signal::INT).unwrap();
        let (status, _, err) = ended(child);
        assert_eq!(status, 130, "{err}");
        assert!(err.ends_with(&format!("line {number}: interrupted\n")), "{err}");
    }
}

#[test]
fn several_daemons_are_asked_and_the_missing_named() {
    let directory = tempfile::tempdir().unwrap();
    let daemons =
        [BackgroundDaemon::start(USUAL), BackgroundDaemon::start_in(directory.path(), USUAL)];
    let both = format!("{},{}", daemons[0].address, daemons[1].address);
    let (status, out, err) = ran(&mut maglevc(&both, "show vpp info"));
    assert_eq!((status, err.as_str()), (0, ""));
    let heads: Vec<&str> = out.lines().filter(|line| line.starts_with("== ")).collect();
    let expected = daemons.each_ref().map(|daemon| format!("== {} ==", daemon.address));
    assert_eq!(heads, expected);

    let (_socket, nobody) = nobody();
    let some = format!("{nobody},{}", daemons[0].address);
    let (status, out, err) = ran(&mut maglevc(&some, "--output json show backends"));
    let expected = format!("1 of 2 daemons gave no answer: not reached: {nobody}\n");
    assert_eq!((status, err), (3, expected));
    let value: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert!(value[0]["answer"].is_null() && value[0]["error"].is_string(), "{value}");
    assert!(value[1]["answer"].is_array() && value[1]["error"].is_null(), "{value}");
}
