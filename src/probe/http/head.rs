//! The head of a response (RFC 9112, sections 4 and 5), as browsers and HAProxy
//! take it: what a user of the backend would not notice is no reason to take it out
//! of service. Only a status line that cannot be understood is refused.

use std::borrow::Cow;

use thiserror::Error;

/// Bytes of a line that an error repeats.
const MAX_SHOWN: usize = 128;

/// A head that cannot be understood, with the line.
#[derive(Debug, PartialEq, Eq, Error)]
pub(crate) enum HeadError {
    #[error("not HTTP: the answer begins with \"{line}\"")]
    NotHttp { line: String },
    #[error("the status line has no status of three digits: \"{line}\"")]
    NoStatus { line: String },
}

/// A whole head, where it lies.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Head<'a> {
    /// Its bytes, the empty line included.
    pub(crate) size: usize,
    pub(crate) status: u16,
    /// What the status line says behind the status.
    pub(crate) reason: &'a [u8],
    fields: &'a [u8],
}

impl<'a> Head<'a> {
    /// The head at the start of `bytes`; `None` if more is needed.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Option<Self>, HeadError> {
        let bytes_before = leading_line_ends(bytes);
        let rest = &bytes[bytes_before..];
        let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
            // A line that cannot be one is refused once its text is known, however
            // the bytes come.
            let is_known = rest.len() >= MAX_SHOWN || !rest.iter().all(is_text);
            return if is_known { status_line(rest, false).map(|_| None) } else { Ok(None) };
        };
        let (status, reason) = status_line(&rest[..end], true)?.unwrap_or_default();
        let fields = &rest[end + 1..];
        let Some(size) = size_of_fields(fields) else { return Ok(None) };
        let reason = reason.trim_ascii();
        let whole = bytes_before + end + 1 + size;
        Ok(Some(Self { size: whole, status, reason, fields: &fields[..size] }))
    }

    /// Why a connection that ended behind `bytes` brought no head, if it is their
    /// fault.
    pub(super) fn fault_at_end(bytes: &[u8]) -> Option<HeadError> {
        status_line(&bytes[leading_line_ends(bytes)..], false).err()
    }

    /// The values of the fields of this name, each continued line joined to its
    /// own (RFC 9112, section 5.2). Lines that are no field are passed over, as
    /// browsers do.
    pub(crate) fn values(&self, name: &str) -> impl DoubleEndedIterator<Item = Cow<'a, [u8]>> {
        let mut values = Vec::new();
        let mut lines = self.fields.split(|byte| *byte == b'\n').map(trim_end).peekable();
        while let Some(line) = lines.next() {
            let named = line.iter().position(|byte| *byte == b':').filter(|colon| {
                line[..*colon].trim_ascii_end().eq_ignore_ascii_case(name.as_bytes())
            });
            let mut value = named.map(|colon| Cow::Borrowed(&line[colon + 1..]));
            while let Some(more) = lines.next_if(|line| is_continued(line)) {
                if let Some(value) = &mut value {
                    value.to_mut().extend_from_slice(more);
                }
            }
            values.extend(value);
        }
        values.into_iter()
    }
}

/// Whether a line goes on with the field before it.
fn is_continued(line: &[u8]) -> bool {
    line.first().is_some_and(|byte| b" \t".contains(byte))
}

fn trim_end(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The bytes up to the empty line and with it; `None` if it has not come.
fn size_of_fields(bytes: &[u8]) -> Option<usize> {
    let mut size = 0;
    loop {
        let line = size + bytes[size..].iter().position(|byte| *byte == b'\n')?;
        let is_empty = trim_end(&bytes[size..line]).is_empty();
        size = line + 1;
        if is_empty {
            return Some(size);
        }
    }
}

/// An earlier message may have ended with line ends too many.
fn leading_line_ends(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| b"\r\n".contains(byte)).count()
}

/// Status and reason of a status line; `None` if it is not whole and this may be
/// its start. The answer to a request of HTTP/1.1 has its format whatever version
/// it says.
fn status_line(line: &[u8], is_whole: bool) -> Result<Option<(u16, &[u8])>, HeadError> {
    const NAME: &[u8] = b"HTTP/";
    let not_http = || HeadError::NotHttp { line: shown(line) };
    let no_status = || HeadError::NoStatus { line: shown(line) };
    let partial = |error: HeadError| if is_whole { Err(error) } else { Ok(None) };
    let name = line.len().min(NAME.len());
    if !line[..name].eq_ignore_ascii_case(&NAME[..name]) {
        return Err(not_http());
    }
    let is_number = |byte: &&u8| byte.is_ascii_digit() || **byte == b'.';
    let number = line[name..].iter().take_while(is_number).count();
    let rest = &line[name + number..];
    if rest.is_empty() {
        return partial(if number == 0 { not_http() } else { no_status() });
    }
    let text = trim_start(rest);
    if number == 0 {
        return Err(not_http());
    }
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    match text.split_at(digits) {
        (&[a, b, c], reason) if text.len() < rest.len() => {
            let value = [a, b, c].map(|digit| u16::from(digit - b'0'));
            Ok(Some((value[0] * 100 + value[1] * 10 + value[2], reason)))
        }
        ([] | [_] | [_, _], []) if text.len() < rest.len() => partial(no_status()),
        _ => Err(no_status()),
    }
}

fn trim_start(text: &[u8]) -> &[u8] {
    let spaces = text.iter().take_while(|byte| b" \t".contains(byte)).count();
    &text[spaces..]
}

fn is_text(byte: &u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t' | b'\r')
}

/// The line at the start of `bytes`, up to the first byte that is in no text.
fn shown(bytes: &[u8]) -> String {
    let text = bytes.iter().take_while(|byte| is_text(byte)).count();
    let shown = &bytes[..(text + 1).min(bytes.len()).min(MAX_SHOWN)];
    shown.trim_ascii_end().escape_ascii().to_string()
}
