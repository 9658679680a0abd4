//! `drain … wait`: a drain as a script's step. It lasts until no flow is left, the
//! timeout is over, or somebody else ends the drain.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use super::error::CliError;
use super::execute;
use super::render::{json, text};
use crate::api::views::text::printable;
use crate::cli::answer::CliAnswer;
use crate::cli::command::request::{DaemonRequest, DrainOptions};
use crate::cli::render::context::Tone;
use crate::cli::render::format::width;
use crate::cli::render::output::Output;
use crate::cli::render::time::span;
use crate::client::connection::DaemonClient;
use crate::client::error::ClientError;
use crate::client::requests;
use crate::pb;

/// How often the daemon is asked.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// How long a daemon may be away, so that a moment of it ends no drain of hours.
const AWAY: Duration = Duration::from_secs(5);

/// The least time between two lines of progress that say the same phase.
const LINE_INTERVAL: Duration = Duration::from_secs(10);

/// The time in which VPP has to forget what is left.
const FLUSH_LIMIT: Duration = Duration::from_secs(60);

/// Drains a backend and waits for the end of it, with its progress on standard error.
///
/// # Errors
/// [`CliError::Failed`] if flows are left at the timeout, or somebody else ended the
/// drain; [`CliError::Daemon`] if the daemon refuses it, or is away.
pub async fn run(
    client: DaemonClient,
    options: DrainOptions,
    output: Output,
    wait: Duration,
) -> Result<(), CliError> {
    let name = options.name.clone();
    let request = DaemonRequest::Drain(options);
    let answer = execute::execute(&client, request, wait).await?;
    let CliAnswer::BackendSet { mut backend, .. } = answer else { return Ok(()) };
    let mut progress = DrainProgress::new(output);
    let mut follower = DrainFollower::default();
    let end = loop {
        if let Some(drain) = &backend.drain {
            progress.show(&name, drain);
        }
        if let Some(end) = follower.judge(&backend, Instant::now()) {
            break end;
        }
        tokio::time::sleep(POLL_INTERVAL).await;
        backend = poll(&client, &name).await?.into();
    };
    progress.finish();
    let answer = CliAnswer::BackendSet { backend, is_to_end: false };
    output.answer(|context| text::text(&answer, context), || json::answer(&answer))?;
    end.map_err(|message| CliError::Failed { message })
}

/// Asks for the backend, until the daemon answers or has been away for too long.
async fn poll(client: &DaemonClient, name: &str) -> Result<pb::BackendInfo, ClientError> {
    let away_since = Instant::now();
    loop {
        match requests::backend(client.clone(), name.to_owned()).await {
            Err(ClientError::Unreachable { .. }) if away_since.elapsed() < AWAY => {
                tokio::time::sleep(POLL_INTERVAL).await;
            }
            answer => return answer,
        }
    }
}

/// Judges whether a drain is over.
#[derive(Debug, Default)]
struct DrainFollower {
    flushing_since: Option<Instant>,
}

impl DrainFollower {
    /// The outcome; `None`: it goes on.
    fn judge(&mut self, backend: &pb::BackendInfo, now: Instant) -> Option<Result<(), String>> {
        let name = printable(&backend.name);
        let Some(drain) = &backend.drain else {
            let state = printable(&backend.state);
            return Some(Err(format!(
                "the drain of {name} was ended before no flow was left; it is {state}"
            )));
        };
        let left = match drain.flows {
            None => "its flows could not be counted".into(),
            Some(1) => "1 flow is left".into(),
            Some(flows) => format!("{flows} flows are left"),
        };
        match drain.phase.as_str() {
            "drained" => Some(Ok(())),
            "overdue" => {
                let timeout = span(drain.timeout_ns);
                Some(Err(format!("{name} was not drained within {timeout}: {left}")))
            }
            "flushing" => {
                let since = *self.flushing_since.get_or_insert(now);
                let is_late = now.saturating_duration_since(since) > FLUSH_LIMIT;
                is_late.then(|| Err(format!("VPP does not forget the flows of {name}: {left}")))
            }
            _ => None,
        }
    }
}

/// A bar on a terminal, and lines otherwise.
struct DrainProgress {
    output: Output,
    is_terminal: bool,
    /// The phase of the last line, and when it was written.
    last: Option<(String, String, Instant)>,
}

impl DrainProgress {
    fn new(output: Output) -> Self {
        Self { output, is_terminal: std::io::stderr().is_terminal(), last: None }
    }

    fn show(&mut self, name: &str, drain: &pb::DrainInfo) {
        if self.is_terminal {
            let name = format!("{} ", printable(name));
            let room = width(&std::io::stderr()).unwrap_or(80).saturating_sub(name.len() + 1);
            let bar = text::drain::bar(drain, room);
            // Where it cannot be written, the exit status remains.
            let _ = write!(std::io::stderr(), "\r\x1b[K{name}{bar}");
            let _ = std::io::stderr().flush();
            return;
        }
        let (line, now) = (text::drain::line(drain), Instant::now());
        let is_news = self.last.as_ref().is_none_or(|(phase, last, at)| {
            *phase != drain.phase || (*last != line && now.duration_since(*at) >= LINE_INTERVAL)
        });
        if is_news {
            let text = format!("{}: {line}", printable(name));
            self.output.print_diagnostic(Tone::Plain, &text);
            self.last = Some((drain.phase.clone(), line, now));
        }
    }

    fn finish(&self) {
        if self.is_terminal {
            let _ = writeln!(std::io::stderr());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backend(phase: &str, flows: Option<u64>) -> pb::BackendInfo {
        let timeout_ns = 600_000_000_000;
        let drain = pb::DrainInfo { phase: phase.into(), flows, timeout_ns, ..Default::default() };
        let (name, state) = ("web1".into(), "paused".into());
        pb::BackendInfo { name, state, drain: Some(drain), ..Default::default() }
    }

    #[test]
    fn it_lasts_until_no_flow_is_left_or_the_timeout_is_over() {
        let now = Instant::now();
        let mut follower = DrainFollower::default();
        assert_eq!(follower.judge(&backend("draining", None), now), None);
        assert_eq!(follower.judge(&backend("drained", Some(0)), now), Some(Ok(())));
        let overdue = follower.judge(&backend("overdue", Some(3)), now).unwrap().unwrap_err();
        assert_eq!(overdue, "web1 was not drained within 10m: 3 flows are left");
    }

    #[test]
    fn a_drain_that_somebody_ended_is_not_one_that_is_over() {
        let resumed = pb::BackendInfo { drain: None, state: "up".into(), ..backend("", None) };
        let end = DrainFollower::default().judge(&resumed, Instant::now()).unwrap();
        assert_eq!(
            end.unwrap_err(),
            "the drain of web1 was ended before no flow was left; it is up"
        );
    }

    #[test]
    fn a_flush_is_waited_for_and_not_for_ever() {
        let (now, mut follower) = (Instant::now(), DrainFollower::default());
        let flushing = backend("flushing", Some(1));
        assert_eq!(follower.judge(&flushing, now), None);
        assert_eq!(follower.judge(&flushing, now + FLUSH_LIMIT), None);
        let late = now + FLUSH_LIMIT + POLL_INTERVAL;
        let end = follower.judge(&flushing, late).unwrap();
        assert_eq!(end.unwrap_err(), "VPP does not forget the flows of web1: 1 flow is left");
    }
}
