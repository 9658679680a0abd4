//! A request and its answer over a connection: one write, and in the common
//! case one read.

use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};

/// Bytes taken by one read: an answer that fits leaves nothing unread in the
/// socket, which would make the kernel close it with a reset.
const READ: usize = 16 * 1024;

/// Reads an answer piece by piece. However the bytes are cut into pieces, the
/// outcome is the same.
pub(super) trait ExchangeAnswer {
    type Outcome;

    /// Takes the next bytes, at least one; an outcome ends the exchange.
    fn take(&mut self, bytes: &[u8]) -> Option<Self::Outcome>;

    /// The outcome when the peer ends the connection here.
    fn end(&mut self) -> Self::Outcome;
}

/// Sends `request` and reads until `answer` has an outcome.
pub(super) async fn exchange<S, A>(
    stream: &mut S,
    request: &[u8],
    answer: &mut A,
) -> io::Result<A::Outcome>
where
    S: AsyncRead + AsyncWrite + Unpin,
    A: ExchangeAnswer,
{
    stream.write_all(request).await?;
    read_answer(stream, answer).await
}

/// Reads until `answer` has an outcome.
pub(super) async fn read_answer<S, A>(stream: &mut S, answer: &mut A) -> io::Result<A::Outcome>
where
    S: AsyncRead + Unpin,
    A: ExchangeAnswer,
{
    poll_fn(|cx| {
        loop {
            // On the stack of the poll, not in the future: ten thousand probes
            // that wait for an answer hold no buffer.
            let mut space = [const { MaybeUninit::uninit() }; READ];
            let mut buffer = ReadBuf::uninit(&mut space);
            ready!(Pin::new(&mut *stream).poll_read(cx, &mut buffer))?;
            let outcome = match buffer.filled() {
                // Over TLS too, with or without TLS's own end: many servers
                // leave it out, and HTTP shows whether the answer is whole.
                [] => Some(answer.end()),
                bytes => answer.take(bytes),
            };
            if let Some(outcome) = outcome {
                return Poll::Ready(Ok(outcome));
            }
        }
    })
    .await
}
