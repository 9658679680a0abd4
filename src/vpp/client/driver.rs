//! The task that owns a connection: it moves bytes between socket and session
//! and decides nothing.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};

use crate::vpp::session::{Answer, Call, EndReason, Failure, Session, Stats};

/// Who waits for a call's outcome.
pub(super) type Token = oneshot::Sender<Result<Answer, Failure>>;

/// What handles ask of the task.
pub(super) enum Command {
    /// Send these, in order.
    Submit(Vec<Call<Token>>),
    /// Tell what was counted.
    Stats(oneshot::Sender<Stats>),
    /// Say goodbye.
    Leave,
}

/// Bytes that one read takes.
const READ: usize = 64 << 10;

pub(super) struct Driver {
    stream: Arc<UnixStream>,
    session: Session<Token>,
    commands: mpsc::Receiver<Command>,
    ended: watch::Sender<Option<EndReason>>,
    counted: watch::Sender<Stats>,
    /// The session's times are counted from here.
    start: Instant,
    buffer: Box<[u8]>,
    /// No handle is left to command anything.
    deserted: bool,
}

impl Driver {
    pub(super) fn new(
        stream: Arc<UnixStream>,
        make: impl FnOnce(Duration) -> Session<Token>,
        commands: mpsc::Receiver<Command>,
        (ended, counted): (watch::Sender<Option<EndReason>>, watch::Sender<Stats>),
    ) -> Self {
        Self {
            stream,
            session: make(Duration::ZERO),
            commands,
            ended,
            counted,
            start: Instant::now(),
            buffer: vec![0; READ].into_boxed_slice(),
            deserted: false,
        }
    }

    pub(super) fn session(&self) -> &Session<Token> {
        &self.session
    }

    /// Runs until the handshake is answered.
    pub(super) async fn handshake(&mut self) -> Result<(), EndReason> {
        while self.session.table().is_none() {
            if let Some(why) = self.session.ended() {
                return Err(why);
            }
            self.turn().await;
        }
        Ok(())
    }

    /// Runs until the connection ends, and tells everybody how.
    pub(super) async fn run(mut self) {
        let why = loop {
            if let Some(why) = self.session.ended() {
                break why;
            }
            self.turn().await;
        };
        // Whoever sends after this learns the reason from the watch; what is
        // in the channel already was never sent.
        self.commands.close();
        self.counted.send_replace(self.session.stats().clone());
        self.ended.send_replace(Some(why));
        while let Ok(command) = self.commands.try_recv() {
            self.obey(command);
        }
        self.report();
    }

    /// Writes what can be written, then waits for one thing to happen.
    async fn turn(&mut self) {
        self.write();
        let now = self.now();
        let more = !self.session.output(now).is_empty();
        let interest =
            if more { Interest::READABLE | Interest::WRITABLE } else { Interest::READABLE };
        let deadline = self.session.deadline().map(|at| self.start + at);
        let alarm = sleep_until(deadline.unwrap_or(self.start));
        tokio::select! {
            command = self.commands.recv(), if !self.deserted => match command {
                Some(command) => {
                    self.obey(command);
                    // What was asked together goes out together.
                    while let Ok(command) = self.commands.try_recv() {
                        self.obey(command);
                    }
                }
                None => {
                    self.deserted = true;
                    self.session.leave(self.now());
                }
            },
            ready = self.stream.ready(interest) => match ready {
                Ok(_) => self.read(),
                Err(error) => self.session.lost(EndReason::Io(error.kind())),
            },
            () = alarm, if deadline.is_some() => self.session.expire(self.now()),
        }
        self.report();
    }

    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Submit(calls) => calls.into_iter().for_each(|call| self.session.submit(call)),
            Command::Stats(to) => drop(to.send(self.session.stats().clone())),
            Command::Leave => self.session.leave(self.now()),
        }
    }

    fn write(&mut self) {
        let now = self.now();
        loop {
            let output = self.session.output(now);
            if output.is_empty() {
                return;
            }
            match self.stream.try_write(output) {
                Ok(count) => self.session.written(count),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                // What VPP said before it went is read before the end is told.
                Err(error) => {
                    self.read();
                    return self.session.lost(closed_or(error.kind()));
                }
            }
        }
    }

    fn read(&mut self) {
        loop {
            match self.stream.try_read(&mut self.buffer) {
                Ok(0) => return self.session.lost(EndReason::PeerClosed),
                Ok(count) => {
                    let now = self.now();
                    self.session.received(now, self.buffer.get(..count).unwrap_or_default());
                    if count < READ {
                        return;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) => return self.session.lost(closed_or(error.kind())),
            }
        }
    }

    /// Hands outcomes to those who still wait for them.
    fn report(&mut self) {
        while let Some(done) = self.session.next_done() {
            drop(done.token.send(done.result));
        }
    }
}

/// A peer that is gone shows in several ways.
fn closed_or(kind: ErrorKind) -> EndReason {
    match kind {
        ErrorKind::BrokenPipe | ErrorKind::ConnectionReset => EndReason::PeerClosed,
        other => EndReason::Io(other),
    }
}
