//! `WatchEvents` as it goes over the wire. An event that a thousand streams
//! carry is encoded once, by the first of them.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use prost::Message;
use prost::bytes::BufMut;
use tokio_stream::Stream;
use tonic::codec::{BufferSettings, Codec, EncodeBuf, Encoder};
use tonic::codegen::BoxFuture;
use tonic::server::ServerStreamingService;
use tonic::{Request, Response, Status};
use tonic_prost::{ProstCodec, ProstDecoder};

use super::{Events, StreamItem};
use crate::api::MaglevService;
use crate::api::grpc::convert;
use crate::domain::events::{Numbered, Seq};
use crate::pb;

/// Takes requests as they are, and answers with what is encoded already.
#[derive(Clone, Copy, Default)]
pub(in crate::api) struct ReadyCodec;

/// Writes an event.
#[derive(Clone, Copy, Default)]
pub(in crate::api) struct ReadyEncoder;

/// Something to tell, of this life of the daemon.
pub(in crate::api) struct Ready {
    told: StreamItem,
    boot_id: u64,
}

impl Codec for ReadyCodec {
    type Encode = Ready;
    type Decode = pb::WatchRequest;
    type Encoder = ReadyEncoder;
    type Decoder = ProstDecoder<pb::WatchRequest>;

    fn encoder(&mut self) -> ReadyEncoder {
        ReadyEncoder
    }

    fn decoder(&mut self) -> Self::Decoder {
        ProstCodec::<pb::Event, pb::WatchRequest>::raw_decoder(BufferSettings::default())
    }
}

impl Encoder for ReadyEncoder {
    type Item = Ready;
    type Error = Status;

    fn encode(&mut self, ready: Ready, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        let Ready { told, boot_id } = ready;
        match told {
            StreamItem::Event(seq, event) if seq == event.seq => {
                to.put_slice(event.encoded.get_or_init(|| encoded(&event, seq, boot_id)));
            }
            StreamItem::Event(seq, event) => to.put_slice(&encoded(&event, seq, boot_id)),
            StreamItem::Missed(count) => {
                to.put_slice(&convert::missed(count, boot_id).encode_to_vec())
            }
        }
        Ok(())
    }
}

fn encoded(event: &Arc<Numbered>, seq: Seq, boot_id: u64) -> Box<[u8]> {
    convert::event(&event.event, seq, boot_id).encode_to_vec().into()
}

/// The stream of a response.
pub(in crate::api) struct ReadyStream(Events);

impl Stream for ReadyStream {
    type Item = Result<Ready, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let boot_id = self.0.boot_id();
        let told = self.0.poll_next(context);
        told.map(|told| told.map(|told| told.map(|told| Ready { told, boot_id })))
    }
}

/// The RPC.
pub(in crate::api) struct WatchEvents(pub(in crate::api) Arc<MaglevService>);

impl ServerStreamingService<pb::WatchRequest> for WatchEvents {
    type Response = Ready;
    type ResponseStream = ReadyStream;
    type Future = BoxFuture<Response<ReadyStream>, Status>;

    fn call(&mut self, request: Request<pb::WatchRequest>) -> Self::Future {
        let service = Arc::clone(&self.0);
        Box::pin(async move { Ok(Response::new(ReadyStream(service.watch(&request).await?))) })
    }
}
