//! maglevc when its terminal is closed and no SIGHUP says so.

use crate::support::fake_daemon::Behaviour;
use crate::support::fake_daemon::background::BackgroundDaemon;
use crate::support::hangup::ClosableTerminal;
use pty_process::blocking::Command;

/// maglevc in a terminal, with SIGHUP ignored as under nohup(1).
fn deaf(server: &str, state: &std::path::Path, words: &[&str]) -> ClosableTerminal {
    let command = Command::new("/bin/sh")
        .env_remove("NO_COLOR")
        .env_remove("MAGLEV_SERVER")
        .env("TERM", "xterm-256color")
        .env("XDG_STATE_HOME", state)
        .args(["-c", r#"trap "" HUP; exec "$0" "$@""#, env!("CARGO_BIN_EXE_maglevc")])
        .args(["--server", server])
        .args(words);
    ClosableTerminal::start(command)
}

#[test]
fn the_end_of_the_terminal_is_the_end_of_input() {
    let folder = tempfile::tempdir().unwrap();
    let daemon = BackgroundDaemon::start(Behaviour::USUAL);
    let prompt = format!("maglev {}>", daemon.address);

    let mut idle = deaf(&daemon.address, folder.path(), &[]);
    idle.sees(&prompt);
    idle.closed();

    // While a command of the shell runs, and within the view.
    for (line, shown) in [("watch events", "\"seq\""), ("watch state", "LATEST CHANGES")] {
        let mut shell = deaf(&daemon.address, folder.path(), &[]);
        shell.sees(&prompt);
        shell.types(&format!("{line}\r"));
        shell.sees(shown);
        shell.closed();
    }

    // Without a shell.
    for (words, shown) in [(["watch", "events"], "\"seq\""), (["watch", "state"], "LATEST CHANGES")]
    {
        let mut watch = deaf(&daemon.address, folder.path(), &words);
        watch.sees(shown);
        let status = watch.closed();
        assert!(status.success(), "{words:?}: {status}");
    }
}
