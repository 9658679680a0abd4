//! Questions and answers over one connection.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::UdpSocket;

use super::asks::Asks;
use super::failure::of_io;
use super::http_answer::{HttpMessage, HttpReader, first_line};
use super::open::FlowTransport;
use crate::domain::tester::fact::{FailureKind, FlowFailure};

/// Bytes of one read.
const READ: usize = 16 * 1024;

/// A longer line, or datagram, is no answer.
const MAX_LINE: usize = 64 * 1024;

/// An answer that came whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FlowAnswer {
    /// Who gave it, if it names anybody.
    pub(super) server: Option<String>,
    /// Whether the server ends the connection with it, by agreement.
    pub(super) closes: bool,
    /// An HTTP status that is no success.
    pub(super) refusal: Option<FlowFailure>,
}

/// One connection, with what has come that nobody asked for yet.
pub(super) struct Conversation {
    transport: FlowTransport,
    kept: Vec<u8>,
    /// Bytes that came of the answer that is awaited.
    came: usize,
}

impl Conversation {
    pub(super) fn new(transport: FlowTransport) -> Self {
        Self { transport, kept: Vec::new(), came: 0 }
    }

    pub(super) fn transport(&self) -> &FlowTransport {
        &self.transport
    }

    /// Sends a request and reads its answer.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) async fn ask(
        &mut self,
        asks: &Asks,
        request: &[u8],
    ) -> Result<FlowAnswer, FlowFailure> {
        self.came = 0;
        let Self { transport, kept, came } = self;
        match transport {
            FlowTransport::Udp(socket) => datagram(socket, request, came).await,
            FlowTransport::Tcp(stream) => over(stream, asks, request, kept, came).await,
            FlowTransport::Tls(stream) => over(&mut **stream, asks, request, kept, came).await,
        }
    }

    /// The failure of an answer that did not come, or not whole, in time.
    pub(super) fn late(&self, waited: std::time::Duration) -> FlowFailure {
        let ms = waited.as_millis();
        let why = match self.came {
            0 => format!("no answer within {ms} ms"),
            came => {
                format!("the answer stopped after {came} bytes, and was not whole within {ms} ms")
            }
        };
        FlowFailure::new(FailureKind::Timeout, why)
    }

    /// Ends the connection in order. Servers log a TLS connection that just closes.
    pub(super) async fn close(self) {
        if let FlowTransport::Tls(mut stream) = self.transport {
            let _ = stream.shutdown().await;
        }
    }
}

async fn over<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    asks: &Asks,
    request: &[u8],
    kept: &mut Vec<u8>,
    came: &mut usize,
) -> Result<FlowAnswer, FlowFailure> {
    let lost = |error: io::Error| of_io(&error, true);
    stream.write_all(request).await.map_err(lost)?;
    stream.flush().await.map_err(lost)?;
    if asks.kind.is_http() {
        http(stream, asks, came).await
    } else {
        line(stream, kept, came).await
    }
}

async fn http<S: AsyncRead + Unpin>(
    stream: &mut S,
    asks: &Asks,
    came: &mut usize,
) -> Result<FlowAnswer, FlowFailure> {
    let mut reader = HttpReader::new(asks.header.as_deref());
    loop {
        let bytes = read(stream).await?;
        *came += bytes.len();
        let message = if bytes.is_empty() { reader.end() } else { reader.take(&bytes)? };
        match message {
            Some(message) => return Ok(of_message(message)),
            None if bytes.is_empty() => return Err(closed(*came)),
            None => {}
        }
    }
}

fn of_message(message: HttpMessage) -> FlowAnswer {
    let HttpMessage { status, server, is_named_by_header, closes } = message;
    if (200..400).contains(&status) {
        return FlowAnswer { server, closes, refusal: None };
    }
    // The first line of an error page names nobody.
    let by = server.as_ref().map(|server| format!(" ({server})")).unwrap_or_default();
    let refusal = FlowFailure::new(FailureKind::Status, format!("HTTP status {status}{by}"));
    FlowAnswer { server: server.filter(|_| is_named_by_header), closes, refusal: Some(refusal) }
}

async fn line<S: AsyncRead + Unpin>(
    stream: &mut S,
    kept: &mut Vec<u8>,
    came: &mut usize,
) -> Result<FlowAnswer, FlowFailure> {
    loop {
        if let Some(end) = kept.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = kept.drain(..=end).collect();
            return Ok(named(&line));
        }
        if kept.len() > MAX_LINE {
            return Err(FlowFailure::new(FailureKind::Protocol, "its line is longer than 64 KiB"));
        }
        let bytes = read(stream).await?;
        if bytes.is_empty() {
            return Err(closed(*came));
        }
        *came += bytes.len();
        kept.extend_from_slice(&bytes);
    }
}

async fn datagram(
    socket: &UdpSocket,
    request: &[u8],
    came: &mut usize,
) -> Result<FlowAnswer, FlowFailure> {
    let lost = |error: io::Error| of_io(&error, true);
    socket.send(request).await.map_err(lost)?;
    let mut space = vec![0; MAX_LINE];
    let size = socket.recv(&mut space).await.map_err(lost)?;
    *came += size;
    Ok(named(&space[..size]))
}

async fn read<S: AsyncRead + Unpin>(stream: &mut S) -> Result<Vec<u8>, FlowFailure> {
    let mut bytes = Vec::with_capacity(READ);
    stream.read_buf(&mut bytes).await.map_err(|error| of_io(&error, true))?;
    Ok(bytes)
}

fn named(answer: &[u8]) -> FlowAnswer {
    let server = Some(first_line(answer)).filter(|name| !name.is_empty());
    FlowAnswer { server, closes: false, refusal: None }
}

fn closed(came: usize) -> FlowFailure {
    let why = match came {
        0 => "closed without an answer".into(),
        came => format!("closed after {came} bytes of the answer"),
    };
    FlowFailure::new(FailureKind::Closed, why)
}
