//! The shell in a terminal: typing, TAB, `?`, interrupts, history, a daemon
//! that goes and comes back.

use std::os::unix::fs::PermissionsExt;

use crate::support::fake_daemon::Behaviour;
use crate::support::fake_daemon::background::BackgroundDaemon;
use crate::support::terminal::{Terminal, maglevc};
use tempfile::TempDir;

const CTRL_A: &str = "\x01";
const CTRL_C: &str = "\x03";
const CTRL_D: &str = "\x04";
const UP: &str = "\x1b[A";

/// A shell at its first prompt.
struct Shell {
    terminal: Terminal,
    daemon: Option<BackgroundDaemon>,
    prompt: String,
    folder: TempDir,
}

impl Shell {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let daemon = BackgroundDaemon::start_in(folder.path(), Behaviour::USUAL);
        let mut shell = Self::without(folder, &daemon.address);
        shell.daemon = Some(daemon);
        shell
    }

    /// A shell of a daemon that need not be there.
    fn without(folder: TempDir, address: &str) -> Self {
        // Wide enough for the prompt, whatever the path of a temporary folder.
        let terminal = Terminal::start(maglevc(address, folder.path()), 40, 160);
        let prompt = format!("maglev {address}>");
        Self { terminal, daemon: None, prompt, folder }
    }

    /// Waits for a prompt with this typed behind it.
    fn prompts(&mut self, typed: &str) {
        let line = format!("{} {typed}", self.prompt);
        self.terminal.sees_last(&line);
    }
}

#[test]
fn lines_are_commands_and_mistakes_do_not_end_the_shell() {
    let mut shell = Shell::start();
    shell.prompts("");
    shell.terminal.types("show backend nginx0\r");
    shell.terminal.sees("connection refused");
    shell.prompts("");
    shell.terminal.types("shwo\r");
    shell.terminal.sees("did you mean `show`?");
    shell.terminal.types("show backend nobody\r");
    shell.terminal.sees("no backend `nobody`");
    shell.terminal.types("\r");
    shell.prompts("");
    shell.terminal.types("quit\r");
    assert_eq!(shell.terminal.ends(), 0);
}

#[test]
fn what_is_typed_ahead_is_not_lost() {
    let mut shell = Shell::start();
    shell.prompts("");
    // In one piece, as some terminals paste.
    shell.terminal.types("show version\rshow vpp info\rquit\r");
    assert_eq!(shell.terminal.ends(), 0);
    let shown = shell.terminal.text();
    assert!(shown.contains("(commit ") && shown.contains("26.02-release"), "{shown}");
}

#[test]
fn tab_completes_words_and_the_daemons_names() {
    let mut shell = Shell::start();
    shell.prompts("");
    shell.terminal.types("sho\tbackend\t");
    // Two words begin so.
    shell.prompts("show backend");
    shell.terminal.types(" ngi\t");
    shell.prompts("show backend nginx");
    shell.terminal.types("\t");
    shell.terminal.sees("nginx0  nginx1");
    shell.terminal.types("0\t\r");
    shell.terminal.sees("198.51.100.10");
    shell.prompts("");
    // Of this pool alone.
    shell.terminal.types("set frontend web pool fa\tbackend gr\t");
    shell.prompts("set frontend web pool fallback backend größter-ersatz");
}

#[test]
fn a_question_mark_says_what_can_follow_and_keeps_the_line() {
    let mut shell = Shell::start();
    shell.prompts("");
    shell.terminal.types("set backend ?");
    shell.terminal.sees("<backend>: bind0, größter-ersatz, new, nginx0, nginx1");
    shell.prompts("set backend");
    shell.terminal.types("nginx0 ?");
    shell.terminal.sees("undo disable");
    shell.prompts("set backend nginx0");
    // In the middle of a line it is about the place of the cursor.
    shell.terminal.types(&format!("{CTRL_A}?"));
    shell.terminal.sees("write the desired state to VPP");
    shell.prompts("set backend nginx0");
    shell.terminal.types(CTRL_C);
    shell.prompts("");
    // Quoted, it is a character.
    shell.terminal.types("show backend 'what?'\r");
    shell.terminal.sees("no backend `what?`");
}

#[test]
fn an_interrupt_gives_up_a_line_or_a_watch_and_ctrl_d_leaves() {
    let mut shell = Shell::start();
    shell.prompts("");
    shell.terminal.types("config reload");
    shell.prompts("config reload");
    shell.terminal.types(CTRL_C);
    shell.prompts("");
    shell.terminal.types("watch events backend\r");
    shell.terminal.sees("\"type\":\"backend\"");
    shell.terminal.types(CTRL_C);
    shell.prompts("");
    shell.terminal.types("show version\r");
    shell.terminal.sees("(commit ");
    assert!(!shell.terminal.text().contains("was reloaded"));
    shell.prompts("");
    shell.terminal.types(CTRL_D);
    assert_eq!(shell.terminal.ends(), 0);
}

#[test]
fn a_restart_of_the_daemon_is_told_and_survived() {
    let mut shell = Shell::start();
    shell.prompts("");
    shell.terminal.types("show back");
    shell.prompts("show back");
    drop(shell.daemon.take());
    shell.terminal.sees("the connection was lost; trying again until it is back");
    // The line that was being typed is still there.
    shell.prompts("show back");
    shell.daemon = Some(BackgroundDaemon::start_in(
        shell.folder.path(),
        Behaviour { boot_id: 1, ..Behaviour::USUAL },
    ));
    shell.terminal.sees("connected again");
    shell.terminal.sees("maglevd was restarted");
    shell.prompts("show back");
    shell.terminal.types("ends\r");
    shell.terminal.sees("größter-ersatz");
}

#[test]
fn a_daemon_that_is_not_there_yet_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("unix:{}", folder.path().join("maglevd.sock").display());
    let mut shell = Shell::without(folder, &address);
    shell.terminal.sees("cannot be reached: no such file or directory; trying again");
    shell.terminal.sees(&format!("maglev {address} (away)>"));
    shell.terminal.types("show vpp info\r");
    shell.terminal.sees_last(&format!("maglev {address} (away)>"));
    shell.daemon = Some(BackgroundDaemon::start_in(shell.folder.path(), Behaviour::USUAL));
    shell.terminal.sees("connected again");
    shell.terminal.types("show vpp info\r");
    shell.terminal.sees("26.02-release");
    shell.prompts("");
}

#[test]
fn lines_are_remembered_for_their_user_alone() {
    let mut shell = Shell::start();
    shell.prompts("");
    shell.terminal.types("show version\r");
    shell.terminal.sees("(commit ");
    shell.terminal.types(" show vpp info\r");
    shell.terminal.sees("26.02-release");
    // Killed, not left: the line is kept all the same.
    shell.terminal.signal(rustix::process::Signal::KILL);
    let history = shell.folder.path().join("maglevc/history");
    let kept = std::fs::read_to_string(&history).unwrap();
    assert!(kept.contains("show version") && !kept.contains("info"), "{kept}");
    assert_eq!(history.metadata().unwrap().permissions().mode() & 0o777, 0o600);

    let address = &shell.daemon.as_ref().unwrap().address;
    shell.terminal = Terminal::start(maglevc(address, shell.folder.path()), 40, 160);
    shell.prompts("");
    shell.terminal.types(UP);
    shell.prompts("show version");
}

#[test]
fn a_narrower_terminal_shows_the_line_still() {
    let mut shell = Shell::start();
    shell.prompts("");
    shell.terminal.types("show frontend web");
    shell.prompts("show frontend web");
    shell.terminal.resize(20, 100);
    shell.terminal.types(" if");
    shell.prompts("show frontend web if");
}
