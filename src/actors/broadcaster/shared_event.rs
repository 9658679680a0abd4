//! An event that many streams carry.

use std::ops::Deref;
use std::sync::OnceLock;

use crate::domain::events::{Event, Numbered, Seq};

/// An event with its bytes on the wire, which the first stream that sends it
/// makes for all others.
#[derive(Debug)]
pub struct SharedEvent {
    numbered: Numbered,
    encoded: OnceLock<Box<[u8]>>,
}

impl SharedEvent {
    #[must_use]
    pub fn new(seq: Seq, event: Event) -> Self {
        Numbered { seq, event }.into()
    }

    /// The bytes on the wire. `encode` is called at most once for an event: it
    /// must always give the same.
    pub fn encoded(&self, encode: impl FnOnce(&Numbered) -> Box<[u8]>) -> &[u8] {
        self.encoded.get_or_init(|| encode(&self.numbered))
    }
}

impl From<Numbered> for SharedEvent {
    fn from(numbered: Numbered) -> Self {
        Self { numbered, encoded: OnceLock::new() }
    }
}

impl AsRef<Numbered> for SharedEvent {
    fn as_ref(&self) -> &Numbered {
        &self.numbered
    }
}

impl Deref for SharedEvent {
    type Target = Numbered;

    fn deref(&self) -> &Numbered {
        &self.numbered
    }
}

impl PartialEq for SharedEvent {
    fn eq(&self, other: &Self) -> bool {
        self.numbered == other.numbered
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::events::Change;

    #[test]
    fn an_event_is_encoded_once_for_all_streams() {
        let at = std::time::SystemTime::UNIX_EPOCH;
        let event = SharedEvent::new(Seq(7), Event::Change(Change::of_config(at).into()));
        assert_eq!(
            event.encoded(|numbered| Box::new(numbered.seq.0.to_be_bytes())),
            [0, 0, 0, 0, 0, 0, 0, 7]
        );
        let again = event.encoded(|_| panic!("it is encoded already"));
        assert_eq!(again[7], 7);
    }
}
