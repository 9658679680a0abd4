//! One connection that is kept open: it asks at each interval, and is opened anew
//! when it breaks.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use super::asks::Asks;
use super::conversation::{Conversation, FlowAnswer};
use super::observer::Observer;
use super::open::open;
use crate::domain::tester::fact::{FlowFailure, TestFact};
use crate::tester::targets::target::TargetKind;

/// Between two attempts to open one, at least: the places of thousands share a
/// server that is dead.
const RETRY: Duration = Duration::from_millis(500);

/// The place of one connection.
pub(super) struct Held {
    pub(super) asks: Arc<Asks>,
    pub(super) slot: usize,
    /// How many are held.
    pub(super) of: usize,
    pub(super) interval: Duration,
    /// An answer that takes longer is a stall.
    pub(super) late: Duration,
    /// An answer that takes longer is a break.
    pub(super) timeout: Duration,
}

impl Held {
    /// Holds it until the task is aborted.
    pub(super) async fn run(mut self, observer: Observer) {
        if self.asks.kind == TargetKind::Udp {
            // Nobody sends a lost datagram again.
            self.timeout = self.late;
        }
        // Spread, so that they neither open nor ask all at once.
        let place = u32::try_from(self.slot).unwrap_or(u32::MAX);
        let of = u32::try_from(self.of).unwrap_or(u32::MAX).max(1);
        sleep((self.interval / of).saturating_mul(place)).await;
        let slot = self.slot;
        loop {
            let opened = open(&self.asks, self.late, None).await;
            match opened {
                Err(failure) => {
                    observer.report(TestFact::NotOpened { failure }).await;
                    sleep(self.interval.max(RETRY)).await;
                }
                Ok(transport) => {
                    observer.report(TestFact::Opened { slot }).await;
                    let ended = self.converse(Conversation::new(transport), &observer).await;
                    observer.report(ended).await;
                    sleep(self.interval).await;
                }
            }
        }
    }

    /// Asks until the connection ends, and returns how.
    async fn converse(&self, mut conversation: Conversation, observer: &Observer) -> TestFact {
        let slot = self.slot;
        loop {
            let asked = Instant::now();
            match self.ask(&mut conversation, observer).await {
                Err(failure) | Ok(FlowAnswer { refusal: Some(failure), .. }) => {
                    return TestFact::Broke { slot, failure };
                }
                Ok(FlowAnswer { server, closes, .. }) => {
                    let took = asked.elapsed();
                    observer.report(TestFact::Answered { slot, took, server }).await;
                    if closes {
                        conversation.close().await;
                        return TestFact::Renewed { slot };
                    }
                }
            }
            sleep_until(asked + self.interval).await;
        }
    }

    async fn ask(
        &self,
        conversation: &mut Conversation,
        observer: &Observer,
    ) -> Result<FlowAnswer, FlowFailure> {
        let asked = Instant::now();
        let answer = {
            let mut answer = std::pin::pin!(conversation.ask(&self.asks, self.asks.prepared(true)));
            match timeout_at(asked + self.late, answer.as_mut()).await {
                Ok(answer) => Some(answer),
                Err(_) => {
                    observer.report(TestFact::Stalled { slot: self.slot }).await;
                    timeout_at(asked + self.timeout, answer).await.ok()
                }
            }
        };
        answer.unwrap_or_else(|| Err(conversation.late(self.timeout)))
    }
}
