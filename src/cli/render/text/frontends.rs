//! Frontends: the list, one as a tree of pools and backends, a changed weight.

use super::announcements;
use super::common::{confirmation, or_dash, override_note, state_cell, yes_no};
use super::overrides;
use crate::api::views::text::printable;
use crate::api::views::{fail_open_text, serving_pool, slow_start_in};
use crate::cli::render::context::{RenderContext, Tone, frontend_urgency};
use crate::cli::render::table::{Cell, Column, TextTable, facts};
use crate::cli::render::time::{age, elapsed};
use crate::pb;
use crate::pb::{BackendInfo, FrontendInfo, PoolBackendInfo, PoolInfo};

pub(super) fn list(frontends: &[FrontendInfo], context: &RenderContext) -> String {
    if frontends.is_empty() {
        return "no frontends are configured\n".into();
    }
    let mut sorted: Vec<&FrontendInfo> = frontends.iter().collect();
    sorted.sort_by_key(|frontend| (frontend_urgency(frontend), &frontend.name));
    let mut table = TextTable::new(&[
        Column::left("NAME"),
        Column::left("STATE"),
        Column::left("ADDRESS"),
        Column::left("SERVICE"),
        Column::left("POOL"),
        Column::right("SERVING"),
        Column::text("DESCRIPTION"),
    ]);
    for frontend in sorted {
        let pool = serving_pool(frontend);
        table.row([
            frontend.name.as_str().into(),
            Cell::state(&frontend.state, false),
            frontend.address.as_str().into(),
            service(frontend).into(),
            pool_cell(frontend, pool),
            serving(frontend).into(),
            frontend.description.as_str().into(),
        ]);
    }
    let open = frontends.iter().map(|it| open_line(it, &format!("{} ", it.name), context));
    table.render(context) + &open.collect::<String>()
}

/// The line of a frontend that fails open, after its name in lists.
fn open_line(frontend: &FrontendInfo, name: &str, context: &RenderContext) -> String {
    let Some(open) = fail_open_text(frontend) else { return String::new() };
    let label = context.paint(Tone::Bad, "FAILS OPEN:");
    format!("{}{label} {}\n", printable(name), printable(&open))
}

/// `tcp/80`, or `any`.
fn service(frontend: &FrontendInfo) -> String {
    if frontend.protocol.is_empty() {
        return "any".into();
    }
    format!("{}/{}", frontend.protocol, frontend.port)
}

/// The serving pool, highlighted where it is not the first.
fn pool_cell(frontend: &FrontendInfo, pool: Option<&PoolInfo>) -> Cell {
    let Some(pool) = pool else { return "-".into() };
    let first = frontend.pools.first().is_some_and(|first| first.name == pool.name);
    Cell::new(&pool.name, if first { Tone::Plain } else { Tone::Unsure })
}

/// `2/3`: backends that get new flows, of all.
fn serving(frontend: &FrontendInfo) -> String {
    let serving = members(frontend).filter(|member| member.effective_weight > 0).count();
    format!("{serving}/{}", members(frontend).count())
}

pub(super) fn one(
    frontend: &FrontendInfo,
    backends: &[BackendInfo],
    context: &RenderContext,
) -> String {
    let sticky = if frontend.src_ip_sticky { "by source address" } else { "by flow" };
    let mut head = vec![
        ("frontend", frontend.name.as_str().into()),
        ("state", Cell::state(&frontend.state, false)),
        ("description", frontend.description.as_str().into()),
        ("address", frontend.address.as_str().into()),
        ("service", service(frontend).into()),
        ("sticky", sticky.into()),
        ("flush on down", yes_no(frontend.flush_on_down).into()),
        ("new-flow table", frontend.new_flows_table_length.to_string().into()),
    ];
    if let Some(info) = &frontend.fail_open {
        let pb::FailOpenInfo {
            threshold_percent: below, up_weight: up, total_weight: total, ..
        } = info;
        head.push(("fail open", format!("below {below}%; weight {up} of {total} is up").into()));
    }
    if let Some(info) = &frontend.announcement {
        head.push(("announcement", announcements::fact(info)));
    }
    let head = facts(&head, context);
    let open = open_line(frontend, "", context);
    let marked = members(frontend).any(|member| member.weight_overridden)
        || backends.iter().any(|backend| backend.enabled_overridden);
    let tree = tree(frontend, backends).render(context);
    let warnings = frontend.warnings.iter().map(|warning| {
        format!("{} {}\n", context.paint(Tone::Unsure, "warning:"), printable(warning))
    });
    let warnings: String = warnings.collect();
    let note = override_note(marked, context);
    let set = overrides(frontend, backends, context);
    let doubts = slow_starts(&frontend.name, backends, context) + &doubts(backends, context);
    let vpp = vpp(frontend, context);
    let announced = frontend.announcement.as_ref();
    let announced = announced.map(|it| announcements::reason(it, context)).unwrap_or_default();
    format!(
        "{head}{open}{vpp}\n{tree}{note}{set}{announced}{doubts}{warnings}\n{}",
        results(backends).render(context)
    )
}

/// A line for each override of it and of its backends.
fn overrides(frontend: &FrontendInfo, backends: &[BackendInfo], context: &RenderContext) -> String {
    let weights = members(frontend).filter_map(|member| member.weight_override.as_ref());
    let admins = backends.iter().filter_map(|backend| backend.admin_override.as_ref());
    let set: Vec<_> = admins.chain(weights).collect();
    match set.is_empty() {
        true => String::new(),
        false => format!("\n{}", overrides::table("OVERRIDE", set).render(context)),
    }
}

/// A line for each backend that starts slowly: `45 of 100`, full in 12s.
fn slow_starts(frontend: &str, backends: &[BackendInfo], context: &RenderContext) -> String {
    let columns = [Column::left("SLOW START"), Column::right("WEIGHT"), Column::right("FULL IN")];
    let mut table = TextTable::new(&columns);
    let mut any = false;
    for backend in backends {
        let Some(ramp) = slow_start_in(frontend, backend) else { continue };
        let weight = format!("{} of {}", ramp.weight, ramp.target);
        let name = Cell::new(&backend.name, Tone::Unsure);
        table.row([name, weight.into(), elapsed(ramp.left_ns).into()]);
        any = true;
    }
    if any { format!("\n{}", table.render(context)) } else { String::new() }
}

/// A line for each backend that fails and keeps its state.
fn doubts(backends: &[BackendInfo], context: &RenderContext) -> String {
    let columns = [Column::left("DOUBTED"), Column::right("FOR"), Column::text("WHY")];
    let mut table = TextTable::new(&columns);
    let mut any = false;
    for (backend, doubt) in backends.iter().filter_map(|it| Some((it, it.doubt.as_ref()?))) {
        let lasts = age(context.now_of_daemon(backend.now_unix_ns), doubt.since_unix_ns);
        let name = Cell::new(&backend.name, Tone::Unsure);
        table.row([name, lasts.into(), doubt.why.as_str().into()]);
        any = true;
    }
    if any { format!("\n{}", table.render(context)) } else { String::new() }
}

/// The line for what VPP refuses, or for why it does not hold yet what is desired.
fn vpp(frontend: &FrontendInfo, context: &RenderContext) -> String {
    let (label, what) = if !frontend.vpp_refusal.is_empty() {
        (context.paint(Tone::Bad, "refused by VPP:"), &frontend.vpp_refusal)
    } else if !frontend.not_programmed.is_empty() {
        (context.paint(Tone::Unsure, "not in VPP yet:"), &frontend.not_programmed)
    } else {
        return String::new();
    };
    format!("{label} {}\n", printable(what))
}

fn members(frontend: &FrontendInfo) -> impl Iterator<Item = &PoolBackendInfo> {
    frontend.pools.iter().flat_map(|pool| &pool.backends)
}

fn tree(frontend: &FrontendInfo, backends: &[BackendInfo]) -> TextTable {
    let serving = serving_pool(frontend).map(|pool| pool.name.as_str());
    let marks = members(frontend).any(|member| member.weight_overridden);
    let mut table = TextTable::new(&[
        Column::left("POOL / BACKEND"),
        Column::left("STATE"),
        Column::right("WEIGHT"),
        Column::right("EFFECTIVE"),
        Column::right("ASKED"),
        Column::right("SHARE"),
        Column::right("BUCKETS"),
    ]);
    for pool in &frontend.pools {
        let state = match serving {
            Some(name) if name == pool.name => Cell::new("serving", Tone::Title),
            Some(_) => Cell::new("standby", Tone::Faint),
            None => "-".into(),
        };
        table.row([Cell::new(&pool.name, Tone::Title), state]);
        for (place, member) in pool.backends.iter().enumerate() {
            let branch = if place + 1 == pool.backends.len() { "└─" } else { "├─" };
            let backend = backends.iter().find(|backend| backend.name == member.name);
            table.row([
                format!("{branch} {}", member.name).into(),
                backend.map_or_else(|| Cell::state("removed", false), state_cell),
                configured(member, marks).into(),
                effective(member),
                fraction(member.asked_share).into(),
                fraction(member.real_share).into(),
                member.vpp_buckets.map_or("-".into(), |held| held.to_string()).into(),
            ]);
        }
    }
    table
}

/// The address and the last probe result of each backend.
fn results(backends: &[BackendInfo]) -> TextTable {
    let columns = [Column::left("BACKEND"), Column::left("ADDRESS"), Column::text("LAST RESULT")];
    let mut table = TextTable::new(&columns);
    for backend in backends {
        table.row([
            backend.name.as_str().into(),
            or_dash(&backend.address).into(),
            backend.last_result.as_str().into(),
        ]);
    }
    table
}

/// The configured weight. Where some are marked, the others end in a blank, so
/// that the digits are aligned.
fn configured(member: &PoolBackendInfo, marks: bool) -> String {
    let mark = match (member.weight_overridden, marks) {
        (true, _) => "*",
        (false, true) => " ",
        (false, false) => "",
    };
    format!("{}{mark}", member.weight)
}

/// A part of the new flows; `-` where it is not known.
fn fraction(part: Option<f64>) -> String {
    part.map_or("-".into(), |part| format!("{:.1}%", 100.0 * part))
}

/// The weight that VPP should hold.
fn effective(member: &PoolBackendInfo) -> Cell {
    match member.effective_weight {
        ..0 => Cell::new("as-is", Tone::Unsure),
        weight if weight == member.weight => weight.to_string().into(),
        weight => Cell::new(&weight.to_string(), Tone::Unsure),
    }
}

pub(super) fn weight(
    frontend: &FrontendInfo,
    pool: &str,
    backend: &str,
    context: &RenderContext,
) -> String {
    let found = frontend
        .pools
        .iter()
        .filter(|candidate| candidate.name == pool)
        .flat_map(|pool| &pool.backends)
        .find(|member| member.name == backend);
    let names = printable(&format!("{backend} in {}/{pool}", frontend.name));
    match found {
        // A reload removed it between the change and the answer.
        None => format!("{names}: no longer configured\n"),
        Some(member) => {
            let effective = match member.effective_weight {
                ..0 => "as-is".into(),
                weight => weight.to_string(),
            };
            let weight = context.paint(Tone::Title, &member.weight.to_string());
            let vpp = confirmation(frontend.programmed, &frontend.not_programmed, context);
            let term = overrides::term(member.weight_override.as_ref());
            format!("{names}: weight {weight}{term}, effective {effective}{vpp}\n")
        }
    }
}
