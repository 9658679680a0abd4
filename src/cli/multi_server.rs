//! One question to several daemons: the answers under a heading each, in the
//! order in which the daemons were named, and who could not be reached.

use serde_json::{Value, json};

use super::answer::CliAnswer;
use super::error::CliError;
use super::execute;
use super::render::{json, text};
use crate::cli::command::options::Format;
use crate::cli::command::request::{CliCommand, DaemonRequest};
use crate::cli::render::context::{RenderContext, Tone};
use crate::cli::render::output::{self, Output};
use crate::client::server::{DaemonAccess, DaemonAddress, DaemonClient};

/// The request, if it may be asked of several daemons at once: only what
/// changes nothing.
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
            | DaemonRequest::ShowVppInfo
            | DaemonRequest::ShowVppLbState
            | DaemonRequest::ShowVppLbCounters),
        ) => Some(request.clone()),
        _ => None,
    }
}

/// What one of the daemons said.
#[derive(Debug)]
pub struct ServerAnswer {
    /// Which.
    pub server: DaemonAddress,
    /// Its answer.
    pub result: Result<CliAnswer, CliError>,
}

/// Asks all at the same time, so that one that is silent holds nobody up, and
/// writes the answers in order.
///
/// # Errors
/// [`CliError::Several`] when one of them did not answer or refused.
pub async fn ask(
    servers: &[DaemonAccess],
    request: &DaemonRequest,
    output: Output,
) -> Result<(), CliError> {
    let mut calls = Vec::new();
    for access in servers {
        let (access, request) = (access.clone(), request.clone());
        calls.push(tokio::spawn(async move {
            let client = DaemonClient::connect(&access).await?;
            execute::execute(&client, request).await
        }));
    }
    let mut said = Vec::new();
    for (call, access) in calls.into_iter().zip(servers) {
        let server = access.server.clone();
        let cut = |_| Err(CliError::cut(&server));
        let result = call.await.unwrap_or_else(cut);
        said.push(ServerAnswer { server, result });
    }
    match output.format {
        Format::Json => output::write(&format!("{:#}\n", value(&said)))?,
        Format::Text => output::write(&page(&said, &output.page()))?,
    }
    summary(&said).map_or(Ok(()), Err)
}

/// `[{"server": …, "answer": …}, {"server": …, "error": …}]`
#[must_use]
pub fn value(said: &[ServerAnswer]) -> Value {
    let one = |said: &ServerAnswer| match &said.result {
        Ok(answer) => json!({
            "server": said.server.to_string(), "answer": json::answer(answer), "error": null
        }),
        Err(error) => json!({
            "server": said.server.to_string(), "answer": null, "error": error.to_string()
        }),
    };
    said.iter().map(one).collect()
}

/// The answers under their headings.
#[must_use]
pub fn page(said: &[ServerAnswer], page: &RenderContext) -> String {
    let mut out = String::new();
    for ServerAnswer { server, result } in said {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&page.paint(Tone::Title, &format!("== {server} ==")));
        out.push('\n');
        match result {
            Ok(answer) => out.push_str(&text::text(answer, page)),
            Err(error) => {
                out.push_str(&page.paint(Tone::Bad, &error.to_string()));
                out.push('\n');
            }
        }
    }
    out
}

/// The error of the whole, which names those that gave no answer.
fn summary(said: &[ServerAnswer]) -> Option<CliError> {
    let failed = said.iter().filter_map(|said| Some((said.result.as_ref().err()?, &said.server)));
    let named = |wanted: fn(&CliError) -> bool| -> Vec<String> {
        let chosen = failed.clone().filter(|(error, _)| wanted(error));
        chosen.map(|(_, server)| server.to_string()).collect()
    };
    let unreached = named(|error| error.status() == 3);
    let refused = named(|error| error.status() != 3);
    if unreached.is_empty() && refused.is_empty() {
        return None;
    }
    Some(CliError::Several { of: said.len(), unreached, refused })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::error::ConnectionLoss;

    fn said(server: &str, result: Result<CliAnswer, CliError>) -> ServerAnswer {
        ServerAnswer { server: server.parse().unwrap(), result }
    }

    fn away(server: &str) -> ServerAnswer {
        let lost =
            CliError::Unreachable { server: server.parse().unwrap(), why: ConnectionLoss::Broken };
        said(server, Err(lost))
    }

    #[test]
    fn those_that_gave_no_answer_are_named() {
        let fine = || said("a:1", Ok(CliAnswer::Backends(Vec::new())));
        assert!(summary(&[fine(), fine()]).is_none());
        let error = summary(&[fine(), away("b:2"), away("c:3")]).unwrap();
        let expected = "2 of 3 daemons gave no answer: not reached: b:2, c:3";
        assert_eq!((error.to_string().as_str(), error.status()), (expected, 3));
        let refused = CliError::Refused { message: "no".into() };
        let error = summary(&[said("d:4", Err(refused)), fine()]).unwrap();
        let expected = "1 of 2 daemons gave no answer: refused by: d:4";
        assert_eq!((error.to_string().as_str(), error.status()), (expected, 1));
    }

    #[test]
    fn only_questions_go_to_several() {
        assert!(request(&CliCommand::Request(DaemonRequest::ShowBackends)).is_some());
        for command in [
            CliCommand::Request(DaemonRequest::ConfigReload),
            CliCommand::Request(DaemonRequest::Sync { frontend: None, dry_run: true }),
            CliCommand::WatchState,
        ] {
            assert!(request(&command).is_none(), "{command:?}");
        }
    }
}
