//! Frontends: the list, one as a tree of pools and backends, a changed weight.

use super::{or_dash, override_note, yes_no};
use crate::cli::answer::serving_pool;
use crate::cli::render::context::{RenderContext, Tone, printable, urgency};
use crate::cli::render::table::{Cell, Column, TextTable, facts};
use crate::pb::{BackendInfo, FrontendInfo, PoolBackendInfo, PoolInfo};

pub(super) fn list(frontends: &[FrontendInfo], page: &RenderContext) -> String {
    if frontends.is_empty() {
        return "no frontends are configured\n".into();
    }
    let mut sorted: Vec<&FrontendInfo> = frontends.iter().collect();
    sorted.sort_by_key(|frontend| (urgency(&frontend.state), &frontend.name));
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
    table.render(page)
}

/// `tcp/80`, or `any`.
fn service(frontend: &FrontendInfo) -> String {
    if frontend.protocol.is_empty() {
        return "any".into();
    }
    format!("{}/{}", frontend.protocol, frontend.port)
}

/// The serving pool; one that is not the first choice stands out.
fn pool_cell(frontend: &FrontendInfo, pool: Option<&PoolInfo>) -> Cell {
    let Some(pool) = pool else { return "-".into() };
    let first = frontend.pools.first().is_some_and(|first| first.name == pool.name);
    Cell::new(&pool.name, if first { Tone::Plain } else { Tone::Unsure })
}

/// Backends that get new flows, of all.
fn serving(frontend: &FrontendInfo) -> String {
    let serving = members(frontend).filter(|member| member.effective_weight > 0).count();
    format!("{serving}/{}", members(frontend).count())
}

pub(super) fn one(
    frontend: &FrontendInfo,
    backends: &[BackendInfo],
    page: &RenderContext,
) -> String {
    let sticky = if frontend.src_ip_sticky { "by source address" } else { "by flow" };
    let head = facts(
        &[
            ("frontend", frontend.name.as_str().into()),
            ("state", Cell::state(&frontend.state, false)),
            ("description", frontend.description.as_str().into()),
            ("address", frontend.address.as_str().into()),
            ("service", service(frontend).into()),
            ("sticky", sticky.into()),
            ("flush on down", yes_no(frontend.flush_on_down).into()),
            ("new-flow table", frontend.new_flows_table_length.to_string().into()),
        ],
        page,
    );
    let marked = members(frontend).any(|member| member.weight_overridden)
        || backends.iter().any(|backend| backend.enabled_overridden);
    let tree = tree(frontend, backends).render(page);
    let warnings = frontend.warnings.iter().map(|warning| {
        format!("{} {}\n", page.paint(Tone::Unsure, "warning:"), printable(warning))
    });
    let warnings: String = warnings.collect();
    let note = override_note(marked, page);
    let refusal = refusal(frontend, page);
    format!("{head}{refusal}\n{tree}{note}{warnings}\n{}", results(backends).render(page))
}

/// What VPP refuses, as a line below the facts.
fn refusal(frontend: &FrontendInfo, page: &RenderContext) -> String {
    if frontend.vpp_refusal.is_empty() {
        return String::new();
    }
    let what = printable(&frontend.vpp_refusal);
    format!("{} {what}\n", page.paint(Tone::Bad, "refused by VPP:"))
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
                backend.map_or_else(
                    || Cell::state("removed", false),
                    |backend| Cell::state(&backend.state, backend.enabled_overridden),
                ),
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

/// Where each backend is, and what its last probe found.
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

/// The weight asked for; where some are marked, the others keep the place of
/// the mark free, so that digits stand under digits.
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
    page: &RenderContext,
) -> String {
    let found = frontend
        .pools
        .iter()
        .filter(|candidate| candidate.name == pool)
        .flat_map(|pool| &pool.backends)
        .find(|member| member.name == backend);
    let names = printable(&format!("{backend} in {}/{pool}", frontend.name));
    match found {
        // Accepted, and gone from the configuration before the answer was made.
        None => format!("{names}: no longer configured\n"),
        Some(member) => {
            let effective = match member.effective_weight {
                ..0 => "as-is".into(),
                weight => weight.to_string(),
            };
            let weight = page.paint(Tone::Title, &member.weight.to_string());
            format!("{names}: weight {weight}, effective {effective}\n")
        }
    }
}
