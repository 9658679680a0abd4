//! Pieces of text that several subjects share.

use super::drain;
use crate::api::views::text::printable;
use crate::cli::render::context::{RenderContext, Tone};
use crate::cli::render::table::Cell;
use crate::pb::BackendInfo;

/// `-` for an empty text.
pub(super) fn or_dash(text: &str) -> &str {
    if text.is_empty() { "-" } else { text }
}

/// A part in per cent, rounded to a tenth.
pub(super) fn share(part: u64, total: u64) -> String {
    if total == 0 {
        return "-".into();
    }
    let tenths = (part * 1000 + total / 2) / total;
    format!("{}.{}%", tenths / 10, tenths % 10)
}

pub(super) fn yes_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

/// A backend's state, with `*` where an operator overrode the file and `?` where it is
/// doubted. One that is drained is paused: how far that is stands in its place.
pub(super) fn state_cell(backend: &BackendInfo) -> Cell {
    if let Some(drain) = &backend.drain {
        let mark = if backend.enabled_overridden { "*" } else { "" };
        return Cell::new(&format!("{}{mark}", drain.phase), drain::tone(&drain.phase));
    }
    match &backend.doubt {
        None => Cell::state(&backend.state, backend.enabled_overridden),
        Some(_) => {
            let mark = if backend.enabled_overridden { "*" } else { "" };
            Cell::new(&format!("{}{mark}?", backend.state), Tone::Unsure)
        }
    }
}

/// Explains the `?` behind states, where there is one.
pub(super) fn doubt_note(backends: &[BackendInfo], context: &RenderContext) -> String {
    if backends.iter().all(|backend| backend.doubt.is_none()) {
        return String::new();
    }
    let note = "? fails without evidence and keeps its state: show backend <name> says why";
    context.paint(Tone::Faint, note) + "\n"
}

/// Explains the `*` behind values, where there is one.
pub(super) fn override_note(marked: bool, context: &RenderContext) -> String {
    if !marked {
        return String::new();
    }
    context.paint(Tone::Faint, "* set by an operator over the configuration file") + "\n"
}

/// What VPP says of a change: `, written` or `, not yet: …`. Nothing where the
/// daemon does not report it.
pub(super) fn confirmation(programmed: bool, why_not: &str, context: &RenderContext) -> String {
    match (programmed, why_not) {
        (true, _) => format!(", {}", context.paint(Tone::Good, "written")),
        (false, "") => String::new(),
        (false, why) => format!(", {} {}", context.paint(Tone::Unsure, "not yet:"), printable(why)),
    }
}

/// Names that are shown of a long list.
const SHOWN: usize = 10;

/// `a, b, c`, or the first ten and how many more there are.
pub(super) fn first_names(names: &[String]) -> String {
    let shown = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
