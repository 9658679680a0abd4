//! Which calls may go out, and which are out: two lanes, a window over the
//! number of calls in flight, and a budget over the bytes of their replies.

use std::collections::VecDeque;
use std::time::Duration;

use crate::vpp::wire::{ControlPingReply, Message};

use super::call::{Call, CallAnswer, CallFailure, Expect, SMALL_REPLY};

/// Most bytes of rows that one call collects.
const MAX_ANSWER: usize = 64 << 20;

/// After an urgent call, for this long no more than one other is out, or as many
/// as have small replies and few of them: VPP works them off in order, so that
/// the next urgent one waits behind each for as long as its answer takes.
const AFTER_URGENT: Duration = Duration::from_secs(1);
const BESIDE_URGENT: usize = 2 * SMALL_REPLY;

/// A call that went out.
#[derive(Debug)]
pub(super) struct InFlight<T> {
    pub(super) name: &'static str,
    /// Contexts of its requests: this one and as many after it.
    first: u32,
    requests: u32,
    expect: Expect,
    rows: Vec<Vec<u8>>,
    row_bytes: usize,
    cost: usize,
    urgent: bool,
    pub(super) sent_at: Duration,
    deadline: Duration,
    /// Where its last byte stands in all that this session ever sent.
    pub(super) ends_at: u64,
    pub(super) token: T,
}

impl<T> InFlight<T> {
    /// A call whose first context is `first` and that went out at `now`.
    pub(super) fn new(call: Call<T>, first: u32, now: Duration, ends_at: u64) -> Self {
        Self {
            name: call.name,
            first,
            requests: u32::try_from(call.requests.len()).unwrap_or(u32::MAX),
            expect: call.expect,
            rows: Vec::new(),
            row_bytes: 0,
            cost: call.cost,
            urgent: call.urgent,
            sent_at: now,
            deadline: now + call.patience,
            ends_at,
            token: call.token,
        }
    }

    /// Which of its messages this context belongs to; the fence is the last.
    pub(super) fn index_of(&self, context: u32) -> Option<u32> {
        let index = context.wrapping_sub(self.first);
        let fence = u32::from(matches!(self.expect, Expect::Rows { .. }));
        (index < self.requests + fence).then_some(index)
    }

    /// Takes a message that has one of its contexts. The outcome, if that ends
    /// the call; an error if the call expects no such message.
    pub(super) fn take(
        &mut self,
        index: u32,
        id: u16,
        body: &[u8],
    ) -> Result<Option<Result<CallAnswer, CallFailure>>, Unexpected> {
        let fence = index == self.requests;
        match self.expect {
            Expect::One(reply) if id == reply => Ok(Some(Ok(CallAnswer::One(body.to_vec())))),
            Expect::Rows { ping_reply, .. } if fence && id == ping_reply => {
                tracing::debug!(api_message = ControlPingReply::NAME, "vpp-api-recv");
                Ok(Some(Ok(CallAnswer::Rows(std::mem::take(&mut self.rows)))))
            }
            Expect::Rows { details, .. } if !fence && id == details => {
                self.row_bytes += body.len();
                self.rows.push(body.to_vec());
                Ok((self.row_bytes > MAX_ANSWER).then_some(Err(CallFailure::TooLong)))
            }
            Expect::One(_) | Expect::Rows { .. } => Err(Unexpected),
        }
    }
}

/// A message of a kind that its call does not expect.
pub(super) struct Unexpected;

/// Calls that wait to be sent and calls that wait for their answer.
#[derive(Debug)]
pub(super) struct Window<T> {
    limit: usize,
    budget: usize,
    urgent: VecDeque<Call<T>>,
    queue: VecDeque<Call<T>>,
    waiting: VecDeque<InFlight<T>>,
    /// Until when urgent calls are expected.
    urgent_until: Duration,
}

impl<T> Window<T> {
    /// At most `limit` calls out, twice as many with urgent ones, whose replies
    /// take `budget` bytes.
    pub(super) fn new(limit: usize, budget: usize) -> Self {
        Self {
            limit,
            budget,
            urgent: VecDeque::new(),
            queue: VecDeque::new(),
            waiting: VecDeque::new(),
            urgent_until: Duration::ZERO,
        }
    }

    pub(super) fn queue(&mut self, call: Call<T>) {
        if call.urgent {
            self.urgent.push_back(call);
        } else {
            self.queue.push_back(call);
        }
    }

    /// The next call to send, if there is room for it: urgent ones first, each
    /// lane in order.
    pub(super) fn next(&mut self, now: Duration) -> Option<Call<T>> {
        let cost: usize = self.waiting.iter().map(|waiting| waiting.cost).sum();
        let idle = self.waiting.is_empty();
        let fits = |call: &Call<T>, budget: usize| {
            idle || cost.checked_add(call.cost).is_some_and(|sum| sum <= budget)
        };
        if let Some(call) = self.urgent.front() {
            // Urgent calls may double the window, so that they need not wait
            // for an answer to what was sent before them.
            let room = self.waiting.len() < 2 * self.limit && fits(call, self.budget);
            if !room {
                return None;
            }
            self.urgent_until = now + AFTER_URGENT;
            return self.urgent.pop_front();
        }
        // An eighth of the budget is kept for urgent calls.
        let call = self.queue.front()?;
        let bulk = || self.waiting.iter().filter(|waiting| !waiting.urgent);
        let count = bulk().count();
        let ahead: usize = bulk().map(|waiting| waiting.cost).sum();
        let yields = now < self.urgent_until;
        let room = count < self.limit
            && (!yields || count == 0 || ahead.saturating_add(call.cost) <= BESIDE_URGENT)
            && self.waiting.len() < 2 * self.limit
            && fits(call, self.budget - self.budget / 8);
        if room { self.queue.pop_front() } else { None }
    }

    pub(super) fn sent(&mut self, waiting: InFlight<T>) {
        self.waiting.push_back(waiting);
    }

    /// The call that a context belongs to, and which of its messages.
    pub(super) fn find(&mut self, context: u32) -> Option<(u32, &mut InFlight<T>)> {
        self.waiting.iter_mut().find_map(|waiting| Some((waiting.index_of(context)?, waiting)))
    }

    pub(super) fn remove(&mut self, context: u32) -> Option<InFlight<T>> {
        let at = self.waiting.iter().position(|waiting| waiting.index_of(context).is_some())?;
        self.waiting.remove(at)
    }

    /// When the first call in flight is overdue.
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.waiting.iter().map(|waiting| waiting.deadline).min()
    }

    /// Takes the calls out that are overdue.
    pub(super) fn overdue(&mut self, now: Duration) -> Vec<InFlight<T>> {
        let (overdue, waiting) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|waiting: &InFlight<T>| now >= waiting.deadline);
        self.waiting = waiting;
        overdue.into()
    }

    /// Takes every call out that was not sent, urgent ones first.
    pub(super) fn drain_queued(&mut self) -> Vec<Call<T>> {
        let queue = std::mem::take(&mut self.queue);
        std::mem::take(&mut self.urgent).into_iter().chain(queue).collect()
    }

    /// Takes every call out that was sent.
    pub(super) fn drain_sent(&mut self) -> Vec<InFlight<T>> {
        std::mem::take(&mut self.waiting).into()
    }
}
