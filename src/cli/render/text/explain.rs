//! An explanation: the cause, and below it the chain from the probes to VPP.

use crate::api::views::text::printable;
use crate::api::views::time::time_of_day;
use crate::cli::render::context::{RenderContext, Tone};
use crate::cli::render::time::{age, moment};
use crate::pb;

const DAY_NS: i64 = 86_400_000_000_000;

/// The width of the longest stage, and a gap.
const INDENT: usize = 11;

/// Kinds of cause by which all is as asked for.
const WELL: [&str; 3] = ["serves", "standby", "repaired"];

pub(super) fn explanation(explanation: &pb::Explanation, context: &RenderContext) -> String {
    let now_ns = context.now_of_daemon(explanation.now_unix_ns);
    let tone = if WELL.contains(&explanation.kind.as_str()) { Tone::Good } else { Tone::Bad };
    let cause = context.paint(tone, &printable(&explanation.cause));
    let mut text = format!("{cause}{}\n\n", since(explanation.since_unix_ns, now_ns));
    for statement in &explanation.chain {
        text.push_str(&line(statement, now_ns, context));
    }
    text
}

/// `, since 12:03:04 (5m3s)`, with the date where that is not of the last day.
fn since(at_ns: i64, now_ns: i64) -> String {
    if at_ns == 0 {
        return String::new();
    }
    let is_recent = (0..DAY_NS).contains(&now_ns.saturating_sub(at_ns));
    let at = if is_recent { time_of_day(at_ns) } else { moment(at_ns) };
    format!(", since {at} ({})", age(now_ns, at_ns))
}

fn line(statement: &pb::ExplainStatement, now_ns: i64, context: &RenderContext) -> String {
    let stage = printable(&statement.stage.replace('_', "-"));
    let blanks = " ".repeat(INDENT.saturating_sub(stage.chars().count()).max(1));
    let stage = context.paint(Tone::Title, &stage);
    let of = match statement.frontend_name.as_str() {
        "" => String::new(),
        name => format!("{}: ", printable(name)),
    };
    let when = match statement.since_unix_ns {
        0 => String::new(),
        at_ns => format!(" ({} ago)", age(now_ns, at_ns)),
    };
    let mut text = format!("{stage}{blanks}{of}{}{when}\n", printable(&statement.text));
    if !statement.remedy.is_empty() {
        let blanks = " ".repeat(INDENT);
        let remedy =
            context.paint(Tone::Faint, &format!("to change it: {}", printable(&statement.remedy)));
        text.push_str(&format!("{blanks}{remedy}\n"));
    }
    text
}
