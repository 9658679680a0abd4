//! Reads one HTTP response whole, and who sent it, without a socket. What follows a
//! whole response is of the next.

use std::ops::ControlFlow;

use crate::domain::tester::fact::{FailureKind, FlowFailure};
use crate::domain::tester::server_name::MAX_NAME;
use crate::probe::{Framing, Head};

/// The most that the heads of a response may take.
const MAX_HEAD: usize = 64 * 1024;

/// A whole response.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct HttpMessage {
    pub(super) status: u16,
    /// The value of the header that names the server, or the body's first line.
    pub(super) server: Option<String>,
    /// Whether the header named it.
    pub(super) is_named_by_header: bool,
    /// Whether the connection ends with it.
    pub(super) closes: bool,
}

/// A response as far as it has come.
pub(super) struct HttpReader<'a> {
    header: Option<&'a str>,
    stage: HttpStage,
}

enum HttpStage {
    Head(Vec<u8>),
    Body { message: HttpMessage, framing: Framing, line: Vec<u8> },
}

impl<'a> HttpReader<'a> {
    /// `header` names the server; without it the first line of the body does.
    pub(super) fn new(header: Option<&'a str>) -> Self {
        Self { header, stage: HttpStage::Head(Vec::new()) }
    }

    /// Takes the next bytes; the message, once it is whole.
    ///
    /// # Errors
    /// It is no response of HTTP.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<Option<HttpMessage>, FlowFailure> {
        let HttpStage::Head(kept) = &mut self.stage else { return self.take_body(bytes) };
        kept.extend_from_slice(bytes);
        let mut kept = std::mem::take(kept);
        loop {
            let head = Head::parse(&kept).map_err(|error| protocol(&error.to_string()))?;
            let Some(head) = head else {
                if kept.len() > MAX_HEAD {
                    return Err(protocol("its headers are longer than 64 KiB"));
                }
                self.stage = HttpStage::Head(kept);
                return Ok(None);
            };
            let size = head.size;
            if (100..200).contains(&head.status) && head.status != 101 {
                kept.drain(..size);
                continue;
            }
            let framing = Framing::of(&head).map_err(|error| protocol(&error.to_string()))?;
            let message = self.message(&head, &framing);
            self.stage = HttpStage::Body { message, framing, line: Vec::new() };
            return self.take_body(&kept[size..]);
        }
    }

    fn message(&self, head: &Head<'_>, framing: &Framing) -> HttpMessage {
        let named = self.header.and_then(|name| head.values(name).next());
        let server = named.map(|value| name_of(&value)).filter(|name| !name.is_empty());
        let says_close = head.values("connection").any(|value| {
            let mut tokens = value.split(|byte| *byte == b',');
            tokens.any(|token| token.trim_ascii().eq_ignore_ascii_case(b"close"))
        });
        HttpMessage {
            status: head.status,
            is_named_by_header: server.is_some(),
            server,
            closes: says_close || *framing == Framing::UntilClose,
        }
    }

    fn take_body(&mut self, bytes: &[u8]) -> Result<Option<HttpMessage>, FlowFailure> {
        let HttpStage::Body { framing, line, .. } = &mut self.stage else { return Ok(None) };
        let taken = framing.take(bytes, |data| {
            let room = MAX_NAME.saturating_sub(line.len());
            line.extend_from_slice(&data[..data.len().min(room)]);
            ControlFlow::Continue(())
        });
        taken.map_err(|_| protocol("its body is not in chunks as announced"))?;
        Ok(if framing.has_ended() { self.whole() } else { None })
    }

    /// The connection has ended: the message, if that is its end.
    pub(super) fn end(&mut self) -> Option<HttpMessage> {
        match &self.stage {
            HttpStage::Body { framing: Framing::UntilClose, .. } => self.whole(),
            _ => None,
        }
    }

    fn whole(&mut self) -> Option<HttpMessage> {
        let next = HttpStage::Head(Vec::new());
        let HttpStage::Body { mut message, line, .. } = std::mem::replace(&mut self.stage, next)
        else {
            return None;
        };
        if self.header.is_none() {
            message.server = Some(first_line(&line)).filter(|name| !name.is_empty());
        }
        Some(message)
    }
}

/// The first line of an answer.
pub(super) fn first_line(bytes: &[u8]) -> String {
    name_of(bytes.split(|byte| *byte == b'\n').next().unwrap_or_default())
}

/// What names a server, cut to [`MAX_NAME`].
fn name_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.trim_ascii()).chars().take(MAX_NAME).collect()
}

fn protocol(why: &str) -> FlowFailure {
    FlowFailure::new(FailureKind::Protocol, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, header: Option<&str>) -> Result<Option<HttpMessage>, FlowFailure> {
        let mut reader = HttpReader::new(header);
        // Byte by byte: pieces make no difference.
        for byte in text.as_bytes() {
            if let Some(message) = reader.take(&[*byte])? {
                return Ok(Some(message));
            }
        }
        Ok(reader.end())
    }

    #[test]
    fn a_response_names_its_server_and_says_whether_it_is_the_last() {
        let of = |status, server: &str, is_named_by_header, closes| {
            let server = (!server.is_empty()).then(|| server.to_owned());
            Some(HttpMessage { status, server, is_named_by_header, closes })
        };
        let served = "HTTP/1.1 200 OK\r\nX-Served-By: a\r\nContent-Length: 5\r\n\r\nb\nxxx";
        assert_eq!(read(served, None), Ok(of(200, "b", false, false)));
        assert_eq!(read(served, Some("x-served-by")), Ok(of(200, "a", true, false)));
        assert_eq!(read(served, Some("Via")), Ok(of(200, "", false, false)));
        let chunked = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: \
                       chunked\r\n\r\n2\r\nna\r\n3\r\nme\n\r\n0\r\n\r\n";
        assert_eq!(read(chunked, None), Ok(of(200, "name", false, false)));
        let closed = "HTTP/1.1 503 Busy\r\nConnection: Close\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(read(closed, None), Ok(of(503, "", false, true)));
        let endless = "HTTP/1.1 200 OK\r\n\r\nname";
        assert_eq!(read(endless, None), Ok(of(200, "name", false, true)));
        assert_eq!(read("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", None), Ok(None));
        assert_eq!(read("SSH-2.0-x\r\n", None).unwrap_err().kind, FailureKind::Protocol);
    }
}
