//! Frames: the 16 bytes that stand before every message on the API socket, and
//! putting messages together from whatever pieces a read returns.

use thiserror::Error;

use super::buffer::{FieldWriter, WireError};

/// Bytes before every body: `q` (8, ignored), length (4, big-endian, of the
/// body alone), and a timestamp (4, ignored).
pub const HEADER: usize = 16;

/// The longest body that a client takes. The longest that VPP sends in normal
/// use is a CLI text or the message table (250 KB with every plugin).
pub const MAX_BODY: usize = 16 << 20;

/// A frame that cannot be read: nothing after it can be either.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FrameError {
    /// The length in the header is above the limit.
    #[error("a frame announces {length} bytes, and {limit} is the limit")]
    TooLong {
        /// The peer's number.
        length: usize,
        /// What this side accepts.
        limit: usize,
    },
}

/// Cuts a stream of bytes into bodies. Memory grows with what was received,
/// never with what a header announces.
#[derive(Debug)]
pub struct FrameBuffer {
    bytes: Vec<u8>,
    start: usize,
    limit: usize,
}

impl FrameBuffer {
    /// A buffer that refuses bodies longer than `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { bytes: Vec::new(), start: 0, limit }
    }

    /// Adds what a read returned.
    pub fn push(&mut self, bytes: &[u8]) {
        // Bodies handed out are dropped here and not earlier: they were
        // borrowed from the buffer.
        if self.start > 0 {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole body, message id first; `None` until more is pushed.
    ///
    /// # Errors
    /// [`FrameError::TooLong`], again at every later call: where the next
    /// frame starts is not known any more.
    pub fn next_body(&mut self) -> Result<Option<&[u8]>, FrameError> {
        let rest = self.bytes.get(self.start..).unwrap_or_default();
        let Some([_, _, _, _, _, _, _, _, a, b, c, d, _, _, _, _]) = rest.first_chunk::<HEADER>()
        else {
            return Ok(None);
        };
        let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        if length > self.limit {
            return Err(FrameError::TooLong { length, limit: self.limit });
        }
        let Some(body) = rest.get(HEADER..HEADER + length) else {
            return Ok(None);
        };
        self.start += HEADER + length;
        Ok(Some(body))
    }

    /// Bytes of a frame that has not come whole.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.bytes.len() - self.start
    }
}

/// Appends a frame to `out` whose body `fill` writes.
pub fn write_frame(out: &mut Vec<u8>, fill: impl FnOnce(&mut FieldWriter<'_>)) {
    let start = out.len();
    out.extend_from_slice(&[0; HEADER]);
    fill(&mut FieldWriter::new(out));
    let length = u32::try_from(out.len() - start - HEADER).unwrap_or(u32::MAX);
    if let Some(field) = out.get_mut(start + 8..start + 12) {
        field.copy_from_slice(&length.to_be_bytes());
    }
}

/// The id that a body starts with.
///
/// # Errors
/// [`WireError::Truncated`] if the body has fewer than two bytes.
pub fn message_id(body: &[u8]) -> Result<u16, WireError> {
    super::buffer::FieldReader::new(body).u16()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream() -> Vec<u8> {
        let mut out = Vec::new();
        write_frame(&mut out, |w| w.u16(7));
        write_frame(&mut out, |_| ());
        write_frame(&mut out, |w| w.bytes(b"\0\x08rest"));
        out
    }

    #[test]
    fn a_stream_cut_anywhere_gives_the_same_bodies() {
        let whole = stream();
        for cut in 0..=whole.len() {
            let mut buffer = FrameBuffer::new(100);
            let mut bodies: Vec<Vec<u8>> = Vec::new();
            let (first, second) = whole.split_at(cut);
            for piece in [first, second] {
                buffer.push(piece);
                while let Some(body) = buffer.next_body().unwrap() {
                    bodies.push(body.to_vec());
                }
            }
            assert_eq!(bodies, [&b"\0\x07"[..], b"", b"\0\x08rest"], "cut at {cut}");
            assert_eq!(buffer.pending(), 0);
        }
    }

    #[test]
    fn a_frame_over_the_limit_stays_refused() {
        let mut buffer = FrameBuffer::new(5);
        buffer.push(&stream());
        assert_eq!(buffer.next_body().unwrap(), Some(&b"\0\x07"[..]));
        assert_eq!(buffer.next_body().unwrap(), Some(&b""[..]));
        let refused = Err(FrameError::TooLong { length: 6, limit: 5 });
        assert_eq!(buffer.next_body(), refused);
        assert_eq!(buffer.next_body(), refused);
    }
}
