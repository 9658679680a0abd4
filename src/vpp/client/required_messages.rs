//! The messages without which the load balancer cannot be programmed.

use crate::vpp::wire::{
    CliInband, ControlPing, LbAddDelAsV2, LbAddDelVipV2, LbAsSetWeight, LbAsV2Dump, LbConfGet,
    LbConfSet, LbVipDump, Message, MessageTable, Request, ShowVersion, SockclntDelete,
};

/// Name and checksum of a request and of its answer.
fn pair<M: Request>() -> [(&'static str, u32); 2] {
    [(M::NAME, M::CRC), (<M::Answer as Message>::NAME, <M::Answer as Message>::CRC)]
}

/// What `table` lacks, for people: `lb_conf_get_51077d14`, and what it has
/// instead if it has another layout of it.
pub(super) fn missing(table: &MessageTable) -> Vec<String> {
    [
        pair::<SockclntDelete>(),
        pair::<ControlPing>(),
        pair::<ShowVersion>(),
        pair::<CliInband>(),
        pair::<LbConfSet>(),
        pair::<LbConfGet>(),
        pair::<LbAddDelVipV2>(),
        pair::<LbAddDelAsV2>(),
        pair::<LbAsSetWeight>(),
        pair::<LbVipDump>(),
        pair::<LbAsV2Dump>(),
    ]
    .into_iter()
    .flatten()
    .filter(|(name, crc)| table.id(name, *crc).is_none())
    .map(|(name, crc)| match table.changed(name, crc) {
        Some(other) => format!("{name}_{crc:08x} (this VPP has {other})"),
        None => format!("{name}_{crc:08x}"),
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_or_changed_is_named() {
        let everything = missing(&MessageTable::default());
        assert_eq!(everything.len(), 22);
        let known = everything.iter().zip(1..).map(|(key, id)| (id, key.clone()));
        assert_eq!(missing(&MessageTable::new(known.clone())), Vec::<String>::new());
        let changed = known.map(|(id, key)| match key.as_str() {
            "lb_conf_get_51077d14" => (id, "lb_conf_get_00000bad".to_owned()),
            _ => (id, key),
        });
        assert_eq!(
            missing(&MessageTable::new(changed)),
            ["lb_conf_get_51077d14 (this VPP has lb_conf_get_00000bad)"]
        );
    }
}
