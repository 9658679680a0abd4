//! The message table: which number a VPP gives to which message. Numbers
//! depend on the plugins that are loaded, so every one is looked up.

use std::collections::HashMap;

use super::buffer::{FieldReader, FieldWriter, FixedText, WireError};
use super::message::{self, Message};

/// Bytes of an entry on the wire: id and name.
const ENTRY: usize = 66;

/// The messages that a VPP knows, `name_crc` to id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageTable {
    ids: HashMap<Vec<u8>, u16>,
}

impl MessageTable {
    /// A table of the given ids and keys.
    #[must_use]
    pub fn new(entries: impl IntoIterator<Item = (u16, String)>) -> Self {
        Self { ids: entries.into_iter().map(|(id, key)| (key.into_bytes(), id)).collect() }
    }

    /// The id of a message, if this VPP has it with the very same layout.
    #[must_use]
    pub fn id_of<M: Message>(&self) -> Option<u16> {
        self.id(M::NAME, M::CRC)
    }

    /// The id of the message with this name and checksum.
    #[must_use]
    pub fn id(&self, name: &str, crc: u32) -> Option<u16> {
        self.ids.get(message::key(name, crc).as_bytes()).copied()
    }

    /// The key of a message with this name and another checksum, which is
    /// how a changed layout shows.
    #[must_use]
    pub fn changed(&self, name: &str, crc: u32) -> Option<String> {
        let wanted = message::key(name, crc);
        let mut others: Vec<_> = self
            .ids
            .keys()
            .filter_map(|key| std::str::from_utf8(key).ok())
            .filter(|key| key.rsplit_once('_').is_some_and(|(stem, _)| stem == name))
            .filter(|key| *key != wanted)
            .collect();
        others.sort_unstable();
        others.first().map(|key| (*key).to_owned())
    }

    /// The key of a message with this name, whatever its checksum is.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<String> {
        let keys = self.ids.keys().filter_map(|key| std::str::from_utf8(key).ok());
        let is_meant = |key: &&str| key.rsplit_once('_').is_some_and(|(stem, _)| stem == name);
        keys.filter(is_meant).min().map(str::to_owned)
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    pub(super) fn write(&self, to: &mut FieldWriter<'_>) {
        let mut entries: Vec<_> = self.ids.iter().collect();
        entries.sort_unstable_by_key(|(_, id)| **id);
        // Ids are 16 bits wide, and so is the count.
        entries.truncate(usize::from(u16::MAX));
        to.u16(u16::try_from(entries.len()).unwrap_or(u16::MAX));
        for (key, id) in entries {
            to.u16(*id);
            let mut name = [0; 64];
            for (field, byte) in name.iter_mut().zip(key) {
                *field = *byte;
            }
            to.bytes(&name);
        }
    }

    pub(super) fn read(from: &mut FieldReader<'_>) -> Result<Self, WireError> {
        let count = usize::from(from.u16()?);
        // All entries are there before the map is made.
        let mut entries = FieldReader::new(from.take(count * ENTRY)?);
        let mut ids = HashMap::with_capacity(count);
        for _ in 0..count {
            let id = entries.u16()?;
            ids.insert(FixedText::<64>::read(&mut entries)?.as_bytes().to_vec(), id);
        }
        Ok(Self { ids })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ControlPing, LbConfSet};
    use super::*;

    #[test]
    fn a_message_is_found_by_name_and_layout() {
        let table = MessageTable::new([
            (23, ControlPing::key()),
            (89, "lb_conf_00000000".into()),
            (91, "lb_conf_get_51077d14".into()),
        ]);
        assert_eq!(table.id_of::<ControlPing>(), Some(23));
        assert_eq!(table.id_of::<LbConfSet>(), None);
        assert_eq!(
            table.changed(LbConfSet::NAME, LbConfSet::CRC).as_deref(),
            Some("lb_conf_00000000")
        );
        assert_eq!(table.changed(ControlPing::NAME, ControlPing::CRC), None);
    }

    #[test]
    fn a_count_that_the_body_does_not_hold_is_refused() {
        assert!(matches!(
            MessageTable::read(&mut FieldReader::new(&[0xff, 0xff, 0, 1])),
            Err(WireError::Truncated { wanted, .. }) if wanted == 65535 * ENTRY
        ));
    }
}
