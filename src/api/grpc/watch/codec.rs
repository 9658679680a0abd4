//! The codec of `WatchEvents`. An event that a thousand streams carry is encoded
//! once, by the first of them.

use std::borrow::Cow;

use prost::Message;
use prost::bytes::BufMut;
use tonic::Status;
use tonic::codec::{BufferSettings, Codec, EncodeBuf, Encoder};
use tonic_prost::{ProstCodec, ProstDecoder};

use super::WatchItem;
use crate::actors::broadcaster::StreamItem;
use crate::api::grpc::convert;
use crate::domain::events::Numbered;
use crate::pb;

/// Decodes requests with prost, and encodes items from shared bytes.
#[derive(Clone, Copy, Default)]
pub(in crate::api::grpc) struct EventCodec;

#[derive(Clone, Copy, Default)]
pub(in crate::api::grpc) struct EventEncoder;

impl Codec for EventCodec {
    type Encode = WatchItem;
    type Decode = pb::WatchRequest;
    type Encoder = EventEncoder;
    type Decoder = ProstDecoder<pb::WatchRequest>;

    fn encoder(&mut self) -> EventEncoder {
        EventEncoder
    }

    fn decoder(&mut self) -> Self::Decoder {
        ProstCodec::<pb::Event, pb::WatchRequest>::raw_decoder(BufferSettings::default())
    }
}

impl Encoder for EventEncoder {
    type Item = WatchItem;
    type Error = Status;

    fn encode(&mut self, item: WatchItem, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put_slice(&encoded(&item));
        Ok(())
    }
}

/// The bytes of an item. Within a snapshot and after it, they are those that all
/// streams share; the last event of a snapshot has its own number.
fn encoded(WatchItem { item, boot_id }: &WatchItem) -> Cow<'_, [u8]> {
    let encode =
        |event: &Numbered, seq| convert::event(&event.event, seq, *boot_id).encode_to_vec();
    match item {
        StreamItem::Event(seq, event) if *seq == event.seq => {
            Cow::Borrowed(event.encoded(|event| encode(event, *seq).into()))
        }
        StreamItem::Event(seq, event) => Cow::Owned(encode(event, *seq)),
        StreamItem::Missed(count) => Cow::Owned(convert::missed(*count, *boot_id).encode_to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::SystemTime;

    use super::*;
    use crate::actors::broadcaster::SharedEvent;
    use crate::domain::events::{Change, Event, Seq};

    #[test]
    fn streams_share_bytes_but_not_the_number_at_the_end_of_a_snapshot() {
        let change = Change::of_config(SystemTime::UNIX_EPOCH);
        let event = Arc::new(SharedEvent::new(Seq(0), Event::Change(change.into())));
        let item = |seq| {
            let item = StreamItem::Event(Seq(seq), Arc::clone(&event));
            WatchItem { item, boot_id: 7 }
        };
        for seq in [5, 0, 6, 0] {
            let item = item(seq);
            let decoded = pb::Event::decode(&*encoded(&item)).unwrap();
            assert_eq!((decoded.seq, decoded.boot_id), (seq, 7));
        }
        let (first, second) = (item(0), item(0));
        assert!(std::ptr::eq(&*encoded(&first), &*encoded(&second)));
    }
}
