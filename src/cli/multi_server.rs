//! One request to several daemons: the answers under a heading each, in the
//! order in which the daemons were named, and those that could not be reached.

use std::time::Duration;

use serde_json::{Value, json};

use super::answer::CliAnswer;
use super::error::CliError;
use super::execute;
use super::render::{json, text};
use crate::cli::command::request::{CliCommand, DaemonRequest};
use crate::cli::render::context::{RenderContext, Tone};
use crate::cli::render::output::Output;
use crate::client::address::DaemonAddress;
use crate::client::connection::{DaemonAccess, DaemonClient};
use crate::client::error::{ClientError, ConnectionLoss};

/// The request of a command, if it may be sent to several daemons at once:
/// only those that change nothing.
#[must_use]
pub fn request(command: &CliCommand) -> Option<DaemonRequest> {
    match command {
        CliCommand::Request(
            request @ (DaemonRequest::ShowFrontends
            | DaemonRequest::ShowFrontend { .. }
            | DaemonRequest::Predict { .. }
            | DaemonRequest::ShowBackends
            | DaemonRequest::ShowBackend { .. }
            | DaemonRequest::ShowHealthChecks
            | DaemonRequest::ShowHealthCheck { .. }
            | DaemonRequest::ShowOverrides
            | DaemonRequest::ShowVppInfo
            | DaemonRequest::ShowVppLbState
            | DaemonRequest::ShowVppLbCounters
            | DaemonRequest::ShowVppDoctor),
        ) => Some(request.clone()),
        _ => None,
    }
}

/// The answer of one of the daemons.
#[derive(Debug)]
pub struct ServerAnswer {
    pub server: DaemonAddress,
    pub result: Result<CliAnswer, CliError>,
}

/// Sends a request to all daemons at the same time, so that none waits for a
/// silent one, and writes the answers in order.
///
/// # Errors
/// [`CliError::Several`] when one of them did not answer or refused;
/// [`CliError::Failed`] when the answer of one is a failure.
pub async fn execute_all(
    servers: &[DaemonAccess],
    request: &DaemonRequest,
    output: Output,
) -> Result<(), CliError> {
    let mut tasks = Vec::new();
    for access in servers {
        let (access, request) = (access.clone(), request.clone());
        tasks.push(tokio::spawn(async move {
            let client = DaemonClient::connect(&access).await?;
            execute::execute(&client, request, Duration::ZERO).await
        }));
    }
    let mut answers = Vec::new();
    for (task, access) in tasks.into_iter().zip(servers) {
        let server = access.server.clone();
        let result = task.await.unwrap_or_else(|_| {
            let (server, why) = (server.clone(), ConnectionLoss::Broken);
            Err(ClientError::Unreachable { attempted: "execute", server, why }.into())
        });
        answers.push(ServerAnswer { server, result });
    }
    output.answer(|context| render_text(&answers, context), || render_json(&answers))?;
    summary(&answers).map_or(Ok(()), Err)
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

/// The error of the whole: it names the daemons that gave no answer, or those whose
/// answers are failures.
fn summary(answers: &[ServerAnswer]) -> Option<CliError> {
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
    Some(CliError::Several { of: answers.len(), unreached, refused })
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert!(summary(&[fine(), fine()]).is_none());
        let error = summary(&[fine(), unreached("b:2"), unreached("c:3")]).unwrap();
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
        assert!(summary(&[fine(), answer("e:5", doctor("warning"))]).is_none());
        let error = summary(&[fine(), answer("e:5", doctor("fault"))]).unwrap();
        assert_eq!((error.to_string().as_str(), error.status()), ("e:5: VPP has 1 fault", 1));
        let refused = ClientError::Refused {
            attempted: "GetBackend",
            server: "d:4".parse().unwrap(),
            code: tonic::Code::NotFound,
            message: "no".into(),
        };
        let error = summary(&[answer("d:4", Err(refused.into())), fine()]).unwrap();
        let expected = "1 of 2 daemons gave no answer: refused by: d:4";
        assert_eq!((error.to_string().as_str(), error.status()), (expected, 1));
    }

    #[test]
    fn only_requests_that_change_nothing_go_to_several() {
        assert!(request(&CliCommand::Request(DaemonRequest::ShowBackends)).is_some());
        for command in [
            CliCommand::Request(DaemonRequest::ConfigReload { force: false }),
            CliCommand::Request(DaemonRequest::Sync {
                frontend: None,
                dry_run: true,
                force: false,
            }),
            CliCommand::WatchState,
        ] {
            assert!(request(&command).is_none(), "{command:?}");
        }
    }
}
