//! The plainest reader of a stats segment: the whole of it is a slice.

/// Most bytes that one read may touch, repeated ones too.
const BYTES: usize = 64 << 20;

/// Why a segment cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Version(u64),
    Outside,
    Type(&'static str, u32),
    TooLarge,
    Busy,
}

pub(super) struct Reference<'a> {
    memory: &'a [u8],
}

impl<'a> Reference<'a> {
    pub(super) fn open(memory: &'a [u8]) -> Result<Self, Fault> {
        let version = long(memory.get(..40).ok_or(Fault::Outside)?);
        if version == 2 { Ok(Self { memory }) } else { Err(Fault::Version(version)) }
    }

    /// The number that stands under a name.
    pub(super) fn scalar(&self, name: &'static str) -> Result<Option<u64>, Fault> {
        let mut left = BYTES;
        match self.find([name], &mut left)? {
            [None] => Ok(None),
            [Some((1 | 9, value))] => Ok(Some(value)),
            [Some((kind, _))] => Err(Fault::Type(name, kind)),
        }
    }

    /// Of each counter its elements, summed over the threads.
    pub(super) fn counters(
        &self,
        names: [&'static str; 4],
    ) -> Result<[Option<Vec<u64>>; 4], Fault> {
        let mut left = BYTES;
        let mut kinds = [const { None }; 4];
        let found = self.find(names, &mut left)?;
        for (at, entry) in found.into_iter().enumerate() {
            let Some((kind, pointer)) = entry else { continue };
            if kind != 2 {
                return Err(Fault::Type(names[at], kind));
            }
            let threads = self.vector(pointer, 8, &mut left)?;
            if threads.is_empty() {
                continue;
            }
            let mut sums: Vec<u64> = Vec::new();
            for thread in threads.chunks(8) {
                let elements = self.vector(long(thread), 8, &mut left)?;
                sums.resize(sums.len().max(elements.len() / 8), 0);
                for (sum, element) in sums.iter_mut().zip(elements.chunks(8)) {
                    *sum = sum.wrapping_add(long(element));
                }
            }
            kinds[at] = Some(sums);
        }
        Ok(kinds)
    }

    /// Type and value of the first entry of each name.
    fn find<const N: usize>(
        &self,
        names: [&str; N],
        left: &mut usize,
    ) -> Result<[Option<(u32, u64)>; N], Fault> {
        if long(&self.memory[24..]) != 0 {
            return Err(Fault::Busy);
        }
        let directory = self.vector(long(&self.memory[32..]), 144, left)?;
        Ok(names.map(|wanted| {
            let mut padded = [0; 129];
            padded[..wanted.len()].copy_from_slice(wanted.as_bytes());
            // What stands behind the end of a name means nothing.
            let named = |entry: &&[u8]| entry[16..].starts_with(&padded[..=wanted.len()]);
            let entry = directory.chunks(144).find(named)?;
            Some((long(entry) as u32, long(&entry[8..])))
        }))
    }

    /// The elements behind a pointer; null is an empty vector.
    fn vector(&self, pointer: u64, size: usize, left: &mut usize) -> Result<&'a [u8], Fault> {
        if pointer == 0 {
            return Ok(&[]);
        }
        let data = pointer.checked_sub(long(&self.memory[8..])).ok_or(Fault::Outside)?;
        let header = data.checked_sub(8).ok_or(Fault::Outside)?;
        *left = left.checked_sub(4).ok_or(Fault::TooLarge)?;
        let from = |at: u64| usize::try_from(at).ok().and_then(|at| self.memory.get(at..));
        let length = from(header).and_then(|rest| rest.get(..4)).ok_or(Fault::Outside)?;
        let length = u32::from_ne_bytes([length[0], length[1], length[2], length[3]]);
        let bytes = length as usize * size;
        if bytes > *left {
            return Err(Fault::TooLarge);
        }
        if bytes == 0 {
            return Ok(&[]);
        }
        let elements = from(data).and_then(|rest| rest.get(..bytes)).ok_or(Fault::Outside)?;
        *left -= bytes;
        Ok(elements)
    }
}

fn long(bytes: &[u8]) -> u64 {
    bytes.iter().take(8).rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}
