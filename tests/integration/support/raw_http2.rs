//! A client of gRPC that writes its own frames: what libraries would not send, and
//! in one go.

use std::collections::VecDeque;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::soon;

pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub(crate) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// A frame that came: its kind, its flags, its stream, its payload.
#[derive(Debug)]
pub(crate) struct RawFrame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

impl RawFrame {
    pub(crate) const DATA: u8 = 0;
    pub(crate) const HEADERS: u8 = 1;
    pub(crate) const RESET: u8 = 3;
    pub(crate) const SETTINGS: u8 = 4;
    pub(crate) const GOAWAY: u8 = 7;
}

pub(crate) struct RawHttp2(Box<dyn Io>);

impl RawHttp2 {
    /// Sends the preface and empty settings.
    pub(crate) async fn open(io: impl Io + 'static) -> Self {
        let mut raw = Self(Box::new(io));
        raw.send(&[PREFACE, &frame(RawFrame::SETTINGS, 0, 0, b"")].concat()).await;
        raw
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
        self.0.flush().await.unwrap();
    }

    /// The next frame; `None`: the connection has ended.
    pub(crate) async fn next(&mut self) -> Option<RawFrame> {
        let mut head = [0; 9];
        soon(self.0.read_exact(&mut head)).await.expect("a frame in time").ok()?;
        let [a, b, c, kind, flags, stream @ ..] = head;
        let length = u32::from_be_bytes([0, a, b, c]) as usize;
        let mut payload = vec![0; length];
        soon(self.0.read_exact(&mut payload)).await.expect("a payload in time").ok()?;
        Some(RawFrame { kind, flags, stream: u32::from_be_bytes(stream), payload })
    }

    /// The frames up to the end of a stream, of whatever stream.
    pub(crate) async fn until_end_of(&mut self, stream: u32) -> Vec<RawFrame> {
        let mut frames = Vec::new();
        while let Some(frame) = self.next().await {
            let ends = frame.stream == stream
                && (frame.kind == RawFrame::RESET
                    || (frame.flags & 1 != 0
                        && matches!(frame.kind, RawFrame::DATA | RawFrame::HEADERS)));
            let is_goaway = frame.kind == RawFrame::GOAWAY;
            frames.push(frame);
            if ends || is_goaway {
                break;
            }
        }
        frames
    }
}

pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The head of a call of `maglev.Maglev`, with this authority, if any.
pub(crate) fn head(stream: u32, method: &str, authority: Option<&str>) -> Vec<u8> {
    let mut block = VecDeque::new();
    // Literals that are not indexed: names of the static table by their index.
    let mut literal = |name: &[u8], value: &str| {
        block.extend(name);
        assert!(value.len() < 127);
        block.push_back(u8::try_from(value.len()).unwrap());
        block.extend(value.bytes());
    };
    literal(&[2], "POST");
    literal(&[4], &format!("/maglev.Maglev/{method}"));
    if let Some(authority) = authority {
        literal(&[1], authority);
    }
    literal(&[6], "http");
    literal(&[0x0f, 16], "application/grpc");
    literal(b"\x00\x02te", "trailers");
    frame(RawFrame::HEADERS, 4, stream, block.make_contiguous())
}

/// An empty message, which is the end of a request.
pub(crate) fn empty(stream: u32) -> Vec<u8> {
    frame(RawFrame::DATA, 1, stream, &[0; 5])
}

/// A call without fields.
pub(crate) fn call(stream: u32, method: &str, authority: Option<&str>) -> Vec<u8> {
    [head(stream, method, authority), empty(stream)].concat()
}
