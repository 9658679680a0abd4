//! The timelines of several daemons in one order: that of their clocks.

use serde_json::{Value, json};

use super::fan_out::at_all;
use crate::cli::answer::CliAnswer;
use crate::cli::command::request::{DaemonRequest, TimelineQuery};
use crate::cli::error::{CliError, MultiIntent};
use crate::cli::execute;
use crate::cli::render::output::Output;
use crate::cli::render::text::timeline::{self, TimelineRow, event_at};
use crate::cli::render::{context::Tone, json as answers};
use crate::client::connection::{DaemonAccess, DaemonClient};
use crate::pb;

/// # Errors
/// [`CliError::Several`] when one of them did not answer or refused, after the others'
/// were written.
pub(super) async fn execute(
    servers: &[DaemonAccess],
    query: TimelineQuery,
    output: Output,
) -> Result<(), CliError> {
    let answers = at_all(servers, |access| {
        let request = DaemonRequest::ShowTimeline(query.clone());
        async move {
            let client = DaemonClient::connect(&access).await?;
            execute::execute(&client, request, std::time::Duration::ZERO).await
        }
    })
    .await;
    let (mut timelines, mut unreached, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for (server, answer) in answers {
        let server = server.to_string();
        match answer {
            Ok(CliAnswer::Timeline(timeline)) => timelines.push((server, timeline)),
            Ok(_) => {}
            Err(error) => {
                output.print_diagnostic(Tone::Bad, &format!("{server}: {error}"));
                let list = if error.status() == 3 { &mut unreached } else { &mut refused };
                list.push(server);
            }
        }
    }
    let merged = merged(&timelines);
    output.answer(|context| timeline::merged(&merged, context), || render_json(&merged))?;
    if unreached.is_empty() && refused.is_empty() {
        return Ok(());
    }
    let intent = MultiIntent::Read;
    Err(CliError::Several { of: servers.len(), unreached, refused, intent })
}

/// All events by their moments; at one moment, in the order of the daemons.
fn merged(timelines: &[(String, pb::Timeline)]) -> Vec<TimelineRow<'_>> {
    let rows = timelines.iter().flat_map(|(server, timeline)| {
        timeline.events.iter().map(|event| TimelineRow { server: Some(server.as_str()), event })
    });
    let mut rows: Vec<_> = rows.collect();
    rows.sort_by_key(|row| event_at(row.event));
    rows
}

fn render_json(rows: &[TimelineRow<'_>]) -> serde_json::Result<Value> {
    let one = |row: &TimelineRow<'_>| {
        Ok(json!({ "server": row.server, "event": answers::event(row.event)? }))
    };
    rows.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_of_several_daemons_are_in_the_order_of_their_moments() {
        let event = |at_unix_ns, to: &str| {
            let transition =
                pb::TransitionRecord { to: to.into(), at_unix_ns, ..Default::default() };
            let backend_name = "web1".into();
            let event = pb::BackendEvent { backend_name, transition: Some(transition) };
            pb::Event { event: Some(pb::event::Event::Backend(event)), ..Default::default() }
        };
        let timeline = |events| pb::Timeline { events, ..Default::default() };
        let timelines = [
            ("a:1".to_owned(), timeline(vec![event(10, "a"), event(30, "c"), event(30, "d")])),
            ("b:2".to_owned(), timeline(vec![event(20, "b"), event(30, "e")])),
        ];
        let found: Vec<_> = merged(&timelines)
            .iter()
            .map(|row| match &row.event.event {
                Some(pb::event::Event::Backend(event)) => {
                    (row.server.unwrap(), event.transition.as_ref().unwrap().to.as_str())
                }
                other => panic!("{other:?}"),
            })
            .collect();
        let expected = [("a:1", "a"), ("b:2", "b"), ("a:1", "c"), ("a:1", "d"), ("b:2", "e")];
        assert_eq!(found, expected);
    }
}
