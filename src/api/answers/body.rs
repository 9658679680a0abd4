//! The body of an answer: a few bytes that are at hand, or a reader of a longer
//! answer, part by part as the client takes it.

use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::HeaderMap;
use hyper::body::{Body, Frame, SizeHint};
use prost::bytes::Bytes;
use thiserror::Error;

use super::pool::{AnswerPool, AnswerReader};
use super::timer::AnswerTimer;
use crate::api::transport::activity::RequestUnderWay;

/// An answer up to this length stands in no pool.
const SMALL: usize = 4 << 10;
/// What a connection is handed at a time.
const PART: usize = 16 << 10;

/// The bytes of an answer.
#[derive(Clone)]
pub(crate) enum Answer {
    Small(Bytes),
    Held(AnswerReader),
}

impl Answer {
    pub(crate) fn new(bytes: Bytes, pool: &AnswerPool) -> Self {
        if bytes.len() <= SMALL { Self::Small(bytes) } else { Self::Held(pool.hold(bytes)) }
    }

    fn len(&self) -> usize {
        match self {
            Self::Small(bytes) => bytes.len(),
            Self::Held(reader) => reader.len(),
        }
    }
}

/// An answer that was not taken while many others were asked for.
#[derive(Debug, Error)]
#[error("the answer was dropped: it was not read while newer ones were asked for")]
pub(crate) struct AnswerDropped;

/// A response's body. The request is under way until it is dropped.
pub(crate) struct AnswerBody {
    answer: Answer,
    sent: usize,
    trailers: Option<HeaderMap>,
    timer: AnswerTimer,
    _under_way: RequestUnderWay,
}

impl AnswerBody {
    pub(crate) fn new(
        answer: Answer,
        trailers: Option<HeaderMap>,
        under_way: RequestUnderWay,
    ) -> Self {
        let timer = AnswerTimer::start(under_way.connection());
        Self { answer, sent: 0, trailers, timer, _under_way: under_way }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = AnswerDropped;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, AnswerDropped>>> {
        self.timer.progressed();
        if self.sent < self.answer.len() {
            let part = match &self.answer {
                Answer::Small(bytes) => Some(bytes.clone()),
                Answer::Held(reader) => reader.read(self.sent, PART),
            };
            let Some(part) = part else { return Poll::Ready(Some(Err(AnswerDropped))) };
            self.sent += part.len();
            return Poll::Ready(Some(Ok(Frame::data(part))));
        }
        Poll::Ready(self.trailers.take().map(|trailers| Ok(Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        self.sent >= self.answer.len() && self.trailers.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact((self.answer.len() - self.sent) as u64)
    }
}

/// A body with what is held for as long as it is.
pub(crate) struct HeldBody<B, H> {
    body: B,
    _held: H,
}

impl<B, H> HeldBody<B, H> {
    pub(crate) fn new(body: B, held: H) -> Self {
        Self { body, _held: held }
    }
}

impl<B: Body + Unpin, H: Unpin> Body for HeldBody<B, H> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::api::transport::activity::{ConnectionActivity, Standing};

    async fn next(body: &mut AnswerBody) -> Option<Result<Frame<Bytes>, AnswerDropped>> {
        std::future::poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await
    }

    #[tokio::test]
    async fn a_long_answer_is_handed_out_part_by_part_and_its_trailers_last() {
        let connection = Arc::new(ConnectionActivity::new());
        let pool = AnswerPool::default();
        let bytes: Vec<_> = (0..2 * PART + 7).map(|index| index.to_le_bytes()[0]).collect();
        let answer = Answer::new(bytes.clone().into(), &pool);
        let trailers = HeaderMap::from_iter([(hyper::header::AGE, "1".parse().unwrap())]);
        let mut body = AnswerBody::new(answer, Some(trailers), connection.begin());
        connection.received();
        let mut read = Vec::new();
        for length in [PART, PART, 7] {
            assert_eq!(body.size_hint().exact(), Some((bytes.len() - read.len()) as u64));
            let part = next(&mut body).await.unwrap().unwrap().into_data().unwrap();
            assert_eq!(part.len(), length);
            read.extend_from_slice(&part);
        }
        assert_eq!(read, bytes);
        assert!(!body.is_end_stream());
        assert!(next(&mut body).await.unwrap().unwrap().is_trailers());
        assert!(body.is_end_stream() && next(&mut body).await.is_none());
        assert_eq!(connection.standing(), Standing::Busy);
        drop(body);
        assert!(matches!(connection.standing(), Standing::Idle(_)));
    }

    #[tokio::test]
    async fn a_reader_of_a_dropped_answer_is_cut_off() {
        let connection = Arc::new(ConnectionActivity::new());
        let pool = AnswerPool::default();
        let bytes = || Bytes::from(vec![0; 40 << 20]);
        let answer = Answer::new(bytes(), &pool);
        let mut body = AnswerBody::new(answer, None, connection.begin());
        next(&mut body).await.unwrap().unwrap();
        let _newer = Answer::new(bytes(), &pool);
        next(&mut body).await.unwrap().unwrap_err();
    }
}
