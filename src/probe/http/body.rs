//! The body of a response: where it ends (RFC 9112, section 6.3) and what it
//! is once the chunks are taken off (section 7.1). The first 64 KiB count.

use thiserror::Error;

/// The most of a body that is read and matched.
pub(super) const MAX_BODY: usize = 64 * 1024;

/// The most that a chunk's size line may take; extensions are ignored.
const MAX_SIZE_LINE: usize = 1024;

/// How the end of a body is found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// So many bytes are still to come.
    Length(u64),
    /// In chunks.
    Chunked(Chunk),
    /// The connection's end is the body's.
    UntilClose,
}

/// The position in a chunked body.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Chunk {
    /// In a size line, of which this has come.
    Size(Vec<u8>),
    /// In the data, of which so many bytes are still to come.
    Data(u64),
    /// Before the line end that follows the data; true: its CR has come.
    DataEnd(bool),
}

/// Fields that contradict themselves or each other.
#[derive(Debug, PartialEq, Eq, Error)]
pub(super) enum FramingError {
    #[error("Content-Length is not a number")]
    NotANumber,
    #[error("two different Content-Lengths")]
    Ambiguous,
}

/// A body that is not what was announced.
#[derive(Debug, PartialEq, Eq, Error)]
pub(super) enum BodyError {
    #[error("bad chunk")]
    Chunk,
    #[error("closed early")]
    Closed,
}

impl Framing {
    /// The framing that a response's status and fields announce.
    pub(super) fn of(status: u16, fields: &[httparse::Header<'_>]) -> Result<Self, FramingError> {
        if matches!(status, 100..200 | 204 | 304) {
            return Ok(Self::Length(0));
        }
        let named = |name: &'static str| {
            fields.iter().filter(move |field| field.name.eq_ignore_ascii_case(name))
        };
        // Transfer-Encoding overrides Content-Length; only its last coding
        // defines the end.
        if let Some(field) = named("transfer-encoding").next_back() {
            let last = field.value.rsplit(|byte| *byte == b',').next().unwrap_or_default();
            let chunked = last.trim_ascii().eq_ignore_ascii_case(b"chunked");
            return Ok(if chunked {
                Self::Chunked(Chunk::Size(Vec::new()))
            } else {
                Self::UntilClose
            });
        }
        let mut length = None;
        for text in named("content-length").flat_map(|field| field.value.split(|b| *b == b',')) {
            let text = text.trim_ascii();
            if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
                return Err(FramingError::NotANumber);
            }
            let value: u64 = std::str::from_utf8(text)
                .ok()
                .and_then(|digits| digits.parse().ok())
                .ok_or(FramingError::NotANumber)?;
            if length.is_some_and(|other| other != value) {
                return Err(FramingError::Ambiguous);
            }
            length = Some(value);
        }
        Ok(length.map_or(Self::UntilClose, Self::Length))
    }
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

    /// What has come, without chunks, at most [`MAX_BODY`].
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Takes the next bytes; true when nothing more is needed.
    pub(super) fn take(&mut self, mut input: &[u8]) -> Result<bool, BodyError> {
        loop {
            if self.bytes.len() == MAX_BODY {
                return Ok(true);
            }
            match &mut self.framing {
                Framing::Length(0) => return Ok(true),
                Framing::Length(left) | Framing::Chunked(Chunk::Data(left)) if *left > 0 => {
                    let space = MAX_BODY - self.bytes.len();
                    let size =
                        usize::try_from(*left).unwrap_or(usize::MAX).min(space).min(input.len());
                    let (data, rest) = input.split_at(size);
                    self.bytes.extend_from_slice(data);
                    *left -= size as u64;
                    input = rest;
                    if size == 0 {
                        return Ok(false);
                    }
                }
                Framing::Length(_) => return Ok(true),
                Framing::UntilClose => {
                    let size = input.len().min(MAX_BODY - self.bytes.len());
                    self.bytes.extend_from_slice(&input[..size]);
                    return Ok(self.bytes.len() == MAX_BODY);
                }
                Framing::Chunked(chunk) => {
                    let Some((byte, rest)) = input.split_first() else { return Ok(false) };
                    input = rest;
                    if chunk.step(*byte)? {
                        return Ok(true);
                    }
                }
            }
        }
    }

    /// The connection has ended; fails if more was announced.
    pub(super) fn end(&self) -> Result<(), BodyError> {
        match self.framing {
            Framing::UntilClose | Framing::Length(0) => Ok(()),
            _ => Err(BodyError::Closed),
        }
    }
}

impl Chunk {
    /// Takes one byte outside the data; true at the last chunk's size line.
    /// The trailer after it is not read.
    fn step(&mut self, byte: u8) -> Result<bool, BodyError> {
        match self {
            Self::Size(line) => {
                line.push(byte);
                if byte == b'\n' {
                    let size = match httparse::parse_chunk_size(line) {
                        // It takes an empty line for size 0.
                        Ok(httparse::Status::Complete((_, size)))
                            if line[0].is_ascii_hexdigit() =>
                        {
                            size
                        }
                        _ => return Err(BodyError::Chunk),
                    };
                    *self = Self::Data(size);
                    return Ok(size == 0);
                }
                if line.len() >= MAX_SIZE_LINE {
                    return Err(BodyError::Chunk);
                }
            }
            // The data has come whole: this byte starts the line end after it.
            Self::Data(_) if byte == b'\r' => *self = Self::DataEnd(true),
            Self::DataEnd(true) if byte == b'\n' => *self = Self::Size(Vec::new()),
            Self::Data(_) | Self::DataEnd(_) => return Err(BodyError::Chunk),
        }
        Ok(false)
    }
}
