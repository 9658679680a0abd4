//! Blocks of headers in HPACK (RFC 7541), written anew without `:authority`.

use std::collections::VecDeque;
use std::io;

/// The longest block, before and after it is written anew, and the longest frame
/// of headers that is read. h2 takes lists of headers of up to 16 KiB.
pub(super) const LONGEST_BLOCK: usize = 64 << 10;
/// Entries of the static table, of which the first is `:authority`.
const STATIC: usize = 61;
const AUTHORITY: usize = 1;
/// `:authority` as it is, and with Huffman's code.
const NAMES: [&[u8]; 2] = [b"\x0a:authority", b"\x88\xb8\x3b\x53\x39\xec\x32\x7d\x7f"];
/// The table that a client may fill: we do not ask for another size.
const TABLE: usize = 4096;

/// The dynamic table of a client.
#[derive(Default)]
pub(super) struct HeaderBlocks {
    /// The newest first.
    entries: VecDeque<TableEntry>,
    size: usize,
}

/// Name and value as they were encoded, with their lengths in front.
#[derive(Clone)]
struct TableEntry {
    name: EncodedName,
    value: Vec<u8>,
}

#[derive(Clone)]
enum EncodedName {
    Static(usize),
    Literal(Vec<u8>),
}

impl TableEntry {
    /// At most what RFC 7541 section 4.1 counts. A table that keeps entries for
    /// longer than the client's still has all that the client refers to.
    fn size(&self) -> usize {
        let name = match &self.name {
            EncodedName::Static(_) => 0,
            EncodedName::Literal(name) => least_decoded(name),
        };
        32 + name + least_decoded(&self.value)
    }

    fn is_authority(&self) -> bool {
        match &self.name {
            EncodedName::Static(index) => *index == AUTHORITY,
            EncodedName::Literal(name) => NAMES.contains(&&**name),
        }
    }

    /// As a literal that is not indexed.
    fn write(&self, to: &mut Vec<u8>) {
        match &self.name {
            EncodedName::Static(index) => write_integer(0, 4, *index, to),
            EncodedName::Literal(name) => {
                to.push(0);
                to.extend_from_slice(name);
            }
        }
        to.extend_from_slice(&self.value);
    }
}

/// A string's length, or less: no character takes more than 30 bits, and none of a
/// text more than 28.
fn least_decoded(string: &[u8]) -> usize {
    match string.first() {
        Some(first) if first & 0x80 != 0 => string.len() * 8 / 40,
        _ => string.len().saturating_sub(4),
    }
}

impl HeaderBlocks {
    /// # Errors
    /// The block is not HPACK.
    pub(super) fn rewrite(&mut self, block: &[u8]) -> io::Result<Vec<u8>> {
        let mut input = Block(block);
        let mut output = Vec::with_capacity(block.len() + 64);
        while let Some(first) = input.0.first().copied() {
            match first {
                0x80.. => {
                    let index = input.integer(7)?;
                    if index == 0 || index > STATIC {
                        let entry = self.entry(index)?;
                        if !entry.is_authority() {
                            entry.write(&mut output);
                        }
                    } else if index != AUTHORITY {
                        write_integer(0x80, 7, index, &mut output);
                    }
                }
                0x40.. => {
                    let entry = self.literal(6, &mut input)?;
                    if !entry.is_authority() {
                        entry.write(&mut output);
                    }
                    self.insert(entry);
                }
                // The client's table has another size, and h2's stays empty.
                0x20.. => {
                    let size = input.integer(5)?;
                    if size > TABLE {
                        return Err(malformed("asks for too large a table"));
                    }
                    if size == 0 {
                        self.entries.clear();
                        self.size = 0;
                    }
                }
                _ => {
                    let entry = self.literal(4, &mut input)?;
                    if !entry.is_authority() {
                        entry.write(&mut output);
                    }
                }
            }
            if output.len() > LONGEST_BLOCK {
                return Err(malformed("is too long"));
            }
        }
        Ok(output)
    }

    fn entry(&self, index: usize) -> io::Result<&TableEntry> {
        let entry = index.checked_sub(STATIC + 1).and_then(|place| self.entries.get(place));
        entry.ok_or_else(|| malformed("refers to an entry that there is not"))
    }

    /// A literal whose name's index has so many bits.
    fn literal(&self, bits: u32, input: &mut Block<'_>) -> io::Result<TableEntry> {
        let name = match input.integer(bits)? {
            0 => EncodedName::Literal(input.string()?.to_vec()),
            index @ 1..=STATIC => EncodedName::Static(index),
            index => self.entry(index)?.name.clone(),
        };
        Ok(TableEntry { name, value: input.string()?.to_vec() })
    }

    fn insert(&mut self, entry: TableEntry) {
        self.size += entry.size();
        self.entries.push_front(entry);
        while self.size > TABLE
            && let Some(oldest) = self.entries.pop_back()
        {
            self.size -= oldest.size();
        }
    }
}

pub(super) fn malformed(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("a block of headers {why}"))
}

/// What is left of a block.
struct Block<'a>(&'a [u8]);

impl<'a> Block<'a> {
    fn byte(&mut self) -> io::Result<u8> {
        let (first, rest) = self.0.split_first().ok_or_else(|| malformed("breaks off"))?;
        self.0 = rest;
        Ok(*first)
    }

    /// An integer that begins with the last bits of a byte: section 5.1.
    fn integer(&mut self, bits: u32) -> io::Result<usize> {
        let most = (1 << bits) - 1;
        let mut value = usize::from(self.byte()?) & most;
        if value < most {
            return Ok(value);
        }
        // Four bytes more are beyond every length that is taken.
        for shift in [0, 7, 14, 21] {
            let byte = usize::from(self.byte()?);
            value += (byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(malformed("has too large a number"))
    }

    /// A string with its length in front: section 5.2.
    fn string(&mut self) -> io::Result<&'a [u8]> {
        let whole = self.0;
        let length = self.integer(7)?;
        let begin = whole.len() - self.0.len();
        let string = whole.get(..begin + length).ok_or_else(|| malformed("breaks off"))?;
        self.0 = &whole[string.len()..];
        Ok(string)
    }
}

/// An integer with so many bits in its first byte, which has these others.
fn write_integer(first: u8, bits: u32, value: usize, to: &mut Vec<u8>) {
    let lowest = |number: usize| number.to_le_bytes()[0];
    let most = (1_usize << bits) - 1;
    if value < most {
        to.push(first | lowest(value));
        return;
    }
    to.push(first | lowest(most));
    let mut rest = value - most;
    while rest >= 0x80 {
        to.push(lowest(rest) | 0x80);
        rest >>= 7;
    }
    to.push(lowest(rest));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authority_goes_in_whatever_form_it_comes() {
        for block in [
            &b"\x41\x09localhost"[..],
            b"\x01\x00",
            b"\x11\x0f%2Ftmp%2Fa.sock",
            b"\x40\x0a:authority\x0b/tmp/a.sock",
            b"\x00\x88\xb8\x3b\x53\x39\xec\x32\x7d\x7f\x00",
            b"\x81",
        ] {
            let block = [b"\x83", block, b"\x86"].concat();
            assert_eq!(HeaderBlocks::default().rewrite(&block).unwrap(), b"\x83\x86", "{block:x?}");
        }
    }

    #[test]
    fn what_a_table_held_is_written_out() {
        let mut blocks = HeaderBlocks::default();
        // te: trailers and an authority, indexed; then by reference.
        let first = b"\x83\x40\x02te\x08trailers\x41\x02/x\x44\x01/";
        assert_eq!(blocks.rewrite(first).unwrap(), b"\x83\x00\x02te\x08trailers\x04\x01/");
        // The newest is 62: the path; 63 the authority; 64 the other.
        assert_eq!(blocks.rewrite(b"\xbe\xbf\xc0").unwrap(), b"\x04\x01/\x00\x02te\x08trailers");
        // By its name alone.
        assert_eq!(
            blocks.rewrite(b"\x7f\x01\x01y\x0f\x2f\x01z").unwrap(),
            b"\x00\x02te\x01y\x00\x02te\x01z".as_slice()
        );
    }

    #[test]
    fn what_is_no_block_is_an_error() {
        for block in [
            &b"\xbe"[..],
            b"\x41",
            b"\x41\x05ab",
            b"\x41\x7f\xff\xff\xff\xff\x0f",
            b"\x3f\xff\xff\xff\xff\xff",
            b"\x3f\xe2\x1f",
            b"\x80",
        ] {
            HeaderBlocks::default().rewrite(block).unwrap_err();
        }
        // A few bytes that stand for many.
        let mut blocks = HeaderBlocks::default();
        let long = [&b"\x40\x01a\x7f\x81\x1e"[..], &[b'x'; 4096 - 128]].concat();
        blocks.rewrite(&long).unwrap();
        blocks.rewrite(&[0xbe; 100]).unwrap_err();
    }

    #[test]
    fn integers_are_those_of_the_standard() {
        for (bits, value, bytes) in [
            (5, 10, &b"\x0a"[..]),
            (5, 1337, b"\x1f\x9a\x0a"),
            (8, 42, b"\x2a"),
            (7, 127, b"\x7f\x00"),
        ] {
            let mut written = Vec::new();
            write_integer(0, bits, value, &mut written);
            assert_eq!(written, bytes);
            assert_eq!(Block(bytes).integer(bits).unwrap(), value);
        }
    }

    #[test]
    fn the_table_has_a_bound_and_keeps_what_the_client_s_has() {
        let mut blocks = HeaderBlocks::default();
        for _ in 0..1000 {
            blocks.rewrite(b"\x40\x02te\x08trailers").unwrap();
        }
        assert!(blocks.size <= TABLE && blocks.entries.len() <= TABLE / 32);
        // The client counts 32 + 2 + 8 for each, and has 97 of them.
        assert!(blocks.entries.len() >= TABLE / 42);
        blocks.rewrite(b"\x20").unwrap();
        assert!(blocks.entries.is_empty());
    }
}
