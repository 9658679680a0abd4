//! A conversation over BIRD's control socket: one command at a time, since BIRD ends
//! a connection with more than 1024 bytes of pending commands.
//!
//! A reply is lines `NNNN-text`, ended by `NNNN text`; a line that begins with a
//! space continues the number before, one with a plus is not part of a reply.

use std::io;
use std::path::Path;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Take};
use tokio::net::UnixStream;

use crate::announce::DriverError;
use crate::announce::error::within_limit;

/// The numbers of replies that are decided by.
pub(super) mod code {
    pub(in crate::announce::bird) const OK: u16 = 0;
    pub(super) const WELCOME: u16 = 1;
    pub(in crate::announce::bird) const RECONFIGURED: u16 = 3;
    pub(in crate::announce::bird) const IN_PROGRESS: u16 = 4;
    pub(in crate::announce::bird) const QUEUED: u16 = 5;
    pub(in crate::announce::bird) const SHUTTING_DOWN: u16 = 6;
    pub(in crate::announce::bird) const RESTRICTED: u16 = 16;
    pub(in crate::announce::bird) const ROUTE: u16 = 1007;
    pub(in crate::announce::bird) const PROTOCOL: u16 = 1002;
    pub(in crate::announce::bird) const PROTOCOLS_HEADER: u16 = 2002;
    pub(in crate::announce::bird) const ATTRIBUTES: u16 = 1012;
    pub(in crate::announce::bird) const CONFIGURATION_ERROR: u16 = 8002;
    pub(in crate::announce::bird) const DENIED: u16 = 8007;
    pub(in crate::announce::bird) const PARSE_ERROR: u16 = 9001;
}

/// Longer than a reply about many thousand routes.
const LONGEST_REPLY: u64 = 16 * 1024 * 1024;

/// Its lines with their numbers; the last one ended it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BirdReply(pub(super) Vec<(u16, String)>);

impl BirdReply {
    /// The number that ended it.
    pub(super) fn code(&self) -> u16 {
        self.0.last().map_or(code::OK, |(code, _)| *code)
    }

    pub(super) fn last(&self) -> &str {
        self.0.last().map_or("", |(_, text)| text)
    }
}

pub(super) struct BirdControl {
    stream: BufReader<Take<UnixStream>>,
}

impl BirdControl {
    /// Connects and waits for the greeting: a BIRD that hangs accepts and never
    /// greets.
    pub(super) async fn connect(path: &Path) -> Result<Self, DriverError> {
        let attempt = format!("connecting to BIRD at {}", path.display());
        within_limit(&attempt, async {
            let stream = UnixStream::connect(path).await;
            let stream = stream.map_err(|error| unreachable(&attempt, &error))?;
            let mut control = Self { stream: BufReader::new(stream.take(LONGEST_REPLY)) };
            let greeting = control.reply(&attempt).await?;
            match greeting.code() {
                code::WELCOME => Ok(control),
                _ => Err(DriverError::not_understood(&attempt, greeting.last())),
            }
        })
        .await
    }

    /// Sends a command and waits for its reply.
    pub(super) async fn ask(&mut self, command: &str) -> Result<BirdReply, DriverError> {
        let attempt = format!("BIRD's `{command}`");
        within_limit(&attempt, async {
            let stream = self.stream.get_mut().get_mut();
            let sent = stream.write_all(format!("{command}\n").as_bytes()).await;
            sent.map_err(|error| DriverError::failed(&attempt, &error))?;
            self.reply(&attempt).await
        })
        .await
    }

    /// Waits until BIRD closes the connection.
    pub(super) async fn closed(&mut self) {
        let mut line = String::new();
        loop {
            line.clear();
            self.stream.get_mut().set_limit(LONGEST_REPLY);
            if !matches!(self.stream.read_line(&mut line).await, Ok(1..)) {
                return;
            }
        }
    }

    async fn reply(&mut self, attempt: &str) -> Result<BirdReply, DriverError> {
        let mut lines: Vec<(u16, String)> = Vec::new();
        self.stream.get_mut().set_limit(LONGEST_REPLY);
        loop {
            let mut line = String::new();
            let length = self.stream.read_line(&mut line).await;
            match length.map_err(|error| DriverError::failed(attempt, &error))? {
                0 if self.stream.get_ref().limit() == 0 => {
                    return Err(DriverError::not_understood(attempt, "the reply has no end"));
                }
                0 => {
                    return Err(DriverError::Unreachable {
                        attempt: attempt.into(),
                        reason: "BIRD closed the connection".into(),
                        remedy: "it was stopped or restarted".into(),
                    });
                }
                _ => {}
            }
            let line = line.trim_end_matches('\n');
            let is_last = match line.as_bytes() {
                [b'+', ..] => continue,
                [b' ', ..] => {
                    let code = lines.last().map_or(code::OK, |(code, _)| *code);
                    lines.push((code, line[1..].to_owned()));
                    continue;
                }
                [_, _, _, _, b'-', ..] => false,
                [_, _, _, _, b' ', ..] => true,
                _ => return Err(DriverError::not_understood(attempt, line)),
            };
            let code = line[..4].parse();
            let code = code.map_err(|_| DriverError::not_understood(attempt, line))?;
            lines.push((code, line[5..].to_owned()));
            if is_last {
                return Ok(BirdReply(lines));
            }
        }
    }
}

fn unreachable(attempt: &str, error: &io::Error) -> DriverError {
    let remedy = match error.kind() {
        io::ErrorKind::NotFound => "BIRD is not running, or its socket is elsewhere",
        io::ErrorKind::ConnectionRefused => "BIRD was killed and has left its socket: start it",
        io::ErrorKind::PermissionDenied => {
            let remedy = "put maglevd into BIRD's group: the drop-in announce-bird.conf does";
            return DriverError::NotPermitted { attempt: attempt.into(), remedy: remedy.into() };
        }
        _ => "see whether BIRD runs",
    };
    DriverError::Unreachable {
        attempt: attempt.into(),
        reason: error.to_string(),
        remedy: remedy.into(),
    }
}
