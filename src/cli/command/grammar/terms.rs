//! How long what is set lasts, and why it is set.

use super::node::{Node, Path, ValueSlot, slot, word};
use crate::cli::command::request::OverrideTerms;

pub(super) const TERMS: &[Node] = &[FOR, BECAUSE];

pub(super) const REASON: &[Node] = &[BECAUSE];

const FOR: Node = word("for", "end it by itself")
    .then(&[slot(ValueSlot::Duration, "how long it lasts, such as 2h, 1d12h or 90s")]);

pub(super) const BECAUSE: Node = word("because", "say why").then(&[slot(
    ValueSlot::Reason,
    "in your words, in quotes; show overrides and the log have it",
)]);

pub(super) fn terms(path: &Path) -> OverrideTerms {
    OverrideTerms { lasts: path.duration(), reason: path.reason() }
}
