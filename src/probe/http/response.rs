//! Reads an HTTP/1.x response without a socket: bytes in, result out.
//!
//! In the common case the whole head comes with the first bytes and is parsed
//! where it lies; only an incomplete head is copied and kept.

use std::borrow::Cow;
use std::mem::{self, MaybeUninit};

use super::body::{Body, BodyError, Framing};
use super::spec::Expected;
use crate::domain::health::probe_result::{ProbeResult, ResultCode};
use crate::probe::exchange::ExchangeAnswer;

/// The most that all heads of a response, interim ones included, may take.
pub(super) const MAX_HEAD: usize = 16 * 1024;

/// The most fields that a head may have.
const MAX_FIELDS: usize = 128;

/// Characters of a backend's reason phrase that a result repeats.
const MAX_REASON: usize = 64;

/// A response as far as it has come.
pub(super) struct HttpResponse<'a> {
    expected: &'a Expected,
    stage: ResponseStage,
}

enum ResponseStage {
    /// `kept` is what has come of the head, `spent` the size of the interim
    /// heads before it.
    Head { kept: Vec<u8>, spent: usize },
    /// The head passed, and its body is wanted.
    Body { status: u16, body: Body },
}

/// The parts of the head that are needed.
struct Head {
    size: usize,
    status: u16,
    /// The result, if the status does not pass.
    failed: Option<ProbeResult>,
    framing: Framing,
}

impl<'a> HttpResponse<'a> {
    pub(super) fn new(expected: &'a Expected) -> Self {
        Self { expected, stage: ResponseStage::Head { kept: Vec::new(), spent: 0 } }
    }

    /// Parses the heads at the start of `bytes`; the rest belongs to the body.
    fn take_head(&mut self, bytes: &[u8], mut spent: usize) -> Option<ProbeResult> {
        let mut rest = bytes;
        loop {
            let window = &rest[..rest.len().min(MAX_HEAD - spent)];
            let head = match parse(window, self.expected) {
                Ok(Some(head)) => head,
                Ok(None) if window.len() < MAX_HEAD - spent => {
                    self.stage = ResponseStage::Head { kept: rest.to_vec(), spent };
                    return None;
                }
                Ok(None) => {
                    return Some(ProbeResult::new(
                        ResultCode::L7Response,
                        "headers of more than 16 KiB",
                    ));
                }
                Err(result) => return Some(result),
            };
            rest = &rest[head.size..];
            // Interim responses precede the answer; 101 is one by itself.
            if (100..200).contains(&head.status) && head.status != 101 {
                spent += head.size;
                continue;
            }
            if head.failed.is_some() {
                return head.failed;
            }
            if self.expected.body.is_none() {
                return Some(ProbeResult::new(ResultCode::L7Ok, known_status(head.status)));
            }
            self.stage = ResponseStage::Body { status: head.status, body: Body::new(head.framing) };
            return self.take_body(rest);
        }
    }

    fn take_body(&mut self, bytes: &[u8]) -> Option<ProbeResult> {
        let ResponseStage::Body { body, .. } = &mut self.stage else { return None };
        match body.take(bytes) {
            Ok(true) => Some(self.judge_body()),
            Ok(false) => None,
            Err(BodyError::Chunk) => {
                Some(ProbeResult::new(ResultCode::L7Response, "body is not in chunks as announced"))
            }
            Err(BodyError::Closed) => Some(closed_in_body()),
        }
    }

    fn judge_body(&self) -> ProbeResult {
        let (ResponseStage::Body { status, body }, Some(wanted)) =
            (&self.stage, &self.expected.body)
        else {
            return ProbeResult::new(ResultCode::L7Ok, "");
        };
        if wanted.is_match(body.bytes()) {
            return ProbeResult::new(ResultCode::L7Ok, known_status(*status));
        }
        let size = body.bytes().len();
        ProbeResult::new(
            ResultCode::L7Content,
            format!("status {status}, but its body ({size} bytes) does not match"),
        )
    }
}

impl ExchangeAnswer for HttpResponse<'_> {
    fn take(&mut self, bytes: &[u8]) -> Option<ProbeResult> {
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

    fn end(&mut self) -> ProbeResult {
        match &mut self.stage {
            ResponseStage::Head { kept, spent: 0 } if kept.is_empty() => {
                ProbeResult::new(ResultCode::L7Response, "connection closed before the response")
            }
            ResponseStage::Head { .. } => {
                ProbeResult::new(ResultCode::L7Response, "connection closed inside the headers")
            }
            ResponseStage::Body { body, .. } => match body.end() {
                Ok(()) => self.judge_body(),
                Err(_) => closed_in_body(),
            },
        }
    }
}

fn closed_in_body() -> ProbeResult {
    ProbeResult::new(ResultCode::L7Response, "connection closed inside the body")
}

/// The head at the start of `bytes`; `None` if more is needed.
fn parse(bytes: &[u8], expected: &Expected) -> Result<Option<Head>, ProbeResult> {
    let mut fields = [const { MaybeUninit::uninit() }; MAX_FIELDS];
    let mut response = httparse::Response::new(&mut []);
    let size = match httparse::ParserConfig::default().parse_response_with_uninit_headers(
        &mut response,
        bytes,
        &mut fields,
    ) {
        Ok(httparse::Status::Complete(size)) => size,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => {
            return Err(ProbeResult::new(ResultCode::L7Response, format!("not HTTP: {error}")));
        }
    };
    let status = response.code.unwrap_or_default();
    let failed = (!expected.codes.contains(&status)).then(|| {
        ProbeResult::new(
            ResultCode::L7Status,
            status_text(status, response.reason.unwrap_or_default()),
        )
    });
    // The body of a failure is not read, so its framing need not be right.
    let framing = match (&failed, &expected.body) {
        (None, Some(_)) => Framing::of(status, response.headers).map_err(|error| {
            ProbeResult::new(ResultCode::L7Response, format!("body of unknown length: {error}"))
        })?,
        _ => Framing::UntilClose,
    };
    Ok(Some(Head { size, status, failed, framing }))
}

/// The status with the backend's reason phrase, shortened.
fn status_text(status: u16, reason: &str) -> Cow<'static, str> {
    let mut text = status.to_string();
    if !reason.is_empty() {
        text.push(' ');
        text.extend(reason.chars().filter(|c| !c.is_control()).take(MAX_REASON));
    }
    text.into()
}

/// A status that passed; the usual ones cost no allocation.
fn known_status(status: u16) -> Cow<'static, str> {
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
