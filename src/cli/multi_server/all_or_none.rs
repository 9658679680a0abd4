//! A change at all of several daemons or at none. Each is asked first whether it would;
//! when one does not, none is changed. When one fails after that, those that changed are
//! changed back, and what could not be is said.

use std::time::Duration;

use serde_json::{Value, json};

use super::fan_out::{ServerAnswer, at_all};
use crate::cli::answer::CliAnswer;
use crate::cli::command::request::DaemonRequest;
use crate::cli::error::{CliError, MultiIntent};
use crate::cli::render::context::{RenderContext, Tone};
use crate::cli::render::output::Output;
use crate::cli::render::{json as answers, text};
use crate::cli::{execute, set};
use crate::client::connection::{DaemonAccess, DaemonClient};

/// What became of one daemon.
#[derive(Debug)]
pub enum Fate {
    /// It would have, and was not changed since another would not.
    Spared,
    /// It did, and so did all others.
    Changed(Box<CliAnswer>),
    /// It refused, or failed.
    Failed(CliError),
    /// It did, or may have, and was changed back by these requests; none: it had changed
    /// nothing.
    Undone(Vec<DaemonRequest>),
    /// It did, or may have, and could not be changed back.
    Stuck {
        /// Why it has to be changed back.
        why: CliError,
        /// Why that failed.
        undoing: CliError,
    },
}

/// What became of each daemon, in the order in which they were named.
pub type Fates = Vec<(String, Fate)>;

/// Makes a change of [`set::can_be_undone`] at all daemons or at none.
///
/// # Errors
/// [`CliError::Several`] when one of them refused or was not reached.
pub(super) async fn execute(
    servers: &[DaemonAccess],
    request: DaemonRequest,
    output: Output,
    wait: Duration,
) -> Result<(), CliError> {
    let fates = change_all_or_none(servers, request, wait).await;
    output.answer(|context| render(&fates, context), || render_json(&fates))?;
    outcome(&fates).map_or(Ok(()), Err)
}

/// Makes a change of [`set::can_be_undone`] at all daemons or at none.
pub async fn change_all_or_none(
    servers: &[DaemonAccess],
    request: DaemonRequest,
    wait: Duration,
) -> Fates {
    let asked = at_all(servers, |access| {
        let request = request.clone();
        async move {
            let client = DaemonClient::connect(&access).await?;
            Ok(set::ask(&client, request).await?)
        }
    })
    .await;
    if asked.iter().any(|(_, answer)| answer.is_err()) {
        let fate = |answer| match answer {
            Ok(_) => Fate::Spared,
            Err(error) => Fate::Failed(error),
        };
        return asked
            .into_iter()
            .map(|(server, answer)| (server.to_string(), fate(answer)))
            .collect();
    }
    let before = asked.into_iter().map(|(_, answer)| answer.ok().flatten()).collect();
    change(servers, &request, before, wait).await
}

/// Changes all, and changes back those that did where one did not.
async fn change(
    servers: &[DaemonAccess],
    request: &DaemonRequest,
    before: Vec<Option<CliAnswer>>,
    wait: Duration,
) -> Fates {
    let changed = at_all(servers, |access| {
        let request = request.clone();
        async move {
            let client = DaemonClient::connect(&access).await?;
            execute::execute(&client, request, wait).await
        }
    })
    .await;
    let changed: Vec<_> = changed.into_iter().map(ServerAnswer::from).collect();
    if changed.iter().all(|answer| answer.result.is_ok()) {
        let fate = |ServerAnswer { server, result }: ServerAnswer| match result {
            Ok(answer) => (server.to_string(), Fate::Changed(Box::new(answer))),
            Err(error) => (server.to_string(), Fate::Failed(error)),
        };
        return changed.into_iter().map(fate).collect();
    }
    let undo = before
        .iter()
        .map(|before| before.as_ref().map(|before| set::undo(request, before)).unwrap_or_default());
    let mut fates = Fates::new();
    for ((access, undo), answer) in servers.iter().zip(undo).zip(changed) {
        let server = answer.server.to_string();
        let fate = match answer.result {
            Err(error) if !may_have_changed(&error) => Fate::Failed(error),
            result => match (undone(access, undo.clone(), wait).await, result) {
                (Ok(()), _) => Fate::Undone(undo),
                (Err(undoing), Err(why)) => Fate::Stuck { why, undoing },
                (Err(undoing), Ok(_)) => {
                    let message = "it was changed".into();
                    Fate::Stuck { why: CliError::Failed { message }, undoing }
                }
            },
        };
        fates.push((server, fate));
    }
    fates
}

/// Whether a daemon may have done what failed: a refusal says that it has not.
fn may_have_changed(error: &CliError) -> bool {
    error.status() == 3
}

async fn undone(
    access: &DaemonAccess,
    undo: Vec<DaemonRequest>,
    wait: Duration,
) -> Result<(), CliError> {
    let client = DaemonClient::connect(access).await?;
    for request in undo {
        execute::execute(&client, request, wait).await?;
    }
    Ok(())
}

fn render(fates: &Fates, context: &RenderContext) -> String {
    let mut out = String::new();
    for (server, fate) in fates {
        let server = context.paint(Tone::Title, &format!("{server}:"));
        let said = match fate {
            Fate::Spared => "would, and was not changed".into(),
            Fate::Changed(answer) => text::text(answer, context).trim_end().to_owned(),
            Fate::Failed(error) if error.status() == 3 => {
                format!("{} {error}", context.paint(Tone::Bad, "not reached:"))
            }
            Fate::Failed(error) => format!("{} {error}", context.paint(Tone::Bad, "refused:")),
            Fate::Undone(by) if by.is_empty() => "had nothing to change".into(),
            Fate::Undone(by) => {
                let by = by.iter().filter_map(set::described).collect::<Vec<_>>().join(", ");
                format!("{} {by}", context.paint(Tone::Unsure, "was changed back:"))
            }
            Fate::Stuck { why, undoing } => format!(
                "{} {why}; {undoing}",
                context.paint(Tone::Bad, "could not be changed back:")
            ),
        };
        out.push_str(&format!("{server} {said}\n"));
    }
    out
}

fn render_json(fates: &Fates) -> serde_json::Result<Value> {
    let one = |(server, fate): &(String, Fate)| {
        let mut undone = Vec::new();
        let (outcome, answer, error) = match fate {
            Fate::Spared => ("not_changed", None, None),
            Fate::Changed(answer) => ("changed", Some(answers::answer(answer)?), None),
            Fate::Failed(error) if error.status() == 3 => {
                ("unreached", None, Some(error.to_string()))
            }
            Fate::Failed(error) => ("refused", None, Some(error.to_string())),
            Fate::Undone(by) => {
                undone = by.iter().filter_map(set::described).collect();
                ("undone", None, None)
            }
            Fate::Stuck { why, undoing } => ("not_undone", None, Some(format!("{why}; {undoing}"))),
        };
        Ok(
            json!({ "server": server, "outcome": outcome, "answer": answer, "error": error, "undone_by": undone }),
        )
    };
    fates.iter().map(one).collect()
}

/// The error of the whole: `None`: all were changed.
fn outcome(fates: &Fates) -> Option<CliError> {
    let (mut unreached, mut refused) = (Vec::new(), Vec::new());
    for (server, fate) in fates {
        match fate {
            Fate::Failed(error) if error.status() == 3 => unreached.push(server.clone()),
            Fate::Stuck { why, undoing } if why.status() == 3 || undoing.status() == 3 => {
                unreached.push(server.clone());
            }
            Fate::Failed(_) | Fate::Stuck { .. } => refused.push(server.clone()),
            Fate::Spared | Fate::Changed(_) | Fate::Undone(_) => {}
        }
    }
    let (of, intent) = (fates.len(), MultiIntent::Change);
    // One that was lost after it was asked, and changed back, failed all the same.
    let is_undone = fates.iter().any(|(_, fate)| matches!(fate, Fate::Undone(_)));
    if unreached.is_empty() && refused.is_empty() {
        let message = "a daemon was lost while it was changed, and all were changed back".into();
        return is_undone.then_some(CliError::Failed { message });
    }
    Some(CliError::Several { of, unreached, refused, intent })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::command::request::{BackendChange, OverrideTerms};
    use crate::client::error::{ClientError, ConnectionLoss};

    const PLAIN: RenderContext = RenderContext { now_ns: 0, width: None, colour: false };

    fn away() -> CliError {
        let (server, why) = ("b:2".parse().unwrap(), ConnectionLoss::Broken);
        ClientError::Unreachable { attempted: "PauseBackend", server, why }.into()
    }

    fn failed() -> CliError {
        CliError::Failed { message: "no room".into() }
    }

    fn undone() -> Fate {
        let (name, change) = ("web1".into(), BackendChange::Unset);
        Fate::Undone(vec![DaemonRequest::SetBackend {
            name,
            change,
            terms: OverrideTerms::default(),
        }])
    }

    #[test]
    fn who_was_lost_may_have_done_it_and_who_refused_has_not() {
        assert!(may_have_changed(&away()) && !may_have_changed(&failed()));
    }

    /// What became of `b`, while `a` was changed back: the status, `b`'s line, and the
    /// outcome in JSON.
    #[test]
    fn each_fate_has_its_status_and_its_words() {
        let stuck = |why, undoing| Fate::Stuck { why, undoing };
        let lost = "the connection was lost";
        for (fate, status, line, outcome_word) in [
            (Fate::Failed(failed()), 1, "refused: no room".into(), "refused"),
            (Fate::Failed(away()), 3, format!("not reached: maglevd at b:2: {lost}"), "unreached"),
            (Fate::Undone(vec![]), 1, "had nothing to change".into(), "undone"),
            (undone(), 1, "was changed back: unset".into(), "undone"),
            (
                stuck(failed(), failed()),
                1,
                "could not be changed back: no room; no room".into(),
                "not_undone",
            ),
            (
                stuck(away(), failed()),
                3,
                format!("could not be changed back: maglevd at b:2: {lost}; no room"),
                "not_undone",
            ),
            (
                stuck(failed(), away()),
                3,
                format!("could not be changed back: no room; maglevd at b:2: {lost}"),
                "not_undone",
            ),
        ] {
            let fates = vec![("a:1".to_owned(), undone()), ("b:2".to_owned(), fate)];
            assert_eq!(outcome(&fates).unwrap().status(), status, "{line}");
            let text = render(&fates, &PLAIN);
            assert_eq!(text, format!("a:1: was changed back: unset\nb:2: {line}\n"));
            assert_eq!(render_json(&fates).unwrap()[1]["outcome"], outcome_word, "{line}");
        }
        let spared = vec![("a:1".to_owned(), Fate::Spared)];
        assert!(outcome(&spared).is_none());
    }
}
