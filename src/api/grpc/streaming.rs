//! Which methods stream, and the bodies of messages on either side.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body, Frame};
use prost::bytes::Bytes;

/// Methods of reflection, whose clients ask several times on one stream.
const REFLECTION: &str = "/grpc.reflection.";
/// Other methods with a stream of answers.
const STREAMS: [&str; 2] = ["/maglev.Maglev/WatchEvents", "/grpc.health.v1.Health/Watch"];

/// Whether a method takes several requests, so that their end cannot be awaited.
pub(super) fn is_of_requests(path: &str) -> bool {
    path.starts_with(REFLECTION)
}

/// Whether a method gives several answers.
pub(super) fn is_of_answers(path: &str) -> bool {
    is_of_requests(path) || STREAMS.contains(&path)
}

/// A request that was received whole.
pub(super) struct WholeBody(Option<Bytes>);

impl WholeBody {
    pub(super) fn new(bytes: Bytes) -> Self {
        Self(Some(bytes).filter(|bytes| !bytes.is_empty()))
    }
}

impl Body for WholeBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }
}

#[cfg(test)]
mod tests {
    use prost::Message;
    use prost_types::FileDescriptorSet;

    use super::*;

    #[test]
    fn the_methods_that_stream_are_those_of_the_interfaces() {
        for descriptors in [
            crate::pb::DESCRIPTORS,
            tonic_health::pb::FILE_DESCRIPTOR_SET,
            tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
            tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
        ] {
            let set = FileDescriptorSet::decode(descriptors).unwrap();
            let mut seen = 0;
            for file in &set.file {
                for service in &file.service {
                    for method in &service.method {
                        let path =
                            format!("/{}.{}/{}", file.package(), service.name(), method.name());
                        assert_eq!(is_of_requests(&path), method.client_streaming(), "{path}");
                        assert_eq!(is_of_answers(&path), method.server_streaming(), "{path}");
                        seen += 1;
                    }
                }
            }
            assert!(seen > 0);
        }
    }
}
