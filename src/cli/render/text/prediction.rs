//! What a supposed weight would move in a frontend's table.

use super::common::share;
use crate::api::views::text::printable;
use crate::cli::render::context::{RenderContext, Tone};
use crate::cli::render::table::{Cell, Column, TextTable};
use crate::pb;

/// A line for each server, then what moves.
pub(super) fn prediction(
    frontend: &str,
    backend: &str,
    predicted: &pb::PredictChangeResponse,
    context: &RenderContext,
) -> String {
    let mut table = TextTable::new(&[
        Column::left("BACKEND"),
        Column::right("WEIGHT"),
        Column::left("THEN"),
        Column::right("BUCKETS"),
        Column::left("THEN"),
        Column::left("ADDRESS"),
    ]);
    for server in &predicted.servers {
        table.row([
            server.name.as_str().into(),
            server.weight_before.to_string().into(),
            changed(server.weight_before, server.weight_after),
            server.buckets_before.to_string().into(),
            changed(server.buckets_before, server.buckets_after),
            server.address.as_str().into(),
        ]);
    }
    let moves = predicted.moves.unwrap_or_default();
    let outcome = if moves.own + moves.collateral == 0 {
        "moves nothing".into()
    } else {
        format!(
            "moves {} of the table of {} entries, {} from one server to another \
             whose weights do not change",
            percent(moves.own + moves.collateral, moves.entries),
            moves.entries,
            percent(moves.collateral, moves.entries),
        )
    };
    let names = printable(&format!("{backend} in {frontend}"));
    format!("{}{names}: {outcome}; nothing was changed\n", table.render(context))
}

/// The number after the change; one that stays the same is faint.
fn changed(before: u32, after: u32) -> Cell {
    let tone = if before == after { Tone::Faint } else { Tone::Unsure };
    Cell::new(&after.to_string(), tone)
}

/// `12.3% (1.2%)`: the part that a step moves, and how much is collateral.
pub(super) fn moved(moves: Option<pb::TableMoves>) -> String {
    let Some(moves) = moves else { return "-".into() };
    let all = moves.own + moves.collateral;
    format!("{} ({})", percent(all, moves.entries), percent(moves.collateral, moves.entries))
}

/// A part in per cent, to a tenth.
fn percent(part: u32, whole: u32) -> String {
    share(part.into(), whole.into())
}
