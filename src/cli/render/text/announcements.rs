//! What is announced: the list, and a line in the facts of a frontend.

use std::collections::BTreeSet;

use super::common::or_dash;
use super::overrides;
use crate::api::views::misplaced;
use crate::api::views::text::printable;
use crate::cli::render::context::{RenderContext, Tone};
use crate::cli::render::table::{Cell, Column, TextTable};
use crate::cli::render::time::{age, elapsed};
use crate::pb::{AnnounceDriverInfo, AnnouncementInfo, Announcements, PlacedAnnouncementInfo};

pub(super) fn list(answer: &Announcements, context: &RenderContext) -> String {
    if answer.announcements.is_empty() && answer.drivers.is_empty() {
        return "nothing is announced\n".into();
    }
    let mut text = match answer.announcements.is_empty() {
        true => "no frontend is announced\n".into(),
        false => announcements(answer, context).render(context),
    };
    let whys = answer.announcements.iter().filter(|it| is_odd(it));
    let whys: Vec<_> = whys.map(|it| why_line(it, context)).collect();
    if !whys.is_empty() {
        text.push_str(&format!("\n{}", whys.concat()));
    }
    text.push_str(&problems(answer, context));
    let orders = answer.announcements.iter().filter_map(|it| it.order.as_ref());
    let mut orders: Vec<_> = answer.order_for_all.iter().chain(orders).collect();
    let mut known = BTreeSet::new();
    orders.retain(|order| known.insert(order.prefix.as_str()));
    if !orders.is_empty() {
        text.push_str(&format!("\n{}", overrides::table("ORDER", orders).render(context)));
    }
    text + &format!("\n{}", drivers(answer, context))
}

fn announcements(answer: &Announcements, context: &RenderContext) -> TextTable {
    let mut columns = vec![
        Column::left("PREFIX"),
        Column::left("WANTED"),
        Column::right("SINCE"),
        Column::right("CHANGES"),
    ];
    columns.extend(answer.drivers.iter().map(|driver| Column::left(driver_title(&driver.name))));
    columns.push(Column::text("FRONTENDS"));
    let mut table = TextTable::new(&columns);
    let now = context.now_of_daemon(answer.now_unix_ns);
    for info in &answer.announcements {
        let mut row: Vec<Cell> = vec![
            info.prefix.as_str().into(),
            wanted(info),
            age(now, info.since_unix_ns).into(),
            info.changes.to_string().into(),
        ];
        for driver in &answer.drivers {
            let at = info.placed.iter().find(|at| at.driver == driver.name);
            row.push(at.map_or_else(|| "-".into(), |at| placed(at, &info.wanted)));
        }
        row.push(or_dash(&info.frontend_names.join(", ")).into());
        table.row_of(row);
    }
    table
}

fn driver_title(name: &str) -> &'static str {
    match name {
        "netlink" => "NETLINK",
        "gobgp" => "GOBGP",
        "bird" => "BIRD",
        "command" => "COMMAND",
        _ => "DRIVER",
    }
}

/// `announced`, with `~` where it is held and `*` where an operator ordered it.
fn wanted(info: &AnnouncementInfo) -> Cell {
    let order = if info.order.is_some() { "*" } else { "" };
    let held = if info.held.is_empty() { "" } else { "~" };
    Cell::new(&format!("{}{order}{held}", info.wanted), tone(info))
}

fn tone(info: &AnnouncementInfo) -> Tone {
    match info.wanted.as_str() {
        _ if !info.held.is_empty() => Tone::Unsure,
        _ if info.order.is_some() => Tone::Held,
        "announced" => Tone::Good,
        "withdrawn" => Tone::Bad,
        _ => Tone::Unsure,
    }
}

/// `announced`, `withdrawn (failed)`, `announced, no neighbor`
fn placed(at: &PlacedAnnouncementInfo, wanted: &str) -> Cell {
    let problem = match at.problem.as_str() {
        "" => String::new(),
        problem => format!(" ({problem})"),
    };
    let is_there = matches!(at.state.as_str(), "announced" | "drained");
    let exported = if is_there && at.exported == Some(false) { ", no neighbor" } else { "" };
    let tone = match (at.problem.as_str(), exported) {
        ("", "") if at.state == wanted || wanted == "unknown" => Tone::Plain,
        ("", _) => Tone::Unsure,
        _ => Tone::Bad,
    };
    Cell::new(&format!("{}{problem}{exported}", at.state), tone)
}

/// It is not simply announced because it is well.
fn is_odd(info: &AnnouncementInfo) -> bool {
    info.wanted != "announced" || !info.held.is_empty() || info.order.is_some()
}

fn why_line(info: &AnnouncementInfo, context: &RenderContext) -> String {
    let label = context.paint(tone(info), &format!("{} {}:", info.prefix, info.wanted));
    format!("{label} {}\n", printable(&why(info)))
}

/// Why it is so, and why it stays so if it is held.
fn why(info: &AnnouncementInfo) -> String {
    match (info.held.as_str(), info.held_left_ns) {
        ("", _) => info.why.clone(),
        (held, None) => format!("{}; held, since {held}", info.why),
        (held, Some(left)) => {
            // Rounded up, so that it does not end before it is said to.
            format!("{}; held for {} at most, since {held}", info.why, elapsed(left + 999_999_999))
        }
    }
}

/// A line for each thing that is not as it is wanted, with why.
fn problems(answer: &Announcements, context: &RenderContext) -> String {
    let label = context.paint(Tone::Bad, "not so yet:");
    answer.unsettled.iter().map(|text| format!("{label} {}\n", printable(text))).collect()
}

fn drivers(answer: &Announcements, context: &RenderContext) -> String {
    if answer.drivers.is_empty() {
        let note = "no driver is configured: nobody is told (`announce` in the configuration file)";
        return context.paint(Tone::Unsure, note) + "\n";
    }
    let mut table = TextTable::new(&[
        Column::left("DRIVER"),
        Column::left("STATE"),
        Column::right("READ"),
        Column::right("FAILURES"),
        Column::text("WHY"),
    ]);
    for driver in &answer.drivers {
        let AnnounceDriverInfo { name, error, refusal, read_ago_ns, failures, .. } = driver;
        let (state, tone, why) = match (error.as_str(), refusal.as_str()) {
            ("", "") if read_ago_ns.is_none() => ("starting", Tone::Unsure, ""),
            ("", "") => ("works", Tone::Good, ""),
            ("", refusal) => ("refused", Tone::Bad, refusal),
            (error, _) => ("failed", Tone::Bad, error),
        };
        table.row([
            name.as_str().into(),
            Cell::new(state, tone),
            read_ago_ns.map_or("-".into(), |ago| format!("{} ago", elapsed(ago))).into(),
            failures.to_string().into(),
            or_dash(why).into(),
        ]);
    }
    table.render(context)
}

/// `announced, held; but withdrawn at bird (failed)`: in the facts of a frontend.
pub(super) fn fact(info: &AnnouncementInfo) -> Cell {
    let mut text = info.wanted.clone();
    if !info.held.is_empty() {
        text.push_str(", held");
    }
    let misplaced = misplaced(info);
    let tone = if misplaced.is_empty() { tone(info) } else { Tone::Bad };
    if !misplaced.is_empty() {
        text.push_str(&format!("; but {}", misplaced.join(", ")));
    }
    Cell::new(&text, tone)
}

/// Why the address of a frontend is not simply announced.
pub(super) fn reason(info: &AnnouncementInfo, context: &RenderContext) -> String {
    if !is_odd(info) {
        return String::new();
    }
    let mut table = TextTable::new(&[Column::left("ANNOUNCEMENT"), Column::text("WHY")]);
    table.row([wanted(info), why(info).into()]);
    format!("\n{}", table.render(context))
}

/// What an order has led to, a line each.
pub(super) fn ordered(answer: &Announcements, context: &RenderContext) -> String {
    let lines = answer.announcements.iter().map(|info| {
        let prefix = context.paint(Tone::Title, &info.prefix);
        let wanted = context.paint(tone(info), &info.wanted);
        let term = overrides::term(info.order.as_ref());
        let misplaced = misplaced(info);
        let vpp = match misplaced.is_empty() {
            true if answer.drivers.is_empty() => context.paint(Tone::Unsure, "nobody is told"),
            true if info.wanted == "unknown" => context.paint(Tone::Unsure, "not decided yet"),
            true => context.paint(Tone::Good, "done"),
            false => {
                format!("{} {}", context.paint(Tone::Unsure, "not yet:"), misplaced.join(", "))
            }
        };
        format!("{prefix}: {wanted}{term}, {vpp} ({})\n", printable(&why(info)))
    });
    let lines: String = lines.collect();
    if lines.is_empty() { "no frontend is announced\n".into() } else { lines }
}
