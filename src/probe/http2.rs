//! One request over HTTP/2 (RFC 9113), on a connection of its own.

use std::io::Cursor;
use std::pin::pin;
use std::time::Duration;

use h2::client::{Builder, Connection, SendRequest};
use http::{HeaderMap, Request};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use super::fault::ProbeFault;

/// The most of a body that is read.
const MAX_BODY: usize = 64 * 1024;

/// What a server may send of headers.
const MAX_HEADERS: u32 = 16 * 1024;

/// How long a server may take to end the connection in order, once it has answered.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(100);

type Bytes = Cursor<Vec<u8>>;

/// An answer as far as it was wanted.
pub(super) struct Http2Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    /// Empty unless it is wanted.
    pub(super) body: Vec<u8>,
    /// What comes behind the body, or in its place, if the body is wanted.
    pub(super) trailers: Option<HeaderMap>,
}

/// Sends a request, and reads its answer: of the body, if it `wants` that of such an
/// answer, at most 64 KiB.
pub(super) async fn exchange<S>(
    stream: S,
    request: Request<()>,
    content: Option<Vec<u8>>,
    wants: impl FnOnce(u16, &HeaderMap) -> bool,
) -> Result<Http2Answer, ProbeFault>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut builder = Builder::new();
    builder.max_header_list_size(MAX_HEADERS).enable_push(false);
    let (sender, connection): (SendRequest<Bytes>, Connection<S, Bytes>) =
        builder.handshake(stream).await?;
    let mut connection = pin!(connection);
    let answer = {
        let answer = answer(sender, request, content, wants);
        tokio::select! {
            biased;
            answer = answer => answer,
            // It carries the answer: when it has ended, there is none.
            ended = &mut connection => match ended {
                Err(error) => Err(error.into()),
                Ok(()) => Err(ProbeFault::Http2Closed),
            },
        }
    }?;
    // Says goodbye; the backend has answered, however slowly it closes.
    let _ = timeout(CLOSE_TIMEOUT, connection).await;
    Ok(answer)
}

async fn answer(
    sender: SendRequest<Bytes>,
    request: Request<()>,
    content: Option<Vec<u8>>,
    wants: impl FnOnce(u16, &HeaderMap) -> bool,
) -> Result<Http2Answer, ProbeFault> {
    let mut sender = sender.ready().await?;
    let (response, mut sending) = sender.send_request(request, content.is_none())?;
    if let Some(content) = content {
        sending.send_data(Cursor::new(content), true)?;
    }
    let (head, mut body) = response.await?.into_parts();
    let (status, headers) = (head.status.as_u16(), head.headers);
    if !wants(status, &headers) {
        return Ok(Http2Answer { status, headers, body: Vec::new(), trailers: None });
    }
    let mut bytes = Vec::new();
    while bytes.len() < MAX_BODY
        && let Some(piece) = body.data().await
    {
        let piece = piece?;
        bytes.extend_from_slice(&piece[..piece.len().min(MAX_BODY - bytes.len())]);
        // An error says that the stream has ended, which the next piece does as well.
        let _ = body.flow_control().release_capacity(piece.len());
    }
    let trailers = if bytes.len() < MAX_BODY { body.trailers().await? } else { None };
    Ok(Http2Answer { status, headers, body: bytes, trailers })
}
