//! VPP: its age, the load balancer's state and counters, and a sync's steps.

use super::common::{first_names, or_dash, share};
use super::prediction::moved;
use crate::api::views::text::printable;
use crate::cli::render::context::{RenderContext, Tone};
use crate::cli::render::table::{Cell, Column, TextTable, facts};
use crate::cli::render::time::{age, elapsed, moment};
use crate::pb;

/// A VIP that no frontend has and that stays.
const HELD: &str = "of no frontend, its removal is held";

/// Bit 0 of a server's flags in VPP: it is in use, not removed.
const IN_USE: u32 = 1;

pub(super) fn info(info: &pb::VppInfo, context: &RenderContext) -> String {
    let now_ns = context.now_of_daemon(info.now_unix_ns);
    // An older daemon sends no spans.
    let when = |at_ns, span_ns| match (at_ns, span_ns) {
        (0, 0) => "-".into(),
        (at_ns, 0) => format!("{} ({} UTC)", age(now_ns, at_ns), moment(at_ns)),
        (at_ns, span_ns) => format!("{} ({} UTC)", elapsed(span_ns), moment(at_ns)),
    };
    let missing = match info.missing_messages.as_slice() {
        [] => String::new(),
        names => format!("{} (VPP is not programmed)", names.join(", ")),
    };
    let held = first_names(&info.held_removals);
    facts(
        &[
            ("version", info.version.as_str().into()),
            ("built", info.build_date.as_str().into()),
            ("build directory", info.build_directory.as_str().into()),
            ("pid", info.pid.to_string().into()),
            ("running for", when(info.boottime_ns, info.uptime_ns).into()),
            ("connected for", when(info.connecttime_ns, info.connected_for_ns).into()),
            ("dialect", dialect(&info.dialect).into()),
            ("missing messages", Cell::new(&missing, Tone::Bad)),
            ("removals held", Cell::new(&held, Tone::Bad)),
            ("dead clients let go", info.reaped_clients.join(", ").into()),
        ],
        context,
    )
}

/// The dialect with what it means; an older daemon sends none.
fn dialect(name: &str) -> String {
    match name {
        "membership" => "membership (this VPP has no weights: shares are equal)".into(),
        name => printable(name),
    }
}

/// `tcp/80`, `any`, or a protocol's number.
fn service(protocol: u32, port: u32) -> String {
    match protocol {
        6 => format!("tcp/{port}"),
        17 => format!("udp/{port}"),
        255 => "any".into(),
        number => format!("{number}/{port}"),
    }
}

pub(super) fn state(state: &pb::VpplbState, context: &RenderContext) -> String {
    let conf = state.conf.clone().unwrap_or_default();
    let mut text = facts(
        &[
            ("IPv4 source", or_dash(&conf.ip4_src_address).into()),
            ("IPv6 source", or_dash(&conf.ip6_src_address).into()),
            ("sticky buckets per core", conf.sticky_buckets_per_core.to_string().into()),
            ("flow timeout", format!("{}s", conf.flow_timeout).into()),
        ],
        context,
    );
    if state.vips.is_empty() {
        text.push_str("\nno VIPs\n");
    }
    let now_ns = context.now_of_daemon(state.now_unix_ns);
    for vip in &state.vips {
        let name = format!("{} {}", vip.prefix, service(vip.protocol, vip.port));
        let name = context.paint(Tone::Title, &printable(&name));
        let length = match vip.flow_table_length {
            0 => "of unknown length".into(),
            length => format!("of {length}"),
        };
        let held = match vip.removal_held {
            true => "  ".to_owned() + &context.paint(Tone::Bad, HELD),
            false => String::new(),
        };
        text.push_str(&format!("\n{name}  {}  table {length}{held}\n", printable(&vip.encap)));
        text.push_str(&servers(vip, now_ns, context));
    }
    text
}

fn servers(vip: &pb::Vpplbvip, now_ns: i64, context: &RenderContext) -> String {
    if vip.application_servers.is_empty() {
        return "  no servers\n".into();
    }
    // The table's length may be unknown; all its entries lead to servers.
    let total: u64 = vip.application_servers.iter().map(|s| u64::from(s.num_buckets)).sum();
    let mut table = TextTable::new(&[
        Column::left("SERVER"),
        Column::right("WEIGHT"),
        Column::right("BUCKETS"),
        Column::right("SHARE"),
        Column::left("STATE"),
    ])
    .indented(2);
    for server in &vip.application_servers {
        let state = if server.flags & IN_USE != 0 {
            Cell::new("in use", Tone::Plain)
        } else {
            let since = match server.in_use_since_ns {
                0 => String::new(),
                at_ns => format!(" {} ago", age(now_ns, at_ns)),
            };
            Cell::new(&format!("removed{since}"), Tone::Faint)
        };
        table.row([
            server.address.as_str().into(),
            server.weight.to_string().into(),
            server.num_buckets.to_string().into(),
            share(server.num_buckets.into(), total).into(),
            state,
        ]);
    }
    table.render(context)
}

pub(super) fn counters(counters: &pb::VpplbCounters, context: &RenderContext) -> String {
    if counters.vips.is_empty() {
        return "no VIPs\n".into();
    }
    let mut table = TextTable::new(&[
        Column::left("PREFIX"),
        Column::left("SERVICE"),
        Column::right("NEXT"),
        Column::right("FIRST"),
        Column::right("UNTRACKED"),
        Column::right("NO SERVER"),
    ]);
    for vip in &counters.vips {
        let dropped = if vip.no_server > 0 { Tone::Bad } else { Tone::Plain };
        table.row([
            vip.prefix.as_str().into(),
            service(vip.protocol, vip.port).into(),
            vip.next.to_string().into(),
            vip.first.to_string().into(),
            vip.untracked.to_string().into(),
            Cell::new(&vip.no_server.to_string(), dropped),
        ]);
    }
    let is_held = |vip: &&pb::VpplbvipCounters| vip.removal_held;
    let held: Vec<_> = counters.vips.iter().filter(is_held).map(|vip| &*vip.prefix).collect();
    let note = match held.as_slice() {
        [] => String::new(),
        held => format!(
            "{} {}\n",
            context.paint(Tone::Bad, &format!("{HELD}:")),
            printable(&held.join(", "))
        ),
    };
    table.render(context) + &note
}

pub(super) fn sync(
    sync: &pb::SyncVpplbStateResponse,
    dry_run: bool,
    context: &RenderContext,
) -> String {
    if sync.steps.is_empty() {
        return context.paint(Tone::Good, "VPP holds the desired state, nothing to do") + "\n";
    }
    let mut table = TextTable::new(&[
        Column::right("STEP"),
        Column::left("FRONTEND"),
        Column::left("ACTION"),
        Column::left("DISRUPTION"),
        // The part of the table that moves, and how much of that is collateral.
        Column::right("MOVES (OTHERS')"),
        // Never cut: the last word of a step may be its weight.
        Column::left("DETAIL"),
    ]);
    let mut errors = String::new();
    for (place, step) in sync.steps.iter().enumerate() {
        let number = if step.held { "held".into() } else { (place + 1).to_string() };
        let tone = match step.disruption.as_str() {
            "none" => Tone::Plain,
            "disruptive" => Tone::Bad,
            _ => Tone::Unsure,
        };
        if !step.error.is_empty() {
            let error = format!("step {number} failed: {}", printable(&step.error));
            errors.push_str(&format!("{}\n", context.paint(Tone::Bad, &error)));
        }
        table.row([
            number.into(),
            or_dash(&step.frontend_name).into(),
            step.action.as_str().into(),
            Cell::new(&step.disruption, tone),
            moved(step.moves).into(),
            step.detail.as_str().into(),
        ]);
    }
    let failed = sync.steps.iter().filter(|step| !step.error.is_empty()).count();
    let outcome = match (sync.applied, dry_run) {
        _ if failed > 0 => format!("{failed} failed"),
        (true, _) => "applied".into(),
        (false, true) => "not applied (dry run)".into(),
        (false, false) => "not applied".into(),
    };
    let held = sync.steps.iter().filter(|step| step.held).count();
    let steps = match sync.steps.len() - held {
        1 => "1 step".into(),
        n => format!("{n} steps"),
    };
    let held = match held {
        0 => String::new(),
        held => {
            let why = "would remove too much to be meant: sync vpp lb state force takes them";
            context.paint(Tone::Bad, &format!("{held} held, which {why}")) + "\n"
        }
    };
    format!("{}{errors}{steps}, {outcome}\n{held}", table.render(context))
}
