//! The test on the whole terminal.

use pty_process::blocking::Command;

use super::line_server::LineServer;
use crate::support::terminal::Terminal;

#[tokio::test(flavor = "multi_thread")]
async fn the_screen_shows_vips_and_events_and_leaves_a_summary() {
    let server = LineServer::start(&["a"]).await;
    let target = format!("tcp://{}", server.address);
    let command = Command::new(env!("CARGO_BIN_EXE_maglevt"))
        .env_remove("NO_COLOR")
        .env("TERM", "xterm-256color")
        .args([&*target, "--hold", "2", "--report", "100ms", "--interval", "20ms"]);
    tokio::task::block_in_place(|| {
        let mut terminal = Terminal::start(command, 24, 120);
        terminal.sees("LATEST EVENTS (UTC)");
        terminal.sees("2/2");
        server.change(|servers| servers.moved_to = Some("b"));
        terminal.sees("moved from a to b");
        terminal.types("q");
        terminal.sees("held 2/2");
        assert_eq!(terminal.ends(), 0, "{}", terminal.text());
        assert!(terminal.text().contains("PASSED"), "{}", terminal.text());
    });
}
