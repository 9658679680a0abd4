//! The body of a response: where it ends (RFC 9112, section 6.3) and what it
//! is once the chunks are taken off (section 7.1). The first 64 KiB count.

use std::ops::ControlFlow;

use thiserror::Error;

use super::head::Head;
use crate::domain::http::has_no_body;

/// The most of a body that is read and matched.
pub(super) const MAX_BODY: usize = 64 * 1024;

/// The most that a chunk's size line may take; extensions are ignored.
const MAX_SIZE_LINE: usize = 1024;

/// Codings of a body's bytes (RFC 9110, section 8.4.1, and IANA's registry). Others
/// are passed over, as browsers do: servers name character sets here.
const CODINGS: [&str; 8] =
    ["gzip", "x-gzip", "deflate", "compress", "x-compress", "br", "zstd", "dcb"];

/// How the end of a message is found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// So many bytes are still to come.
    Length(u64),
    /// In chunks.
    Chunked(Chunk),
    /// The connection's end is the body's.
    UntilClose,
}

/// The position in a chunked body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Chunk {
    /// In a size line, of which this has come.
    Size(Vec<u8>),
    /// In the data, of which so many bytes are still to come.
    Data(u64),
    /// Before the line end that follows the data; true: its CR has come.
    DataEnd(bool),
    /// The data is whole: in the trailer, of whose present line so many bytes have
    /// come.
    Trailer(usize),
    /// The message has ended.
    End,
}

/// Fields that contradict themselves or each other.
#[derive(Debug, PartialEq, Eq, Error)]
pub(crate) enum FramingError {
    #[error("Content-Length \"{given}\" is not a number")]
    NotANumber { given: String },
    #[error("two different Content-Lengths, {0} and {1}")]
    Ambiguous(u64, u64),
}

/// A body that is not what was announced.
#[derive(Debug, PartialEq, Eq, Error)]
pub(crate) enum BodyError {
    #[error("bad chunk")]
    Chunk,
    #[error("closed early")]
    Closed,
}

impl Framing {
    /// The framing that a response's status and fields announce.
    pub(crate) fn of(head: &Head<'_>) -> Result<Self, FramingError> {
        if has_no_body(head.status) {
            return Ok(Self::Length(0));
        }
        // Transfer-Encoding overrides Content-Length; only its last coding
        // defines the end.
        if let Some(value) = head.values("transfer-encoding").next_back() {
            let mut elements = value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
            let last = elements.rfind(|element| !element.is_empty()).unwrap_or_default();
            let chunked = last.eq_ignore_ascii_case(b"chunked");
            return Ok(if chunked {
                Self::Chunked(Chunk::Size(Vec::new()))
            } else {
                Self::UntilClose
            });
        }
        let mut length = None;
        for value in head.values("content-length") {
            for text in value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
                let digits = str::from_utf8(text).ok();
                let digits = digits.filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
                let given = || text.escape_ascii().take(40).map(char::from).collect();
                let value = digits
                    .and_then(|digits| digits.parse().ok())
                    .ok_or_else(|| FramingError::NotANumber { given: given() })?;
                match length.replace(value) {
                    Some(other) if other != value => {
                        return Err(FramingError::Ambiguous(other, value));
                    }
                    _ => {}
                }
            }
        }
        Ok(length.map_or(Self::UntilClose, Self::Length))
    }

    /// Takes the next bytes, and passes on what of them is the body's until it breaks.
    pub(crate) fn take(
        &mut self,
        mut input: &[u8],
        mut data: impl FnMut(&[u8]) -> ControlFlow<()>,
    ) -> Result<(), BodyError> {
        while !input.is_empty() && !self.has_ended() {
            let flow = match self {
                Self::Length(left) | Self::Chunked(Chunk::Data(left)) if *left > 0 => {
                    let size = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
                    let (bytes, rest) = input.split_at(size);
                    *left -= size as u64;
                    input = rest;
                    data(bytes)
                }
                Self::Length(_) => return Ok(()),
                Self::UntilClose => {
                    let flow = data(input);
                    input = &[];
                    flow
                }
                Self::Chunked(chunk) => {
                    chunk.step(input[0])?;
                    input = &input[1..];
                    ControlFlow::Continue(())
                }
            };
            if flow.is_break() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Whether the body has come.
    fn is_whole(&self) -> bool {
        matches!(self, Self::Length(0) | Self::Chunked(Chunk::Trailer(_) | Chunk::End))
    }

    /// Whether all of the message has come.
    pub(crate) fn has_ended(&self) -> bool {
        matches!(self, Self::Length(0) | Self::Chunked(Chunk::End))
    }
}

/// The coding of a response's body, if it is not the body itself.
pub(super) fn coding(head: &Head<'_>) -> Option<&'static str> {
    coding_of(head.values("content-encoding").chain(head.values("transfer-encoding")))
}

/// The first coding that these values name.
pub(super) fn coding_of<V: AsRef<[u8]>>(
    mut values: impl Iterator<Item = V>,
) -> Option<&'static str> {
    values.find_map(|value| {
        let mut elements = value.as_ref().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        elements.find_map(|element| {
            CODINGS.into_iter().find(|name| element.eq_ignore_ascii_case(name.as_bytes()))
        })
    })
}

/// A body as far as it has come.
pub(super) struct Body {
    framing: Framing,
    bytes: Vec<u8>,
}

impl Body {
    pub(super) fn new(framing: Framing) -> Self {
        Self { framing, bytes: Vec::new() }
    }

    /// Takes the next bytes; true when nothing more is needed.
    pub(super) fn take(&mut self, input: &[u8]) -> Result<bool, BodyError> {
        let Self { framing, bytes } = self;
        framing.take(input, |data| {
            let size = data.len().min(MAX_BODY - bytes.len());
            bytes.extend_from_slice(&data[..size]);
            if bytes.len() < MAX_BODY { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        Ok(bytes.len() == MAX_BODY || framing.is_whole())
    }

    /// The connection has ended; fails if more was announced.
    pub(super) fn end(&self) -> Result<(), BodyError> {
        match self.framing {
            Framing::UntilClose => Ok(()),
            _ if self.framing.is_whole() => Ok(()),
            _ => Err(BodyError::Closed),
        }
    }

    /// What has come, without chunks, at most [`MAX_BODY`]; and what is still to
    /// come of a message that is not longer.
    pub(super) fn finish(self) -> (Vec<u8>, Option<UnreadMessage>) {
        let is_long = self.bytes.len() == MAX_BODY;
        let unread = if is_long { None } else { UnreadMessage::of(self.framing, &[]) };
        (self.bytes, unread)
    }
}

/// What is still to come of a message that nobody needs. It is read all the same
/// where it is short: a server that sends it into a closed connection logs that as
/// an error.
#[derive(Debug)]
pub(super) struct UnreadMessage {
    framing: Framing,
    /// Bytes that are read at most.
    room: usize,
}

impl UnreadMessage {
    /// What is to come behind `bytes`; `None` if that is nothing, or long.
    pub(super) fn of(framing: Framing, bytes: &[u8]) -> Option<Self> {
        let mut unread = Self { framing, room: MAX_BODY };
        let is_long = matches!(unread.framing, Framing::Length(left) if left > MAX_BODY as u64);
        (!is_long && !unread.take(bytes)).then_some(unread)
    }

    /// Takes the next bytes; true when nothing more is to be read.
    pub(super) fn take(&mut self, bytes: &[u8]) -> bool {
        let failed = self.framing.take(bytes, |_| ControlFlow::Continue(())).is_err();
        self.room = self.room.saturating_sub(bytes.len());
        failed || self.room == 0 || self.framing.has_ended()
    }
}

impl Chunk {
    /// Takes one byte outside the data. A line may end without CR, as browsers and
    /// HAProxy have it.
    fn step(&mut self, byte: u8) -> Result<(), BodyError> {
        match self {
            Self::Size(line) if byte == b'\n' => {
                let size = chunk_size(line).ok_or(BodyError::Chunk)?;
                *self = if size == 0 { Self::Trailer(0) } else { Self::Data(size) };
            }
            Self::Size(line) if line.len() < MAX_SIZE_LINE => line.push(byte),
            // The data has come whole: this byte is of the line end after it.
            Self::Data(_) if byte == b'\r' => *self = Self::DataEnd(true),
            Self::Data(_) | Self::DataEnd(_) if byte == b'\n' => *self = Self::Size(Vec::new()),
            Self::Trailer(0) if byte == b'\n' => *self = Self::End,
            Self::Trailer(length) => match byte {
                b'\n' => *length = 0,
                b'\r' => {}
                _ => *length += 1,
            },
            Self::End => {}
            Self::Size(_) | Self::Data(_) | Self::DataEnd(_) => return Err(BodyError::Chunk),
        }
        Ok(())
    }
}

/// The number at the start of a size line; what follows must be set off.
fn chunk_size(line: &[u8]) -> Option<u64> {
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let (number, rest) = line.split_at(digits);
    let is_set_off = rest.first().is_none_or(|byte| b"; \t\r".contains(byte));
    let number = str::from_utf8(number).ok().filter(|number| number.len() <= 16)?;
    u64::from_str_radix(number, 16).ok().filter(|_| is_set_off)
}
