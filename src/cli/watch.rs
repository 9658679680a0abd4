//! `watch events`: one JSON object a line, each written at once, until enough
//! or interrupted. When the daemon goes away it is called again, and what
//! happened meanwhile is asked for.

use std::io::Write;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tonic::{Code, Status, Streaming};

use super::error::{CliError, ConnectionLoss};
use crate::cli::command::request::Watch;
use crate::cli::render::json;
use crate::client::server::DaemonClient;
use crate::pb;

/// How long to wait before a daemon that went away is called again.
pub const AGAIN: Duration = Duration::from_millis(500);

/// How a command ended that was not refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandEnd {
    /// By itself.
    Done,
    /// The operator had seen enough.
    Interrupted,
}

/// What is asked of the daemon: naming any kind means only the named ones.
#[must_use]
pub fn request(watch: &Watch, resume: Option<pb::ResumePoint>) -> pb::WatchRequest {
    let any = watch.log || watch.backend || watch.frontend || watch.dataplane;
    let named = |kind: bool| any.then_some(kind);
    pb::WatchRequest {
        log: named(watch.log),
        log_level: watch.level.map_or_else(String::new, |level| level.as_str().to_owned()),
        backend: named(watch.backend),
        frontend: named(watch.frontend),
        dataplane: named(watch.dataplane),
        resume,
        ..pb::WatchRequest::default()
    }
}

/// Prints events to `out` until there were enough, SIGINT comes, or nobody
/// reads any more. `notice` is told when the daemon is lost and found again,
/// and how many events were lost with it.
///
/// # Errors
/// [`CliError::Refused`] when the daemon takes no more watchers,
/// [`CliError::Unreachable`] when it cannot be reached at the beginning.
pub async fn watch(
    client: &DaemonClient,
    watch: &Watch,
    out: &mut impl Write,
    notice: &mut impl FnMut(&str),
) -> Result<CommandEnd, CliError> {
    // From here on an interrupt is a way to end, whatever is awaited.
    let mut interrupt = interrupts()?;
    tokio::select! {
        result = follow(client, watch, out, notice) => result.map(|()| CommandEnd::Done),
        _ = interrupt.recv() => Ok(CommandEnd::Interrupted),
    }
}

/// SIGINTs from now on.
///
/// # Errors
/// [`CliError::Local`] where the system does not deliver them.
pub fn interrupts() -> Result<tokio::signal::unix::Signal, CliError> {
    signal(SignalKind::interrupt())
        .map_err(|source| CliError::Local { attempted: "wait for an interrupt", source })
}

/// Opens a stream of events.
///
/// # Errors
/// As a request; [`ConnectionLoss::Stopping`] from a daemon that is about to end.
pub async fn open(
    client: &DaemonClient,
    request: pb::WatchRequest,
) -> Result<Streaming<pb::Event>, CliError> {
    let mut grpc = client.grpc.clone();
    match grpc.watch_events(request).await {
        Ok(response) => Ok(response.into_inner()),
        Err(status) => Err(ended(client, &status)),
    }
}

/// The next event of a stream.
///
/// # Errors
/// Why there is none.
pub async fn next(
    client: &DaemonClient,
    stream: &mut Streaming<pb::Event>,
) -> Result<pb::Event, CliError> {
    match stream.message().await {
        Ok(Some(event)) => Ok(event),
        Ok(None) => Err(client.lost(ConnectionLoss::Stopping)),
        Err(status) => Err(ended(client, &status)),
    }
}

fn ended(client: &DaemonClient, status: &Status) -> CliError {
    match status.code() {
        Code::Unavailable if std::error::Error::source(status).is_none() => {
            client.lost(ConnectionLoss::Stopping)
        }
        _ => client.error(status),
    }
}

/// Where a stream ended for one who wants to go on from there.
fn point(event: &pb::Event) -> pb::ResumePoint {
    pb::ResumePoint { boot_id: event.boot_id, seq: event.seq }
}

async fn follow(
    client: &DaemonClient,
    watch: &Watch,
    out: &mut impl Write,
    notice: &mut impl FnMut(&str),
) -> Result<(), CliError> {
    let mut left = watch.count.unwrap_or(u64::MAX);
    let mut seen: Option<pb::ResumePoint> = None;
    let mut stream = open(client, request(watch, None)).await?;
    while left > 0 {
        let event = match next(client, &mut stream).await {
            Ok(event) => event,
            Err(lost @ CliError::Unreachable { .. }) => {
                notice(&format!("{lost}; trying again until it is back"));
                stream = reopen(client, watch, seen).await?;
                notice("connected again");
                continue;
            }
            Err(error) => return Err(error),
        };
        seen = Some(point(&event));
        if let Some(pb::event::Event::Missed(missed)) = &event.event {
            notice(&format!("{} events missed; the present state follows", missed.count));
        }
        match writeln!(out, "{}", json::event(&event)).and_then(|()| out.flush()) {
            Ok(()) => left -= 1,
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(()),
            Err(source) => return Err(CliError::Local { attempted: "write", source }),
        }
    }
    Ok(())
}

/// Calls the daemon until it answers, and asks for all that happened since.
async fn reopen(
    client: &DaemonClient,
    watch: &Watch,
    seen: Option<pb::ResumePoint>,
) -> Result<Streaming<pb::Event>, CliError> {
    loop {
        tokio::time::sleep(AGAIN).await;
        match open(client, request(watch, seen)).await {
            Err(CliError::Unreachable { .. }) => {}
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::command::request::LogLevelWord;

    #[test]
    fn naming_none_asks_for_all() {
        assert_eq!(request(&Watch::default(), None), pb::WatchRequest::default());
    }

    #[test]
    fn naming_one_leaves_the_others_out() {
        let watch = Watch { log: true, level: Some(LogLevelWord::Debug), ..Watch::default() };
        let resume = Some(pb::ResumePoint { boot_id: 7, seq: 9 });
        let expected = pb::WatchRequest {
            log: Some(true),
            log_level: "debug".into(),
            backend: Some(false),
            frontend: Some(false),
            dataplane: Some(false),
            resume,
            ..pb::WatchRequest::default()
        };
        assert_eq!(request(&watch, resume), expected);
    }
}
