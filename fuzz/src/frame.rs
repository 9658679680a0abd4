//! Frames: however a stream is cut and however often its frames are asked for,
//! they are those of the whole, and no header makes memory grow.

use vpp_maglev::vpp::wire::frame::{HEADER, MAX_BODY};
use vpp_maglev::vpp::wire::{FrameBuffer, FrameError};

use super::allocation::peak;
use super::input::Input;

/// The input: a limit, a mask that says after which pieces all frames are
/// taken, how many lengths of pieces follow, these, and the stream.
///
/// # Panics
/// If the frames, what is pending, the error or the memory are not right.
pub fn check(data: &[u8]) {
    let mut input = Input::new(data);
    let limit = [MAX_BODY, 300, 40, 2][input.below(4)];
    let eager = input.byte();
    let count = input.below(16);
    let lengths = input.bytes(count);
    let stream = input.rest();

    let expected = Expected::of(stream, limit);
    let single = [1];
    let whole = [];
    for lengths in [lengths, &single, &whole] {
        let ((), held) = peak(|| expected.compare(stream, limit, lengths, eager));
        // A vector that grows doubles.
        assert!(held <= 2 * stream.len() + 64, "{held} bytes for a stream of {}", stream.len());
    }
}

/// What a stream holds, found in the plainest way: all of it is there.
struct Expected<'a> {
    bodies: Vec<&'a [u8]>,
    /// What is behind the last whole frame.
    pending: usize,
    error: Option<FrameError>,
}

impl<'a> Expected<'a> {
    fn of(mut stream: &'a [u8], limit: usize) -> Self {
        let mut bodies = Vec::new();
        let mut error = None;
        while stream.len() >= HEADER {
            let length = stream[8..12].iter().fold(0, |sum, byte| sum * 256 + usize::from(*byte));
            if length > limit {
                error = Some(FrameError::TooLong { length, limit });
                break;
            }
            if stream.len() < HEADER + length {
                break;
            }
            bodies.push(&stream[HEADER..HEADER + length]);
            stream = &stream[HEADER + length..];
        }
        Self { bodies, pending: stream.len(), error }
    }

    /// Pushes the stream in pieces of these lengths, in turn.
    fn compare(&self, mut stream: &[u8], limit: usize, lengths: &[u8], eager: u8) {
        let mut buffer = FrameBuffer::new(limit);
        let mut bodies = self.bodies.iter();
        let mut turn = 0_usize;
        loop {
            let length = lengths.get(turn % lengths.len().max(1)).map_or(stream.len(), |length| {
                // Nothing may be pushed at all, but not for ever.
                let length = if *length == 0 { turn / lengths.len() } else { (*length).into() };
                length.min(stream.len())
            });
            let (piece, rest) = stream.split_at(length);
            stream = rest;
            buffer.push(piece);
            let all = stream.is_empty() || eager & 1 << (turn % 8) != 0;
            while let Ok(Some(body)) = buffer.next_body() {
                assert_eq!(Some(&body), bodies.next(), "a frame of the whole, in its order");
                if !all {
                    break;
                }
            }
            turn += 1;
            if stream.is_empty() {
                break;
            }
        }
        assert_eq!(bodies.next(), None, "no frame is lost");
        assert_eq!(buffer.pending(), self.pending);
        let last = self.error.map_or(Ok(None), Err);
        assert_eq!(buffer.next_body(), last);
        assert_eq!(buffer.next_body(), last, "and it stays so");
    }
}
