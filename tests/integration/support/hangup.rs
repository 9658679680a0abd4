//! A terminal that is closed while a program runs in it.

use std::io::Read;
use std::process::{Child, ExitStatus};

use pty_process::Size;
use pty_process::blocking::{Command, Pty, open};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::wait::DEADLINE;

/// The other end of the terminal, with nothing else that keeps it open.
pub(crate) struct ClosableTerminal {
    pty: Pty,
    child: Child,
    shown: Vec<u8>,
}

impl ClosableTerminal {
    pub(crate) fn start(command: Command) -> Self {
        let (pty, pts) = open().unwrap();
        pty.resize(Size::new(24, 80)).unwrap();
        let child = command.spawn(pts).unwrap();
        Self { pty, child, shown: Vec::new() }
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    pub(crate) fn types(&mut self, text: &str) {
        std::io::Write::write_all(&mut self.pty, text.as_bytes()).unwrap();
    }

    /// Reads until the program has written this since the last call.
    pub(crate) fn sees(&mut self, text: &str) {
        loop {
            if let Some(at) =
                self.shown.windows(text.len()).position(|part| part == text.as_bytes())
            {
                self.shown.drain(..at + text.len());
                return;
            }
            let limit = DEADLINE.try_into().unwrap();
            let readable = poll(&mut [PollFd::new(&self.pty, PollFlags::IN)], Some(&limit));
            let mut bytes = [0; 4096];
            let count = readable.map(|_| self.pty.read(&mut bytes).unwrap_or(0)).unwrap();
            let shown = String::from_utf8_lossy(&self.shown);
            assert!(count > 0, "not seen: {text}; there was:\n{shown}");
            self.shown.extend_from_slice(&bytes[..count]);
        }
    }

    /// Closes the terminal; how the program ends then.
    pub(crate) fn closed(self) -> ExitStatus {
        let Self { pty, mut child, .. } = self;
        drop(pty);
        let process = pidfd_open(Pid::from_child(&child), PidfdFlags::empty()).unwrap();
        let limit = DEADLINE.try_into().unwrap();
        let ended = poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&limit));
        if ended != Ok(1) {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("it outlives its terminal");
        }
        child.wait().unwrap()
    }
}
