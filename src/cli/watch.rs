//! `watch events`: one JSON object a line, each written at once, until enough,
//! interrupted, or the daemon goes away.

use std::io::Write;

use tokio::signal::unix::{SignalKind, signal};
use tonic::Code;

use super::command::Watch;
use super::error::{CliError, Loss};
use super::json;
use super::server::Client;
use crate::pb;

/// What is asked of the daemon: naming any kind means only the named ones.
#[must_use]
pub fn request(watch: &Watch) -> pb::WatchRequest {
    let any = watch.log || watch.backend || watch.frontend || watch.dataplane;
    let named = |kind: bool| any.then_some(kind);
    pb::WatchRequest {
        log: named(watch.log),
        log_level: watch.level.map_or_else(String::new, |level| level.as_str().to_owned()),
        backend: named(watch.backend),
        frontend: named(watch.frontend),
        dataplane: named(watch.dataplane),
        ..pb::WatchRequest::default()
    }
}

/// Prints events to `out` until there were enough, SIGINT comes, or nobody
/// reads any more.
///
/// # Errors
/// [`CliError::Refused`] when the daemon takes no more watchers,
/// [`CliError::Unreachable`] when it goes away.
pub async fn watch(client: &Client, watch: &Watch, out: &mut impl Write) -> Result<(), CliError> {
    // From here on an interrupt is a way to end, whatever is awaited.
    let mut interrupt = signal(SignalKind::interrupt())
        .map_err(|source| CliError::Local { attempted: "wait for an interrupt", source })?;
    tokio::select! {
        result = follow(client, watch, out) => result,
        _ = interrupt.recv() => Ok(()),
    }
}

async fn follow(client: &Client, watch: &Watch, out: &mut impl Write) -> Result<(), CliError> {
    let ended = |status: &tonic::Status| match status.code() {
        Code::Unavailable if std::error::Error::source(status).is_none() => {
            client.lost(Loss::Stopping)
        }
        _ => client.error(status),
    };
    let mut grpc = client.grpc.clone();
    let response = grpc.watch_events(request(watch)).await.map_err(|status| ended(&status))?;
    let mut stream = response.into_inner();
    let mut left = watch.count.unwrap_or(u64::MAX);
    while left > 0 {
        let event = stream.message().await.map_err(|status| ended(&status))?;
        let Some(event) = event else { return Err(client.lost(Loss::Stopping)) };
        match writeln!(out, "{}", json::event(&event)).and_then(|()| out.flush()) {
            Ok(()) => left -= 1,
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(()),
            Err(source) => return Err(CliError::Local { attempted: "write", source }),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::command::LogLevel;

    #[test]
    fn naming_none_asks_for_all() {
        assert_eq!(request(&Watch::default()), pb::WatchRequest::default());
    }

    #[test]
    fn naming_one_leaves_the_others_out() {
        let watch = Watch { log: true, level: Some(LogLevel::Debug), ..Watch::default() };
        let expected = pb::WatchRequest {
            log: Some(true),
            log_level: "debug".into(),
            backend: Some(false),
            frontend: Some(false),
            dataplane: Some(false),
            ..pb::WatchRequest::default()
        };
        assert_eq!(request(&watch), expected);
    }
}
