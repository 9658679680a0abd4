//! Takes `:authority` out of the requests on a Unix socket.
//!
//! Over a Unix socket there is no authority to name, and each gRPC library sends
//! something else: `localhost`, nothing, the path as it is or with its slashes
//! percent-encoded (gRPC's naming document leaves it open). h2 answers what is no
//! authority of a URI with PROTOCOL_ERROR, before any of our code is asked. So the
//! header goes before h2 reads it; the service has no use for it.
//!
//! Header blocks are HPACK (RFC 7541), and an entry of the dynamic table cannot be
//! left out of one block and be referred to by the next. Therefore each block is
//! written anew with literals that no table holds, and the client's table is kept
//! here. Strings stay as they were encoded.

mod header_block;

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use prost::bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use header_block::{HeaderBlocks, LONGEST_BLOCK, malformed};

const PREFACE: usize = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".len();
const FRAME_HEAD: usize = 9;
const HEADERS: u8 = 1;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 0x1;
const END_HEADERS: u8 = 0x4;
const PADDED: u8 = 0x8;
const PRIORITY: u8 = 0x20;
/// The longest frame that every peer takes.
const FRAME: usize = 16 << 10;

/// A stream whose requests have no authority.
pub(super) struct WithoutAuthority<S> {
    stream: S,
    rewriter: FrameRewriter,
    /// Bytes of frames that are passed on as they are: no more are copied.
    rewritten: VecDeque<u8>,
}

impl<S> WithoutAuthority<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, rewriter: FrameRewriter::default(), rewritten: VecDeque::new() }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for WithoutAuthority<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        while this.rewritten.is_empty() {
            let mut bytes = [0; 8 << 10];
            let mut read = ReadBuf::new(&mut bytes);
            ready!(Pin::new(&mut this.stream).poll_read(context, &mut read))?;
            if read.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            this.rewriter.rewrite(read.filled(), &mut this.rewritten)?;
        }
        let (front, _) = this.rewritten.as_slices();
        let count = front.len().min(buffer.remaining());
        buffer.put_slice(&front[..count]);
        this.rewritten.drain(..count);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for WithoutAuthority<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// Passes on the frames of a client, those of headers written anew.
#[derive(Default)]
struct FrameRewriter {
    /// What came of a preface or of a frame whose whole is needed.
    unread: BytesMut,
    has_preface: bool,
    /// Bytes of the present frame that are passed on as they are.
    passing: usize,
    /// The block that goes on in the next frame: flags and stream of its head.
    open: Option<(u8, [u8; 4], Vec<u8>)>,
    blocks: HeaderBlocks,
}

impl FrameRewriter {
    fn rewrite(&mut self, mut bytes: &[u8], to: &mut VecDeque<u8>) -> io::Result<()> {
        while !bytes.is_empty() {
            if self.passing > 0 {
                let (pass, rest) = bytes.split_at(bytes.len().min(self.passing));
                to.extend(pass);
                self.passing -= pass.len();
                bytes = rest;
                continue;
            }
            // A byte more than is needed is never taken.
            let wanted = self.wanted()?;
            let (taken, rest) = bytes.split_at(bytes.len().min(wanted - self.unread.len()));
            self.unread.extend_from_slice(taken);
            bytes = rest;
            if self.unread.len() == self.wanted()? {
                self.complete(to)?;
            }
        }
        Ok(())
    }

    /// How long what is read next is, as far as that is known.
    fn wanted(&self) -> io::Result<usize> {
        if !self.has_preface {
            return Ok(PREFACE);
        }
        let Some(head) = self.unread.get(..FRAME_HEAD) else { return Ok(FRAME_HEAD) };
        let length = frame_length(head);
        match head[3] {
            HEADERS | CONTINUATION if length > LONGEST_BLOCK => Err(malformed("is too long")),
            HEADERS | CONTINUATION => Ok(FRAME_HEAD + length),
            _ => Ok(FRAME_HEAD),
        }
    }

    fn complete(&mut self, to: &mut VecDeque<u8>) -> io::Result<()> {
        let read = self.unread.split();
        if !self.has_preface {
            self.has_preface = true;
            to.extend(&read[..]);
            return Ok(());
        }
        let (head, payload) = read.split_at(FRAME_HEAD);
        let (kind, flags) = (head[3], head[4]);
        let stream = [head[5], head[6], head[7], head[8]];
        match (kind, self.open.take()) {
            (HEADERS, None) => {
                let block = fragment(flags, payload)?.to_vec();
                self.continued(flags, (flags & END_STREAM, stream, block), to)
            }
            (CONTINUATION, Some((first, of, mut block))) if of == stream => {
                block.extend_from_slice(payload);
                if block.len() > LONGEST_BLOCK {
                    return Err(malformed("is too long"));
                }
                self.continued(flags, (first, stream, block), to)
            }
            // h2 knows what to answer to frames out of order.
            _ => {
                to.extend(&read[..]);
                self.passing =
                    if matches!(kind, HEADERS | CONTINUATION) { 0 } else { frame_length(head) };
                Ok(())
            }
        }
    }

    fn continued(
        &mut self,
        flags: u8,
        block: (u8, [u8; 4], Vec<u8>),
        to: &mut VecDeque<u8>,
    ) -> io::Result<()> {
        if flags & END_HEADERS == 0 {
            self.open = Some(block);
            return Ok(());
        }
        let (flags, stream, block) = block;
        let block = self.blocks.rewrite(&block)?;
        let mut fragments = block.chunks(FRAME).peekable();
        let (mut kind, mut flags) = (HEADERS, flags);
        loop {
            let fragment = fragments.next().unwrap_or_default();
            if fragments.peek().is_none() {
                flags |= END_HEADERS;
            }
            let mut head = Vec::with_capacity(FRAME_HEAD);
            let [.., a, b, c] = fragment.len().to_be_bytes();
            head.extend_from_slice(&[a, b, c]);
            head.extend_from_slice(&[kind, flags]);
            head.extend_from_slice(&stream);
            to.extend(head);
            to.extend(fragment);
            if flags & END_HEADERS != 0 {
                return Ok(());
            }
            (kind, flags) = (CONTINUATION, 0);
        }
    }
}

fn frame_length(head: &[u8]) -> usize {
    head[..3].iter().fold(0, |length, byte| length << 8 | usize::from(*byte))
}

/// The part of a frame of headers that is of the block: without padding and
/// priority.
fn fragment(flags: u8, payload: &[u8]) -> io::Result<&[u8]> {
    let short = || malformed("is shorter than its padding");
    let (padding, rest) = match (flags & PADDED != 0, payload) {
        (false, payload) => (0, payload),
        (true, [padding, rest @ ..]) => (usize::from(*padding), rest),
        (true, []) => return Err(short()),
    };
    let priority = if flags & PRIORITY != 0 { 5 } else { 0 };
    let end = rest.len().checked_sub(padding).ok_or_else(short)?;
    rest.get(priority..end).ok_or_else(short)
}

#[cfg(test)]
mod tests;
