//! Reads an HTTP/1.x response without a socket: bytes in, answer out.
//!
//! In the common case the whole head comes with the first bytes and is parsed
//! where it lies; only an incomplete head is copied and kept.

use std::borrow::Cow;
use std::mem;

use super::body::{Body, BodyError, Framing, UnreadMessage, coding};
use super::head::Head;
use super::spec::{Expected, ExpectedHeader};
use crate::domain::health::probe_result::{ProbeResult, ResultCode};
use crate::domain::http::is_interim;
use crate::probe::exchange::ExchangeAnswer;

/// The most that all heads of a response, interim ones included, may take.
pub(super) const MAX_HEAD: usize = 16 * 1024;

/// Characters of a backend's reason phrase that a result repeats.
const MAX_REASON: usize = 64;

/// A response as far as it has come.
pub(super) struct HttpResponse<'a> {
    expected: &'a Expected,
    stage: ResponseStage,
}

/// A response that has come as far as it is needed.
pub(super) struct HttpAnswer {
    pub(super) verdict: HttpVerdict,
    /// What is still to come of it, if that is little.
    pub(super) unread: Option<UnreadMessage>,
}

pub(super) enum HttpVerdict {
    Known(ProbeResult),
    /// The status passed, and this is its body.
    Match {
        status: u16,
        body: Vec<u8>,
    },
}

enum ResponseStage {
    /// `kept` is what has come of the head, `spent` the size of the interim
    /// heads before it.
    Head { kept: Vec<u8>, spent: usize },
    /// The head passed, and its body is wanted.
    Body { status: u16, body: Body },
}

impl From<ProbeResult> for HttpAnswer {
    fn from(result: ProbeResult) -> Self {
        Self { verdict: HttpVerdict::Known(result), unread: None }
    }
}

/// An answer that is not a response as HTTP has it.
fn bad(detail: impl Into<Cow<'static, str>>) -> HttpAnswer {
    ProbeResult::new(ResultCode::L7Response, detail).into()
}

impl<'a> HttpResponse<'a> {
    pub(super) fn new(expected: &'a Expected) -> Self {
        Self { expected, stage: ResponseStage::Head { kept: Vec::new(), spent: 0 } }
    }

    /// Parses the heads at the start of `bytes`; the rest belongs to the body.
    fn take_head(&mut self, bytes: &[u8], mut spent: usize) -> Option<HttpAnswer> {
        let mut rest = bytes;
        loop {
            let window = &rest[..rest.len().min(MAX_HEAD - spent)];
            let head = match Head::parse(window) {
                Ok(Some(head)) => head,
                Ok(None) if window.len() < MAX_HEAD - spent => {
                    self.stage = ResponseStage::Head { kept: rest.to_vec(), spent };
                    return None;
                }
                Ok(None) => return Some(bad("headers of more than 16 KiB")),
                Err(error) => return Some(bad(error.to_string())),
            };
            rest = &rest[head.size..];
            if is_interim(head.status) {
                spent += head.size;
                continue;
            }
            return self.judge_head(&head, rest);
        }
    }

    /// Takes the head of the answer and the `rest` that has come behind it.
    fn judge_head(&mut self, head: &Head<'_>, rest: &[u8]) -> Option<HttpAnswer> {
        let status = head.status;
        let framing =
            if self.expected.is_head { Ok(Framing::Length(0)) } else { Framing::of(head) };
        let is_empty = framing == Ok(Framing::Length(0));
        let result = if !self.expected.codes.contains(status) {
            ProbeResult::new(ResultCode::L7Status, status_text(status, head.reason))
        } else if let Some(why) = self.header_fault(head) {
            ProbeResult::new(ResultCode::L7Content, format!("status {status}, but {why}"))
        } else if self.expected.body.is_none() {
            ProbeResult::new(ResultCode::L7Ok, known_status(status))
        } else if let Some(coding) = coding(head).filter(|_| !is_empty) {
            compressed(status, coding)
        } else {
            match framing {
                Ok(framing) => {
                    self.stage = ResponseStage::Body { status, body: Body::new(framing) };
                    return self.take_body(rest);
                }
                Err(error) => return Some(bad(format!("body of unknown length: {error}"))),
            }
        };
        // What a body that is not needed announces need not be right.
        let unread = framing.ok().and_then(|framing| UnreadMessage::of(framing, rest));
        Some(HttpAnswer { verdict: HttpVerdict::Known(result), unread })
    }

    /// What is wrong with the header that is expected, if something is.
    fn header_fault(&self, head: &Head<'_>) -> Option<String> {
        let header = self.expected.header.as_ref()?;
        header.fault(head.values(&header.name))
    }

    fn take_body(&mut self, bytes: &[u8]) -> Option<HttpAnswer> {
        let ResponseStage::Body { body, .. } = &mut self.stage else { return None };
        match body.take(bytes) {
            Ok(true) => Some(self.whole_body()),
            Ok(false) => None,
            Err(BodyError::Chunk) => Some(bad("body is not in chunks as announced")),
            Err(BodyError::Closed) => Some(closed_in_body()),
        }
    }

    fn whole_body(&mut self) -> HttpAnswer {
        let next = ResponseStage::Head { kept: Vec::new(), spent: 0 };
        match mem::replace(&mut self.stage, next) {
            ResponseStage::Body { status, body } => {
                let (body, unread) = body.finish();
                HttpAnswer { verdict: HttpVerdict::Match { status, body }, unread }
            }
            ResponseStage::Head { .. } => closed_in_body(),
        }
    }
}

impl ExchangeAnswer for HttpResponse<'_> {
    type Outcome = HttpAnswer;

    fn take(&mut self, bytes: &[u8]) -> Option<HttpAnswer> {
        match &mut self.stage {
            ResponseStage::Body { .. } => self.take_body(bytes),
            ResponseStage::Head { kept, spent } if kept.is_empty() => {
                let spent = *spent;
                self.take_head(bytes, spent)
            }
            ResponseStage::Head { kept, spent } => {
                let (mut kept, spent) = (mem::take(kept), *spent);
                kept.extend_from_slice(bytes);
                self.take_head(&kept, spent)
            }
        }
    }

    fn end(&mut self) -> HttpAnswer {
        match &self.stage {
            ResponseStage::Head { kept, spent: 0 } if kept.is_empty() => {
                bad("connection closed before the response")
            }
            ResponseStage::Head { kept, .. } => match Head::fault_at_end(kept) {
                Some(error) => bad(error.to_string()),
                None => bad("connection closed inside the headers"),
            },
            ResponseStage::Body { body, .. } => match body.end() {
                // Nothing more can come.
                Ok(()) => HttpAnswer { unread: None, ..self.whole_body() },
                Err(_) => closed_in_body(),
            },
        }
    }
}

impl ExpectedHeader {
    /// What is wrong with the header, if something is.
    pub(super) fn fault<V: AsRef<[u8]>>(&self, values: impl Iterator<Item = V>) -> Option<String> {
        let mut values = values.peekable();
        if values.peek().is_none() {
            return Some(format!("it has no header {}", self.name));
        }
        let is_match = values.any(|value| self.pattern.is_match(value.as_ref().trim_ascii()));
        (!is_match).then(|| format!("its header {} does not match", self.name))
    }
}

/// The status passed, and the body that is to be matched was sent in a coding.
pub(super) fn compressed(status: u16, coding: &str) -> ProbeResult {
    let detail = format!(
        "status {status}, but its body is compressed ({coding}) though that was not \
         asked for, and cannot be matched: have the server send it as it is"
    );
    ProbeResult::new(ResultCode::L7Content, detail)
}

fn closed_in_body() -> HttpAnswer {
    bad("connection closed inside the body")
}

/// The result of a body that was matched.
pub(super) fn judge_body(status: u16, size: usize, is_match: bool) -> ProbeResult {
    if is_match {
        return ProbeResult::new(ResultCode::L7Ok, known_status(status));
    }
    ProbeResult::new(
        ResultCode::L7Content,
        format!("status {status}, but its body ({size} bytes) does not match"),
    )
}

/// The status with the backend's reason phrase, shortened.
pub(super) fn status_text(status: u16, reason: &[u8]) -> Cow<'static, str> {
    let mut text = status.to_string();
    let reason = String::from_utf8_lossy(reason);
    if !reason.is_empty() {
        text.push(' ');
        text.extend(reason.chars().filter(|c| !c.is_control()).take(MAX_REASON));
    }
    text.into()
}

/// A status that passed; the usual ones cost no allocation.
pub(super) fn known_status(status: u16) -> Cow<'static, str> {
    match status {
        200 => "200 OK".into(),
        204 => "204 No Content".into(),
        301 => "301 Moved Permanently".into(),
        302 => "302 Found".into(),
        304 => "304 Not Modified".into(),
        307 => "307 Temporary Redirect".into(),
        308 => "308 Permanent Redirect".into(),
        401 => "401 Unauthorized".into(),
        403 => "403 Forbidden".into(),
        404 => "404 Not Found".into(),
        _ => status.to_string().into(),
    }
}
