//! Operators' overrides: the list of all, and one in the facts of its item.

use super::common::or_dash;
use crate::cli::render::context::{RenderContext, Tone};
use crate::cli::render::table::{Cell, Column, TextTable};
use crate::cli::render::time::elapsed;
use crate::pb::{GetOverridesResponse, OverrideInfo};

pub(super) fn list(answer: &GetOverridesResponse, context: &RenderContext) -> String {
    let table = if answer.overrides.is_empty() {
        "nothing is overridden\n".into()
    } else {
        table("OVERRIDE", &answer.overrides).render(context)
    };
    if answer.kept {
        return table;
    }
    let note = "not kept over restarts: maglevd has no --state-dir";
    table + &context.paint(Tone::Unsure, note) + "\n"
}

/// A row for each.
pub(super) fn table<'a>(
    title: &'static str,
    overrides: impl IntoIterator<Item = &'a OverrideInfo>,
) -> TextTable {
    let mut table = TextTable::new(&[
        Column::left(title),
        Column::left("SET TO"),
        Column::left("FILE"),
        Column::text("WHO"),
        Column::right("AGE"),
        Column::right("LEFT"),
        Column::text("WHY"),
    ]);
    for info in overrides {
        table.row([
            item(info).into(),
            Cell::new(&info.value, Tone::of_state(&info.value)),
            info.configured.as_str().into(),
            info.who.as_str().into(),
            elapsed(info.age_ns).into(),
            info.left_ns.map_or("-".into(), elapsed).into(),
            or_dash(&info.why).into(),
        ]);
    }
    table
}

/// As it is typed after `unset`, without what goes without saying.
fn item(info: &OverrideInfo) -> String {
    match info.kind.as_str() {
        "weight" => {
            format!("{}/{} {} weight", info.frontend_name, info.pool_name, info.backend_name)
        }
        "announcement" => format!("announcement {}", info.prefix),
        _ => format!("backend {}", info.backend_name),
    }
}

/// `paused by alice 2h0m ago, 1h0m left: kernel upgrade`
pub(super) fn fact(info: &OverrideInfo) -> String {
    let mut text = format!("{} by {} {} ago", info.value, info.who, elapsed(info.age_ns));
    if let Some(left) = info.left_ns {
        text.push_str(&format!(", {} left", elapsed(left)));
    }
    if !info.why.is_empty() {
        text.push_str(&format!(": {}", info.why));
    }
    text
}

/// ` for 2h0m` after what was just set.
pub(super) fn term(info: Option<&OverrideInfo>) -> String {
    let left = info.and_then(|info| info.left_ns);
    // Rounded, as it was set a moment ago.
    left.map_or_else(String::new, |left| format!(" for {}", elapsed(left + 999_999_999)))
}
