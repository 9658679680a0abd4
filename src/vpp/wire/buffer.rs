//! Reading and writing the fields of a message: big-endian, packed, and never
//! past the end of what was received.

use std::fmt;

use thiserror::Error;

/// A message that does not hold what its layout says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum WireError {
    /// The body ends before the field does.
    #[error("a field of {wanted} bytes at offset {at} does not fit in a body of {length}")]
    Truncated {
        /// Where the field starts, from the start of the body.
        at: usize,
        /// How long it is, as the layout or the peer says.
        wanted: usize,
        /// How long the body is.
        length: usize,
    },
}

/// Takes fields off the front of a body.
#[derive(Clone, Debug)]
pub struct FieldReader<'a> {
    body: &'a [u8],
    at: usize,
}

impl<'a> FieldReader<'a> {
    /// Reads `body` from its start, the message id included.
    #[must_use]
    pub fn new(body: &'a [u8]) -> Self {
        Self { body, at: 0 }
    }

    /// Bytes not read yet.
    #[must_use]
    pub fn left(&self) -> usize {
        self.body.len() - self.at
    }

    /// The next `wanted` bytes.
    ///
    /// # Errors
    /// [`WireError::Truncated`] if the body has fewer; nothing is consumed.
    pub fn take(&mut self, wanted: usize) -> Result<&'a [u8], WireError> {
        let rest = self.body.get(self.at..).unwrap_or_default();
        let Some(field) = rest.get(..wanted) else {
            return Err(WireError::Truncated { at: self.at, wanted, length: self.body.len() });
        };
        self.at += wanted;
        Ok(field)
    }

    /// The next `N` bytes as an array.
    ///
    /// # Errors
    /// [`WireError::Truncated`] if the body has fewer.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let mut field = [0; N];
        field.copy_from_slice(self.take(N)?);
        Ok(field)
    }

    /// One byte.
    ///
    /// # Errors
    /// [`WireError::Truncated`] at the end of the body.
    pub fn u8(&mut self) -> Result<u8, WireError> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// VPP's `bool`: any byte but zero is true.
    ///
    /// # Errors
    /// [`WireError::Truncated`] at the end of the body.
    pub fn flag(&mut self) -> Result<bool, WireError> {
        self.u8().map(|byte| byte != 0)
    }

    /// Two bytes, big-endian.
    ///
    /// # Errors
    /// [`WireError::Truncated`] at the end of the body.
    pub fn u16(&mut self) -> Result<u16, WireError> {
        self.array().map(u16::from_be_bytes)
    }

    /// Four bytes, big-endian.
    ///
    /// # Errors
    /// [`WireError::Truncated`] at the end of the body.
    pub fn u32(&mut self) -> Result<u32, WireError> {
        self.array().map(u32::from_be_bytes)
    }

    /// Four bytes, big-endian, two's complement.
    ///
    /// # Errors
    /// [`WireError::Truncated`] at the end of the body.
    pub fn i32(&mut self) -> Result<i32, WireError> {
        self.array().map(i32::from_be_bytes)
    }

    /// A string with its length before it. The length is the peer's: it is
    /// compared with what is there before anything is allocated.
    ///
    /// # Errors
    /// [`WireError::Truncated`] if the body ends before the string does.
    pub fn text(&mut self) -> Result<Vec<u8>, WireError> {
        let length = self.u32()?;
        self.take(usize::try_from(length).unwrap_or(usize::MAX)).map(<[u8]>::to_vec)
    }
}

/// Appends fields to a body.
#[derive(Debug)]
pub struct FieldWriter<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> FieldWriter<'a> {
    /// Appends to `out`.
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out }
    }

    /// Bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// One byte.
    pub fn u8(&mut self, value: u8) {
        self.out.push(value);
    }

    /// VPP's `bool`.
    pub fn flag(&mut self, value: bool) {
        self.u8(u8::from(value));
    }

    /// Two bytes, big-endian.
    pub fn u16(&mut self, value: u16) {
        self.bytes(&value.to_be_bytes());
    }

    /// Four bytes, big-endian.
    pub fn u32(&mut self, value: u32) {
        self.bytes(&value.to_be_bytes());
    }

    /// Four bytes, big-endian, two's complement.
    pub fn i32(&mut self, value: i32) {
        self.bytes(&value.to_be_bytes());
    }

    /// A string with its length before it. No string that we hold reaches
    /// 4 GiB; one that did would be cut, so that the length stays true.
    pub fn text(&mut self, text: &[u8]) {
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        self.u32(length);
        self.bytes(text.get(..length as usize).unwrap_or(text));
    }
}

/// A string in a field of `N` bytes, padded with zeros.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct FixedText<const N: usize>(pub [u8; N]);

impl<const N: usize> FixedText<N> {
    /// `text`, cut where the field ends.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut field = [0; N];
        for (to, from) in field.iter_mut().zip(text.bytes()) {
            *to = from;
        }
        Self(field)
    }

    /// The bytes before the first zero.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        let end = self.0.iter().position(|byte| *byte == 0).unwrap_or(N);
        self.0.get(..end).unwrap_or_default()
    }

    pub(super) fn read(reader: &mut FieldReader<'_>) -> Result<Self, WireError> {
        reader.array().map(Self)
    }
}

impl<const N: usize> fmt::Display for FixedText<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&String::from_utf8_lossy(self.as_bytes()))
    }
}

impl<const N: usize> fmt::Debug for FixedText<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(self.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_does_not_fit_is_refused_and_not_consumed() {
        let mut reader = FieldReader::new(&[1, 2, 3]);
        assert_eq!(reader.u16(), Ok(0x0102));
        assert_eq!(reader.u32(), Err(WireError::Truncated { at: 2, wanted: 4, length: 3 }));
        assert_eq!(reader.u8(), Ok(3));
        assert_eq!(reader.left(), 0);
    }

    #[test]
    fn a_string_longer_than_the_body_is_not_believed() {
        let body = [0xff, 0xff, 0xff, 0xff, b'x'];
        assert!(matches!(
            FieldReader::new(&body).text(),
            Err(WireError::Truncated { at: 4, wanted: 0xffff_ffff, length: 5 })
        ));
    }

    #[test]
    fn fixed_text_is_cut_and_padded() {
        assert_eq!(FixedText::<4>::new("abcdef").0, *b"abcd");
        assert_eq!(FixedText::<4>::new("ab").0, *b"ab\0\0");
        assert_eq!(FixedText::<4>(*b"a\0bc").to_string(), "a");
        assert_eq!(FixedText::<4>(*b"abcd").to_string(), "abcd");
    }
}
