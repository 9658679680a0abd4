//! Which messages of those that a dialect requires a message table has.

use crate::vpp::wire::{
    CliInband, ControlPing, LbAddDelAsV2, LbAsSetWeight, LbAsV2Dump, LbConfGet, Message,
    MessageTable, Request, ShowVersion, SockclntDelete,
};

/// Name and checksum of a message.
pub(super) type MessageKey = (&'static str, u32);

/// The keys of a request and of its answer.
pub(super) fn pair<M: Request>() -> [MessageKey; 2] {
    [(M::NAME, M::CRC), (<M::Answer as Message>::NAME, <M::Answer as Message>::CRC)]
}

/// The messages by which a VPP shows that it has cured encodings, whatever their
/// checksums are.
pub(super) const CURED: [&str; 4] =
    [LbConfGet::NAME, LbAddDelAsV2::NAME, LbAsSetWeight::NAME, LbAsV2Dump::NAME];

/// The messages that every dialect requires beside its own.
fn common() -> [[MessageKey; 2]; 4] {
    [pair::<SockclntDelete>(), pair::<ControlPing>(), pair::<ShowVersion>(), pair::<CliInband>()]
}

/// The messages of a dialect that `table` lacks, for people:
/// `lb_conf_get_51077d14`, and what it has instead if it has another layout.
pub(super) fn missing<const N: usize>(
    table: &MessageTable,
    own: [[MessageKey; 2]; N],
) -> Vec<String> {
    common()
        .into_iter()
        .chain(own)
        .flatten()
        .filter(|(name, crc)| table.id(name, *crc).is_none())
        .map(|(name, crc)| match table.changed(name, crc) {
            Some(other) => format!("{name}_{crc:08x} (this VPP has {other})"),
            None => format!("{name}_{crc:08x}"),
        })
        .collect()
}
