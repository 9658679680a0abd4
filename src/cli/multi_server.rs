//! One request to several daemons at once. Answers of many lines stand under a heading
//! each, those of a change in one line each, in the order in which the daemons were
//! named; those that could not be reached, or refused, are named at the end.

mod all_or_none;
mod compare;
mod fan_out;
mod timeline;

use std::time::Duration;

use serde_json::{Value, json};

use super::error::{CliError, MultiIntent};
use super::render::{json, text};
use super::{dispatch, execute, set};
use crate::cli::command::request::{CliCommand, DaemonRequest};
use crate::cli::render::context::{RenderContext, Tone};
use crate::cli::render::output::Output;
use crate::client::connection::{DaemonAccess, DaemonClient};
pub use all_or_none::{Fate, Fates, change_all_or_none};
pub use fan_out::ServerAnswer;
use fan_out::at_all;

/// Executes a command that goes to several daemons.
///
/// # Errors
/// Those of the command; [`CliError::Options`] for one that takes one daemon.
pub async fn execute(
    servers: &[DaemonAccess],
    command: CliCommand,
    output: Output,
    options: MultiOptions,
) -> Result<(), CliError> {
    let MultiOptions { wait, all_or_none } = options;
    let can_be_undone =
        matches!(&command, CliCommand::Request(request) if set::can_be_undone(request));
    if all_or_none && !can_be_undone {
        let message = "--all-or-none is for `set …`, which can be undone".into();
        return Err(CliError::Options { message });
    }
    let request = match command {
        CliCommand::Request(request) => request,
        CliCommand::Compare => return compare::execute(servers, output).await,
        CliCommand::DrainAndWait(_) => {
            let message = "one drain is waited for: name one --server, or leave out `wait`";
            return Err(CliError::Options { message: message.into() });
        }
        CliCommand::WatchState | CliCommand::WatchEvents(_) => {
            let message = "a watch follows one daemon: name one --server; what happened at \
                           several is in `show timeline`";
            return Err(CliError::Options { message: message.into() });
        }
        // No daemon is needed.
        local @ (CliCommand::Help
        | CliCommand::Quit
        | CliCommand::ShowVersion
        | CliCommand::Completions(_)) => {
            let connect = async || Ok(DaemonClient::lazy(&servers[0])?);
            return dispatch::execute(connect, local, output, wait).await.map(|_| ());
        }
    };
    match request {
        request if all_or_none => all_or_none::execute(servers, request, output, wait).await,
        DaemonRequest::ShowTimeline(query) => timeline::execute(servers, query, output).await,
        request => execute_all(servers, request, output, wait).await,
    }
}

/// How several daemons are asked.
#[derive(Clone, Copy, Debug)]
pub struct MultiOptions {
    /// As in [`execute::execute`].
    pub wait: Duration,
    /// A change is made at all of them or at none.
    pub all_or_none: bool,
}

/// Sends a request to all daemons at the same time and writes the answers in order.
///
/// # Errors
/// [`CliError::Several`] when one of them did not answer or refused;
/// [`CliError::Failed`] when the answer of one is a failure.
async fn execute_all(
    servers: &[DaemonAccess],
    request: DaemonRequest,
    output: Output,
    wait: Duration,
) -> Result<(), CliError> {
    let answers = answers(servers, &request, wait).await;
    let text = match is_short(&request) {
        true => render_lines,
        false => render_text,
    };
    output.answer(|context| text(&answers, context), || render_json(&answers))?;
    let intent = if is_change(&request) { MultiIntent::Change } else { MultiIntent::Read };
    summary(&answers, intent).map_or(Ok(()), Err)
}

/// The answers of all daemons, which are asked at the same time, in order.
pub async fn answers(
    servers: &[DaemonAccess],
    request: &DaemonRequest,
    wait: Duration,
) -> Vec<ServerAnswer> {
    let act = |access: DaemonAccess| {
        let request = request.clone();
        async move {
            let client = DaemonClient::connect(&access).await?;
            execute::execute(&client, request, wait).await
        }
    };
    at_all(servers, act).await.into_iter().map(ServerAnswer::from).collect()
}

/// Whether the answer to a request is one line.
fn is_short(request: &DaemonRequest) -> bool {
    set::can_be_undone(request)
}

/// Whether a request changes anything.
fn is_change(request: &DaemonRequest) -> bool {
    match request {
        DaemonRequest::SetBackend { .. }
        | DaemonRequest::SetWeight { .. }
        | DaemonRequest::OrderAnnouncement { .. }
        | DaemonRequest::Drain(_)
        | DaemonRequest::Undrain { .. }
        | DaemonRequest::ConfigReload { .. } => true,
        DaemonRequest::Sync { dry_run, .. } => !dry_run,
        _ => false,
    }
}

/// `[{"server": …, "answer": …}, {"server": …, "error": …}]`
///
/// # Errors
/// As [`json::answer`].
pub fn render_json(answers: &[ServerAnswer]) -> serde_json::Result<Value> {
    let one = |ServerAnswer { server, result }: &ServerAnswer| {
        let server = server.to_string();
        Ok(match result {
            Ok(answer) => {
                json!({ "server": server, "answer": json::answer(answer)?, "error": null })
            }
            Err(error) => json!({ "server": server, "answer": null, "error": error.to_string() }),
        })
    };
    answers.iter().map(one).collect()
}

/// The answers under their headings.
#[must_use]
pub fn render_text(answers: &[ServerAnswer], context: &RenderContext) -> String {
    let mut out = String::new();
    for ServerAnswer { server, result } in answers {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&context.paint(Tone::Title, &format!("== {server} ==")));
        out.push('\n');
        match result {
            Ok(answer) => out.push_str(&text::text(answer, context)),
            Err(error) => {
                out.push_str(&context.paint(Tone::Bad, &error.to_string()));
                out.push('\n');
            }
        }
    }
    out
}

/// The answers in one line each: `a:9090: web1 is paused, written`.
#[must_use]
pub fn render_lines(answers: &[ServerAnswer], context: &RenderContext) -> String {
    let line = |ServerAnswer { server, result }: &ServerAnswer| {
        let server = context.paint(Tone::Title, &format!("{server}:"));
        match result {
            Ok(answer) => format!("{server} {}", text::text(answer, context)),
            Err(error) => {
                let what = if error.status() == 3 { "not reached:" } else { "refused:" };
                format!("{server} {} {error}\n", context.paint(Tone::Bad, what))
            }
        }
    };
    answers.iter().map(line).collect()
}

/// The error of the whole: it names the daemons that gave no answer, or those whose
/// answers are failures.
fn summary(answers: &[ServerAnswer], intent: MultiIntent) -> Option<CliError> {
    let failed =
        answers.iter().filter_map(|answer| Some((answer.result.as_ref().err()?, &answer.server)));
    let servers = |matches: fn(&CliError) -> bool| -> Vec<String> {
        let chosen = failed.clone().filter(|(error, _)| matches(error));
        chosen.map(|(_, server)| server.to_string()).collect()
    };
    let unreached = servers(|error| error.status() == 3);
    let refused = servers(|error| error.status() != 3);
    if unreached.is_empty() && refused.is_empty() {
        let failures = answers.iter().filter_map(|ServerAnswer { server, result }| {
            let failure = result.as_ref().ok()?.failure()?;
            Some(format!("{server}: {failure}"))
        });
        let failures: Vec<_> = failures.collect();
        let message = failures.join("; ");
        return (!failures.is_empty()).then_some(CliError::Failed { message });
    }
    Some(CliError::Several { of: answers.len(), unreached, refused, intent })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::answer::CliAnswer;
    use crate::client::error::{ClientError, ConnectionLoss};

    fn answer(server: &str, result: Result<CliAnswer, CliError>) -> ServerAnswer {
        ServerAnswer { server: server.parse().unwrap(), result }
    }

    fn unreached(server: &str) -> ServerAnswer {
        let (address, why) = (server.parse().unwrap(), ConnectionLoss::Broken);
        let error = ClientError::Unreachable { attempted: "connect", server: address, why };
        answer(server, Err(error.into()))
    }

    #[test]
    fn daemons_without_an_answer_are_named() {
        let fine = || answer("a:1", Ok(CliAnswer::Backends(Vec::new())));
        assert!(summary(&[fine(), fine()], MultiIntent::Read).is_none());
        let error =
            summary(&[fine(), unreached("b:2"), unreached("c:3")], MultiIntent::Read).unwrap();
        let expected = "2 of 3 daemons gave no answer: not reached: b:2, c:3";
        assert_eq!((error.to_string().as_str(), error.status()), (expected, 3));
        let finding = |severity: &str| crate::pb::VppDoctorFinding {
            severity: severity.into(),
            ..Default::default()
        };
        let doctor = |severity| {
            let findings = vec![finding(severity)];
            Ok(CliAnswer::Doctor(crate::pb::VppDoctor { findings }))
        };
        assert!(summary(&[fine(), answer("e:5", doctor("warning"))], MultiIntent::Read).is_none());
        let error = summary(&[fine(), answer("e:5", doctor("fault"))], MultiIntent::Read).unwrap();
        assert_eq!((error.to_string().as_str(), error.status()), ("e:5: VPP has 1 fault", 1));
        let refused = ClientError::Refused {
            attempted: "GetBackend",
            server: "d:4".parse().unwrap(),
            code: tonic::Code::NotFound,
            message: "no".into(),
        };
        let error =
            summary(&[answer("d:4", Err(refused.into())), fine()], MultiIntent::Read).unwrap();
        let expected = "1 of 2 daemons gave no answer: refused by: d:4";
        assert_eq!((error.to_string().as_str(), error.status()), (expected, 1));
    }

    #[test]
    fn a_refusal_counts_more_for_a_change_and_a_silence_for_a_read() {
        let refused = ClientError::Refused {
            attempted: "PauseBackend",
            server: "d:4".parse().unwrap(),
            code: tonic::Code::NotFound,
            message: "no".into(),
        };
        let some = [answer("d:4", Err(refused.into())), unreached("b:2")];
        let status = |answers: &[ServerAnswer], intent| summary(answers, intent).unwrap().status();
        assert_eq!(status(&some, MultiIntent::Read), 3);
        assert_eq!(status(&some, MultiIntent::Change), 1);
        assert_eq!(status(&some[1..], MultiIntent::Change), 3, "nothing was refused");
    }

    #[test]
    fn changes_are_told_from_reads() {
        let sync = |dry_run| DaemonRequest::Sync { frontend: None, dry_run, force: false };
        assert!(is_change(&sync(false)) && !is_change(&sync(true)));
        assert!(is_change(&DaemonRequest::ConfigReload { force: false }));
        assert!(!is_change(&DaemonRequest::ConfigCheck));
        assert!(!is_change(&DaemonRequest::ShowBackends));
    }
}
