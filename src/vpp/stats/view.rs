//! Bounded reads of the segment's memory: bytes at an offset, and vectors
//! behind a pointer.

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;

use rustix::io::Errno;

use super::error::StatsError;

/// Most that one read may touch. A busy VPP's directory is some megabytes; the
/// counters of 10 000 VIPs over 32 threads are ten.
pub(super) const BYTES: usize = 64 << 20;
/// Bytes read at once: no length in VPP's memory makes us allocate more.
const CHUNK: usize = 64 << 10;
/// A vector's header, right before its first element.
const VECTOR_HEADER: u64 = 8;

/// The memory during one read.
pub(super) struct View<'a> {
    memory: &'a File,
    /// Where the memory lies in VPP.
    base: u64,
    /// Bytes that this read may still touch.
    left: usize,
}

impl<'a> View<'a> {
    pub(super) fn new(memory: &'a File, base: u64) -> Self {
        Self { memory, base, left: BYTES }
    }

    /// Fills `into` with what stands at this offset.
    pub(super) fn bytes(&mut self, at: u64, into: &mut [u8]) -> Result<(), StatsError> {
        let length = into.len();
        self.left = self.left.checked_sub(length).ok_or(StatsError::TooLarge)?;
        let outside = StatsError::OutOfBounds { at, length };
        // The kernel takes larger offsets for negative ones.
        if i64::try_from(at).is_err() {
            return Err(outside);
        }
        self.memory.read_exact_at(into, at).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => outside,
            _ => StatsError::Read(Errno::from_io_error(&error).unwrap_or(Errno::IO)),
        })
    }

    /// Hands each element of the vector behind a pointer, `SIZE` bytes long, to
    /// `each`, until that has seen enough. VPP writes an empty vector as null.
    pub(super) fn vector<const SIZE: usize>(
        &mut self,
        pointer: u64,
        mut each: impl FnMut(&[u8; SIZE]) -> ReadOn,
    ) -> Result<(), StatsError> {
        if pointer == 0 {
            return Ok(());
        }
        let outside = StatsError::OutOfBounds { at: pointer, length: SIZE };
        let data = pointer.checked_sub(self.base).ok_or(outside.clone())?;
        let header = data.checked_sub(VECTOR_HEADER).ok_or(outside)?;
        let mut length = [0; 4];
        self.bytes(header, &mut length)?;
        let length = usize::try_from(u32::from_ne_bytes(length)).unwrap_or(usize::MAX);
        let whole = length.checked_mul(SIZE).filter(|bytes| *bytes <= self.left);
        let mut rest = whole.ok_or(StatsError::TooLarge)?;

        let mut chunk = vec![0; rest.min(CHUNK / SIZE * SIZE)];
        let mut at = data;
        while rest > 0 {
            let part = rest.min(chunk.len());
            let bytes = &mut chunk[..part];
            self.bytes(at, bytes)?;
            let (elements, _) = bytes.as_chunks();
            for element in elements {
                if let ReadOn::No = each(element) {
                    return Ok(());
                }
            }
            rest -= part;
            at += part as u64;
        }
        Ok(())
    }
}

/// Whether a vector is to be read further.
pub(super) enum ReadOn {
    Yes,
    No,
}
