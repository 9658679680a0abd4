//! A request and its answer over a connection: one write, and in the common
//! case one read.

use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};

use crate::domain::health::probe_result::ProbeResult;

/// Bytes taken by one read: an answer that fits leaves nothing unread in the
/// socket, which would make the kernel close it with a reset.
const READ: usize = 16 * 1024;

/// Reads an answer piece by piece. However the bytes are cut into pieces, the
/// result is the same.
pub(super) trait ExchangeAnswer {
    /// Takes the next bytes, at least one; a result ends the exchange.
    fn take(&mut self, bytes: &[u8]) -> Option<ProbeResult>;

    /// The result when the peer ends the connection here.
    fn end(&mut self) -> ProbeResult;
}

/// Sends `request` and reads until `answer` has a result.
pub(super) async fn exchange<S>(
    stream: &mut S,
    request: &[u8],
    answer: &mut impl ExchangeAnswer,
) -> io::Result<ProbeResult>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    stream.write_all(request).await?;
    poll_fn(|cx| {
        loop {
            // On the stack of the poll, not in the future: ten thousand probes
            // that wait for an answer hold no buffer.
            let mut space = [const { MaybeUninit::uninit() }; READ];
            let mut buffer = ReadBuf::uninit(&mut space);
            ready!(Pin::new(&mut *stream).poll_read(cx, &mut buffer))?;
            let result = match buffer.filled() {
                // Over TLS too, with or without TLS's own end: many servers
                // leave it out, and HTTP shows whether the answer is whole.
                [] => Some(answer.end()),
                bytes => answer.take(bytes),
            };
            if let Some(result) = result {
                return Poll::Ready(Ok(result));
            }
        }
    })
    .await
}
