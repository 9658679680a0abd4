//! The memory of answers that clients have not taken yet.
//!
//! There is a bound on it in all. Beyond it the oldest answers are dropped, and
//! their readers, which have not read them in all that time, are cut off: who asks
//! now is answered.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prost::bytes::Bytes;

/// Bytes of all answers together. With ten thousand backends a page of metrics has
/// some twenty million.
const BUDGET: usize = 64 << 20;

/// Clones share the answers.
#[derive(Clone, Default)]
pub(crate) struct AnswerPool(Arc<Mutex<HeldAnswers>>);

#[derive(Default)]
struct HeldAnswers {
    /// In the order in which they were made.
    held: BTreeMap<u64, HeldAnswer>,
    bytes: usize,
    next: u64,
}

struct HeldAnswer {
    bytes: Bytes,
    readers: usize,
}

/// One reader of an answer. A clone is another, and the answer goes with the last.
pub(crate) struct AnswerReader {
    pool: AnswerPool,
    number: u64,
    length: usize,
}

impl AnswerPool {
    /// Holds an answer for its readers, and drops the oldest beyond the budget. The
    /// new one is held however long it is.
    pub(crate) fn hold(&self, bytes: Bytes) -> AnswerReader {
        let length = bytes.len();
        let mut answers = self.lock();
        let number = answers.next;
        answers.next += 1;
        answers.bytes += length;
        answers.held.insert(number, HeldAnswer { bytes, readers: 1 });
        while answers.bytes > BUDGET && answers.held.len() > 1 {
            answers.drop_oldest();
        }
        drop(answers);
        AnswerReader { pool: self.clone(), number, length }
    }

    fn lock(&self) -> MutexGuard<'_, HeldAnswers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HeldAnswers {
    fn drop_oldest(&mut self) {
        if let Some((_, oldest)) = self.held.pop_first() {
            self.bytes -= oldest.bytes.len();
        }
    }
}

impl AnswerReader {
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// A copy of up to `most` bytes from `offset` on, so that what the connection
    /// holds keeps no answer; `None`: the answer was dropped.
    pub(crate) fn read(&self, offset: usize, most: usize) -> Option<Bytes> {
        let answers = self.pool.lock();
        let bytes = &answers.held.get(&self.number)?.bytes;
        let end = bytes.len().min(offset + most);
        Some(Bytes::copy_from_slice(&bytes[offset..end]))
    }
}

impl Clone for AnswerReader {
    fn clone(&self) -> Self {
        if let Some(answer) = self.pool.lock().held.get_mut(&self.number) {
            answer.readers += 1;
        }
        Self { pool: self.pool.clone(), ..*self }
    }
}

impl Drop for AnswerReader {
    fn drop(&mut self) {
        let mut answers = self.pool.lock();
        let Some(answer) = answers.held.get_mut(&self.number) else { return };
        answer.readers -= 1;
        if answer.readers == 0 {
            let length = answer.bytes.len();
            answers.held.remove(&self.number);
            answers.bytes -= length;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(pool: &AnswerPool) -> (usize, usize) {
        let answers = pool.lock();
        (answers.held.len(), answers.bytes)
    }

    #[test]
    fn an_answer_goes_with_its_last_reader() {
        let pool = AnswerPool::default();
        let first = pool.hold(Bytes::from_static(b"abcdef"));
        let second = first.clone();
        assert_eq!(first.read(4, 9).unwrap(), "ef");
        drop(first);
        assert_eq!((second.read(0, 3).unwrap(), second.len()), ("abc".into(), 6));
        assert_eq!(held(&pool), (1, 6));
        drop(second);
        assert_eq!(held(&pool), (0, 0));
    }

    #[test]
    fn what_nobody_reads_makes_room_for_who_asks_now() {
        let pool = AnswerPool::default();
        let answer = || Bytes::from(vec![7; BUDGET / 4]);
        let unread: Vec<_> = (0..300).map(|_| pool.hold(answer())).collect();
        assert_eq!(held(&pool), (4, BUDGET));
        assert!(unread[..296].iter().all(|reader| reader.read(0, 1).is_none()));
        assert!(unread[296..].iter().all(|reader| reader.read(0, 1).is_some()));
        let large = pool.hold(Bytes::from(vec![7; BUDGET + 1]));
        assert!(large.read(BUDGET, 1).is_some(), "the new one is held however long it is");
        assert_eq!(held(&pool).0, 1);
        drop((unread, large));
        assert_eq!(held(&pool), (0, 0));
    }
}
