//! `watch events`: one JSON object a line, each written at once, until there
//! were enough or it is interrupted. A loss of the daemon does not end it.

use std::io::{ErrorKind, Write};

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::error::CliError;
use crate::cli::command::request::WatchOptions;
use crate::cli::render::json;
use crate::client::connection::DaemonClient;
use crate::client::follow::{FollowItem, FollowPolicy, StreamFollower};
use crate::pb;

/// How a command ended without an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandEnd {
    /// It was complete.
    Done,
    /// The operator interrupted it.
    Interrupted,
}

/// The events to request: naming any kind excludes those not named.
#[must_use]
pub fn request(options: &WatchOptions) -> pb::WatchRequest {
    let any = options.log
        || options.backend
        || options.frontend
        || options.dataplane
        || options.hold
        || options.drain
        || options.announcement
        || options.audit;
    let named = |kind: bool| any.then_some(kind);
    pb::WatchRequest {
        log: named(options.log),
        log_level: options.level.map_or_else(String::new, |level| level.as_str().to_owned()),
        backend: named(options.backend),
        frontend: named(options.frontend),
        dataplane: named(options.dataplane),
        // Where these are unset, a daemon sends none.
        hold: Some(!any || options.hold),
        drain: Some(!any || options.drain),
        announcement: Some(!any || options.announcement),
        audit: Some(!any || options.audit),
        ..pb::WatchRequest::default()
    }
}

/// Prints events to `out` until there were enough, SIGINT comes, or the reader
/// closed the pipe. `notice` gets a line when the daemon is lost, when it is
/// back, and when events were missed.
///
/// # Errors
/// [`CliError::Daemon`] when the daemon refuses the stream, or is unreachable
/// at the beginning.
pub async fn run(
    client: DaemonClient,
    options: &WatchOptions,
    out: &mut impl Write,
    notice: &mut impl FnMut(&str),
) -> Result<CommandEnd, CliError> {
    // From here on SIGINT ends the command, whatever it waits for.
    let mut interrupt = interrupts()?;
    tokio::select! {
        result = print(client, options, out, notice) => result.map(|()| CommandEnd::Done),
        _ = interrupt.recv() => Ok(CommandEnd::Interrupted),
    }
}

/// SIGINTs from now on.
///
/// # Errors
/// [`CliError::Local`] where the system does not deliver them.
pub fn interrupts() -> Result<Signal, CliError> {
    signal(SignalKind::interrupt())
        .map_err(|source| CliError::Local { attempted: "wait for an interrupt", source })
}

async fn print(
    client: DaemonClient,
    options: &WatchOptions,
    out: &mut impl Write,
    notice: &mut impl FnMut(&str),
) -> Result<(), CliError> {
    let failed = |source| CliError::Local { attempted: "write", source };
    let policy = FollowPolicy { retry_first: false, retry_refused: false };
    let mut follower = StreamFollower::new(client, request(options), policy);
    let mut left = options.count.unwrap_or(u64::MAX);
    while left > 0 {
        let event = match follower.next().await? {
            FollowItem::Event(event) => event,
            FollowItem::Lost { error, first: true } => {
                let error = CliError::from(error);
                notice(&format!("{error}; trying again until it is back"));
                continue;
            }
            FollowItem::Connected { again: true } => {
                notice("connected again");
                continue;
            }
            // The boot id of the events shows a restart.
            FollowItem::Restarted
            | FollowItem::Connected { again: false }
            | FollowItem::Lost { first: false, .. }
            | FollowItem::Refused(_) => continue,
        };
        if let Some(pb::event::Event::Missed(missed)) = &event.event {
            notice(&format!("{} events missed; the present state follows", missed.count));
        }
        let event = json::event(&event).map_err(|error| failed(error.into()))?;
        let line = json::line(&event);
        match writeln!(out, "{line}").and_then(|()| out.flush()) {
            Ok(()) => left -= 1,
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
            Err(source) => return Err(failed(source)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::command::request::LogLevelWord;

    #[test]
    fn naming_no_kind_requests_all() {
        let all = Some(true);
        let expected = pb::WatchRequest {
            hold: all,
            drain: all,
            audit: all,
            announcement: all,
            ..pb::WatchRequest::default()
        };
        assert_eq!(request(&WatchOptions::default()), expected);
    }

    #[test]
    fn naming_one_kind_excludes_the_others() {
        let level = Some(LogLevelWord::Debug);
        let options = WatchOptions { log: true, level, ..WatchOptions::default() };
        let expected = pb::WatchRequest {
            log: Some(true),
            log_level: "debug".into(),
            backend: Some(false),
            frontend: Some(false),
            dataplane: Some(false),
            hold: Some(false),
            drain: Some(false),
            audit: Some(false),
            announcement: Some(false),
            ..pb::WatchRequest::default()
        };
        assert_eq!(request(&options), expected);
    }
}
