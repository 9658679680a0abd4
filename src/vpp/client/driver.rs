//! The task that owns a connection: it moves bytes between socket and session
//! and decides nothing.

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};

use crate::vpp::session::{Call, CallAnswer, CallFailure, EndReason, Session, SessionStats};

/// Takes a call's outcome.
pub(super) type CallToken = oneshot::Sender<Result<CallAnswer, CallFailure>>;

/// What handles send to the task.
pub(super) enum DriverCommand {
    /// Send these, in order.
    Submit(Vec<Call<CallToken>>),
    /// Answer with what was counted.
    Stats(oneshot::Sender<SessionStats>),
    /// Say goodbye and end.
    Leave,
}

/// Bytes that one read takes.
const READ: usize = 64 << 10;

pub(super) struct Driver {
    /// Watched for something to read alone: to watch it for room to write would
    /// wake this thread each time VPP takes a message.
    stream: AsyncFd<Arc<UnixStream>>,
    /// Watched for room to write, while there is none.
    writable: Option<AsyncFd<Arc<UnixStream>>>,
    session: Session<CallToken>,
    commands: mpsc::Receiver<DriverCommand>,
    ended: watch::Sender<Option<EndReason>>,
    counted: watch::Sender<SessionStats>,
    /// The session's times are counted from here.
    start: Instant,
    buffer: Box<[u8]>,
    /// No handle is left that could send a command.
    is_orphaned: bool,
}

impl Driver {
    /// A driver of a stream that does not block.
    ///
    /// # Errors
    /// The system has no means to wait for it.
    pub(super) fn new(
        stream: Arc<UnixStream>,
        make: impl FnOnce(Duration) -> Session<CallToken>,
        commands: mpsc::Receiver<DriverCommand>,
        (ended, counted): (watch::Sender<Option<EndReason>>, watch::Sender<SessionStats>),
    ) -> io::Result<Self> {
        Ok(Self {
            stream: watch(stream, Interest::READABLE)?,
            writable: None,
            session: make(Duration::ZERO),
            commands,
            ended,
            counted,
            start: Instant::now(),
            buffer: vec![0; READ].into_boxed_slice(),
            is_orphaned: false,
        })
    }

    pub(super) fn session(&self) -> &Session<CallToken> {
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

    /// Runs until the connection ends, and publishes the reason.
    pub(super) async fn run(mut self) {
        let why = loop {
            if let Some(why) = self.session.ended() {
                break why;
            }
            self.turn().await;
        };
        // A handle that sends after this finds the reason in the watch; what is
        // in the channel already was never sent.
        self.commands.close();
        self.counted.send_replace(self.session.stats().clone());
        self.ended.send_replace(Some(why));
        while let Ok(command) = self.commands.try_recv() {
            self.execute(command);
        }
        self.deliver_outcomes();
    }

    /// Writes what can be written, then waits for one thing to happen.
    async fn turn(&mut self) {
        self.write();
        let deadline = self.session.deadline().map(|at| self.start + at);
        let timer = sleep_until(deadline.unwrap_or(self.start));
        tokio::select! {
            command = self.commands.recv(), if !self.is_orphaned => match command {
                Some(command) => {
                    self.execute(command);
                    // Commands that came together go out together.
                    while let Ok(command) = self.commands.try_recv() {
                        self.execute(command);
                    }
                }
                None => {
                    self.is_orphaned = true;
                    self.session.leave(self.now());
                }
            },
            ready = self.stream.readable() => match ready {
                Ok(mut ready) => {
                    let now = self.now();
                    read(self.stream.get_ref(), &mut self.buffer, now, &mut self.session);
                    ready.clear_ready();
                }
                Err(error) => self.session.lost(EndReason::Io(error.kind())),
            },
            ready = has_room(self.writable.as_ref()), if self.writable.is_some() => {
                // What waits is written with the next turn.
                self.writable = None;
                if let Err(error) = ready {
                    self.session.lost(EndReason::Io(error.kind()));
                }
            }
            () = timer, if deadline.is_some() => self.session.expire(self.now()),
        }
        self.deliver_outcomes();
    }

    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn execute(&mut self, command: DriverCommand) {
        match command {
            DriverCommand::Submit(calls) => {
                for call in calls {
                    self.session.submit(call);
                }
            }
            DriverCommand::Stats(to) => drop(to.send(self.session.stats().clone())),
            DriverCommand::Leave => self.session.leave(self.now()),
        }
    }

    fn write(&mut self) {
        let now = self.now();
        while self.writable.is_none() {
            let output = self.session.output(now);
            if output.is_empty() {
                return;
            }
            match self.stream.get_ref().as_ref().write(output) {
                Ok(count) => self.session.written(count),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    match wait_for_room(self.stream.get_ref()) {
                        Ok(writable) => self.writable = Some(writable),
                        Err(error) => return self.session.lost(EndReason::Io(error.kind())),
                    }
                }
                // What VPP sent before it closed is read first.
                Err(error) => {
                    read(self.stream.get_ref(), &mut self.buffer, now, &mut self.session);
                    return self.session.lost(closed_or(error.kind()));
                }
            }
        }
    }

    fn deliver_outcomes(&mut self) {
        while let Some(done) = self.session.next_done() {
            drop(done.token.send(done.result));
        }
    }
}

/// Gives the session what there is to read.
fn read(mut from: &UnixStream, buffer: &mut [u8], now: Duration, to: &mut Session<CallToken>) {
    loop {
        match from.read(buffer) {
            Ok(0) => return to.lost(EndReason::PeerClosed),
            Ok(count) => {
                to.received(now, buffer.get(..count).unwrap_or_default());
                if count < buffer.len() {
                    return;
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return,
            Err(error) => return to.lost(closed_or(error.kind())),
        }
    }
}

/// Watches for room to write, by a descriptor of its own: the one that is read
/// from is watched already.
fn wait_for_room(stream: &UnixStream) -> io::Result<AsyncFd<Arc<UnixStream>>> {
    watch(Arc::new(stream.try_clone()?), Interest::WRITABLE)
}

#[expect(unsafe_code, reason = "tokio's own socket is always watched for both")]
fn watch(stream: Arc<UnixStream>, interest: Interest) -> io::Result<AsyncFd<Arc<UnixStream>>> {
    // SAFETY: the descriptor stays that of this socket for as long as there is a
    // reference to it, and this one goes with what watches it.
    let watched = unsafe { AsyncFd::register_with_interest(stream, interest) };
    watched.map_err(io::Error::from)
}

async fn has_room(writable: Option<&AsyncFd<Arc<UnixStream>>>) -> io::Result<()> {
    match writable {
        Some(writable) => writable.writable().await.map(drop),
        None => Ok(()),
    }
}

/// A peer that is gone shows in several ways.
fn closed_or(kind: ErrorKind) -> EndReason {
    match kind {
        ErrorKind::BrokenPipe | ErrorKind::ConnectionReset => EndReason::PeerClosed,
        other => EndReason::Io(other),
    }
}
