//! The last frames that tabs were sent, so that one that was cut off goes on where it
//! was. A tab takes them at its own pace: one that takes none costs nothing, and one
//! that is too far behind is told to read the state anew.

use std::collections::VecDeque;

use super::event_id::EventId;

/// How much is held.
#[derive(Clone, Copy, Debug)]
pub struct FrameLimits {
    pub frames: usize,
    /// Of all frames together.
    pub bytes: usize,
}

/// Frames by their numbers. `F` is cheap to clone: all tabs share its bytes.
#[derive(Debug)]
pub struct FrameRing<F> {
    limits: FrameLimits,
    frames: VecDeque<F>,
    bytes: usize,
    last: EventId,
}

/// What follows a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FrameReplay<F> {
    /// Nothing yet.
    UpToDate,
    /// These, up to the id.
    Frames(Vec<F>, EventId),
    /// What followed is no longer held, or was of another life of the server.
    Gone,
}

impl<F: AsRef<[u8]> + Clone> FrameRing<F> {
    #[must_use]
    pub fn new(epoch: u64, limits: FrameLimits) -> Self {
        let last = EventId { epoch, seq: 0 };
        Self { limits, frames: VecDeque::new(), bytes: 0, last }
    }

    /// The id of the last frame.
    #[must_use]
    pub fn last(&self) -> EventId {
        self.last
    }

    /// Bytes that are held.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds the frame that is made for the next id.
    pub fn push(&mut self, make: impl FnOnce(EventId) -> F) {
        self.last.seq += 1;
        let frame = make(self.last);
        self.bytes += frame.as_ref().len();
        self.frames.push_back(frame);
        while self.frames.len() > self.limits.frames || self.bytes > self.limits.bytes {
            let Some(oldest) = self.frames.pop_front() else { break };
            self.bytes -= oldest.as_ref().len();
        }
    }

    /// What follows `after`, about `most` bytes of it and one frame at least.
    #[must_use]
    pub fn after(&self, after: EventId, most: usize) -> FrameReplay<F> {
        if after.epoch != self.last.epoch || after.seq > self.last.seq {
            return FrameReplay::Gone;
        }
        // Of the first frame that is held.
        let first = self.last.seq - self.frames.len() as u64 + 1;
        let Some(skipped) = (after.seq + 1).checked_sub(first) else { return FrameReplay::Gone };
        let skipped = usize::try_from(skipped).unwrap_or(usize::MAX);
        let mut bytes = 0;
        let mut id = after;
        let mut frames = Vec::new();
        for frame in self.frames.iter().skip(skipped) {
            let length = frame.as_ref().len();
            if !frames.is_empty() && bytes + length > most {
                break;
            }
            bytes += length;
            id.seq += 1;
            frames.push(frame.clone());
        }
        if frames.is_empty() { FrameReplay::UpToDate } else { FrameReplay::Frames(frames, id) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(frames: usize, bytes: usize) -> FrameRing<String> {
        FrameRing::new(7, FrameLimits { frames, bytes })
    }

    fn id(seq: u64) -> EventId {
        EventId { epoch: 7, seq }
    }

    fn frames(ring: &FrameRing<String>, after: u64) -> Option<(String, u64)> {
        match ring.after(id(after), usize::MAX) {
            FrameReplay::Frames(frames, id) => Some((frames.join(" "), id.seq)),
            FrameReplay::UpToDate => Some((String::new(), after)),
            FrameReplay::Gone => None,
        }
    }

    #[test]
    fn a_tab_goes_on_behind_the_frame_that_it_has() {
        let mut ring = ring(3, 100);
        assert_eq!(frames(&ring, 0), Some((String::new(), 0)));
        for _ in 0..5 {
            ring.push(|id| id.seq.to_string());
        }
        assert_eq!(frames(&ring, 2), Some(("3 4 5".into(), 5)));
        assert_eq!(frames(&ring, 4), Some(("5".into(), 5)));
        assert_eq!(frames(&ring, 5), Some((String::new(), 5)));
        assert_eq!(frames(&ring, 1), None, "frame 2 is gone");
    }

    #[test]
    fn what_never_was_is_gone() {
        let mut ring = ring(3, 100);
        ring.push(|id| id.seq.to_string());
        assert_eq!(ring.after(EventId { epoch: 8, seq: 1 }, 100), FrameReplay::Gone);
        assert_eq!(frames(&ring, 2), None, "a number of the future is of another life");
    }

    #[test]
    fn bytes_are_bounded_and_a_frame_that_is_too_large_is_not_held() {
        let mut ring = ring(100, 10);
        for length in [4, 4, 4] {
            ring.push(|_| "x".repeat(length));
        }
        assert_eq!((ring.bytes(), frames(&ring, 0)), (8, None));
        assert_eq!(frames(&ring, 1), Some(("xxxx xxxx".into(), 3)));
        ring.push(|_| "x".repeat(11));
        assert_eq!((ring.bytes(), frames(&ring, 3)), (0, None));
        assert_eq!(frames(&ring, 4), Some((String::new(), 4)));
    }

    #[test]
    fn a_tab_takes_a_part_at_a_time() {
        let mut ring = ring(100, 100);
        for _ in 0..4 {
            ring.push(|_| "xxxx".into());
        }
        let taken = |after, most| match ring.after(id(after), most) {
            FrameReplay::Frames(frames, id) => (frames.len(), id.seq),
            other => panic!("{other:?}"),
        };
        assert_eq!(taken(0, 9), (2, 2));
        assert_eq!(taken(2, 1), (1, 3), "one at least");
        assert_eq!(taken(0, 100), (4, 4));
    }
}
