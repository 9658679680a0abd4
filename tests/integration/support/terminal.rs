//! A terminal for maglevc to run in: what it shows is read from a screen, and
//! waited for.

use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::os::fd::AsFd;
use std::process::Child;
use std::sync::mpsc::{self, Receiver};
use std::time::Instant;

use pty_process::Size;
use pty_process::blocking::{Command, Pty, open};
use rustix::process::{Pid, Signal, kill_process};

use super::wait::DEADLINE;

/// A terminal with a program in it, which ends with this.
pub(crate) struct Terminal {
    pty: Pty,
    output: Receiver<Vec<u8>>,
    screen: vt100::Parser,
    child: Child,
}

/// maglevc for a terminal, without anything of the environment that it heeds,
/// and with a state folder of its own.
pub(crate) fn maglevc(server: &str, state: &std::path::Path) -> Command {
    Command::new(env!("CARGO_BIN_EXE_maglevc"))
        .env_remove("NO_COLOR")
        .env_remove("MAGLEV_SERVER")
        .env("TERM", "xterm-256color")
        .env("XDG_STATE_HOME", state)
        .args(["--server", server])
}

impl Terminal {
    /// Starts a program in a terminal of so many rows and columns.
    pub(crate) fn start(command: Command, rows: u16, columns: u16) -> Self {
        let (pty, pts) = open().unwrap();
        pty.resize(Size::new(rows, columns)).unwrap();
        let child = command.spawn(pts).unwrap();
        let mut reader = File::from(pty.as_fd().try_clone_to_owned().unwrap());
        let (sink, output) = mpsc::channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // The end of the program is an error of the terminal.
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                if sink.send(bytes[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        let screen = vt100::Parser::new(some(rows), some(columns), 1000);
        Self { pty, output, screen, child }
    }

    /// Types.
    pub(crate) fn types(&mut self, text: &str) {
        self.pty.write_all(text.as_bytes()).unwrap();
    }

    /// Changes the size of the terminal.
    pub(crate) fn resize(&mut self, rows: u16, columns: u16) {
        self.screen.screen_mut().set_size(some(rows), some(columns));
        self.pty.resize(Size::new(rows, columns)).unwrap();
    }

    /// What the screen shows, a line each.
    pub(crate) fn text(&self) -> String {
        self.screen.screen().contents()
    }

    /// The screen.
    pub(crate) fn screen(&self) -> &vt100::Screen {
        self.screen.screen()
    }

    /// Waits until the screen is as wanted.
    pub(crate) fn waits(&mut self, what: &str, wanted: impl Fn(&vt100::Screen) -> bool) {
        let deadline = Instant::now() + DEADLINE;
        while !wanted(self.screen.screen()) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(bytes) => self.screen.process(&bytes),
                Err(_) => panic!("not seen: {what}; the screen:\n{}", self.text()),
            }
        }
    }

    /// Waits until a text is on the screen.
    pub(crate) fn sees(&mut self, text: &str) {
        self.waits(text, |screen| screen.contents().contains(text));
    }

    /// Waits until a text is no longer on the screen.
    pub(crate) fn sees_no_more(&mut self, text: &str) {
        self.waits(&format!("no {text}"), |screen| !screen.contents().contains(text));
    }

    /// Waits until the last line on the screen is this one.
    pub(crate) fn sees_last(&mut self, line: &str) {
        let last = |screen: &vt100::Screen| {
            screen.contents().trim_end().lines().last().unwrap_or("").trim_end() == line.trim_end()
        };
        self.waits(&format!("as the last line: {line}"), last);
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for the end, with all that is shown until then; the exit status.
    pub(crate) fn ends(&mut self) -> i32 {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(bytes) => self.screen.process(&bytes),
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(mpsc::RecvTimeoutError::Timeout) => panic!("no end:\n{}", self.text()),
            }
        }
        self.child.wait().unwrap().code().unwrap()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It has ended, or it is ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn some(size: u16) -> NonZeroU16 {
    NonZeroU16::new(size).unwrap()
}
