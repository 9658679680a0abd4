//! The part of the tree that follows what happens.

use super::node::{Node, Path, ValueSlot, slot, word};
use crate::cli::command::request::{CliCommand, LogLevelWord, WatchOptions};

pub(super) const WATCH: &[Node] = &[
    word("state", "frontends and their servers live, on the whole terminal")
        .makes(|_| Some(CliCommand::WatchState)),
    word("events", "events as they happen, a JSON object a line").with(EVENTS).makes(watch),
];

const EVENTS: &[Node] = &[
    word("num", "stop after so many").then(&[slot(ValueSlot::Count, "how many")]),
    word("log", "only these: the daemon's log").with(&[word("level", "how severe at least").then(
        &[
            word("debug", "every probe and message"),
            word("info", "what happens"),
            word("warn", "what needs a look"),
            word("error", "what failed"),
        ],
    )]),
    word("backend", "only these: transitions of backends"),
    word("frontend", "only these: transitions of frontends"),
    word("dataplane", "only these: what was written to VPP"),
    word("hold", "only these: verdicts that wait for evidence"),
    word("drain", "only these: how far drains are"),
    word("audit", "only these: who changed something, or tried to"),
    word("announcement", "only these: what is announced and withdrawn"),
];

#[allow(clippy::unnecessary_wraps)] // one type for all makers of commands
fn watch(path: &Path) -> Option<CliCommand> {
    let levels = [LogLevelWord::Debug, LogLevelWord::Info, LogLevelWord::Warn, LogLevelWord::Error];
    Some(CliCommand::WatchEvents(WatchOptions {
        count: path.count(),
        log: path.has("log"),
        level: levels.into_iter().find(|level| path.has(level.as_str())),
        backend: path.has("backend"),
        frontend: path.has("frontend"),
        dataplane: path.has("dataplane"),
        hold: path.has("hold"),
        drain: path.has("drain"),
        audit: path.has("audit"),
        announcement: path.has("announcement"),
    }))
}
