//! The part of the tree that looks at announcements and orders them.

use super::node::{Node, Path, ValueSlot, slot, whole, word};
use super::terms::{REASON, TERMS, terms};
use crate::cli::command::request::{AnnounceOrderWord, AnnounceWhich, CliCommand, DaemonRequest};

pub(super) const SHOW_ANNOUNCEMENTS: Node =
    word("announcements", "what is announced, what is not and why")
        .with(&[slot(ValueSlot::Announcement, "only this one")])
        .makes(show_announcements);

pub(super) const SET_ANNOUNCEMENT: Node =
    word("announcement", "announce, drain or withdraw an address").then(&[
        slot(ValueSlot::Announcement, "the address, also of a frontend").then(ORDERS),
        whole("all", "every address of this site").then(ORDERS),
    ]);

pub(super) const UNSET_ANNOUNCEMENT: Node = word("announcement", "what was ordered of an address")
    .then(&[
        slot(ValueSlot::Announcement, "announce it by the rules")
            .with(REASON)
            .makes(|path| order(path, None)),
        whole("all", "the order for every address; those for one stay")
            .with(REASON)
            .makes(|path| order(path, None)),
    ]);

const ORDERS: &[Node] = &[
    word("announce", "whatever its servers' health is, as long as VPP serves it")
        .with(TERMS)
        .makes(|path| order(path, Some(AnnounceOrderWord::Announce))),
    word("drain", "with a low preference: other sites first")
        .with(TERMS)
        .makes(|path| order(path, Some(AnnounceOrderWord::Drain))),
    word("withdraw", "take the address back from routers")
        .with(TERMS)
        .makes(|path| order(path, Some(AnnounceOrderWord::Withdraw))),
];

pub(super) const WITHDRAW: &[Node] = &[whole("all", "set announcement all withdraw")
    .with(TERMS)
    .makes(|path| order(path, Some(AnnounceOrderWord::Withdraw)))];

pub(super) const ANNOUNCE: &[Node] =
    &[whole("all", "unset announcement all").with(REASON).makes(|path| order(path, None))];

#[allow(clippy::unnecessary_wraps)] // one type for all makers of commands
fn show_announcements(path: &Path) -> Option<CliCommand> {
    let subject = path.name(ValueSlot::Announcement).map(AnnounceWhich::named);
    Some(CliCommand::Request(DaemonRequest::ShowAnnouncements { subject }))
}

fn order(path: &Path, order: Option<AnnounceOrderWord>) -> Option<CliCommand> {
    let subject = match path.name(ValueSlot::Announcement) {
        Some(name) => AnnounceWhich::named(name),
        None => path.has("all").then_some(AnnounceWhich::All)?,
    };
    let terms = terms(path);
    Some(CliCommand::Request(DaemonRequest::OrderAnnouncement { subject, order, terms }))
}
