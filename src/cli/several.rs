//! One question to several daemons: the answers under a heading each, in the
//! order in which the daemons were named, and who could not be reached.

use serde_json::{Value, json};

use super::answer::Answer;
use super::command::{Command, Request};
use super::error::CliError;
use super::options::Format;
use super::output::{self, Output};
use super::page::{Page, Tone};
use super::server::{Access, Client, Server};
use super::{execute, json, text};

/// The request, if it may be asked of several daemons at once: only what
/// changes nothing.
#[must_use]
pub fn request(command: &Command) -> Option<Request> {
    match command {
        Command::Request(
            request @ (Request::ShowFrontends
            | Request::ShowFrontend { .. }
            | Request::Predict { .. }
            | Request::ShowBackends
            | Request::ShowBackend { .. }
            | Request::ShowHealthChecks
            | Request::ShowHealthCheck { .. }
            | Request::ShowVppInfo
            | Request::ShowVppLbState
            | Request::ShowVppLbCounters),
        ) => Some(request.clone()),
        _ => None,
    }
}

/// What one of the daemons said.
#[derive(Debug)]
pub struct Said {
    /// Which.
    pub server: Server,
    /// Its answer.
    pub result: Result<Answer, CliError>,
}

/// Asks all at the same time, so that one that is silent holds nobody up, and
/// writes the answers in order.
///
/// # Errors
/// [`CliError::Several`] when one of them did not answer or refused.
pub async fn ask(servers: &[Access], request: &Request, output: Output) -> Result<(), CliError> {
    let mut calls = Vec::new();
    for access in servers {
        let (access, request) = (access.clone(), request.clone());
        calls.push(tokio::spawn(async move {
            let client = Client::connect(&access).await?;
            execute::execute(&client, request).await
        }));
    }
    let mut said = Vec::new();
    for (call, access) in calls.into_iter().zip(servers) {
        let server = access.server.clone();
        let cut = |_| Err(CliError::cut(&server));
        let result = call.await.unwrap_or_else(cut);
        said.push(Said { server, result });
    }
    match output.format {
        Format::Json => output::write(&format!("{:#}\n", value(&said)))?,
        Format::Text => output::write(&page(&said, &output.page()))?,
    }
    summary(&said).map_or(Ok(()), Err)
}

/// `[{"server": …, "answer": …}, {"server": …, "error": …}]`
#[must_use]
pub fn value(said: &[Said]) -> Value {
    let one = |said: &Said| match &said.result {
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
pub fn page(said: &[Said], page: &Page) -> String {
    let mut out = String::new();
    for Said { server, result } in said {
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
fn summary(said: &[Said]) -> Option<CliError> {
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
    use crate::cli::error::Loss;

    fn said(server: &str, result: Result<Answer, CliError>) -> Said {
        Said { server: server.parse().unwrap(), result }
    }

    fn away(server: &str) -> Said {
        let lost = CliError::Unreachable { server: server.parse().unwrap(), why: Loss::Broken };
        said(server, Err(lost))
    }

    #[test]
    fn those_that_gave_no_answer_are_named() {
        let fine = || said("a:1", Ok(Answer::Backends(Vec::new())));
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
        assert!(request(&Command::Request(Request::ShowBackends)).is_some());
        for command in [
            Command::Request(Request::ConfigReload),
            Command::Request(Request::Sync { frontend: None, dry_run: true }),
            Command::WatchState,
        ] {
            assert!(request(&command).is_none(), "{command:?}");
        }
    }
}
