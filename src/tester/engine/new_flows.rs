//! New flows: a connection each, at a steady pace.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use super::asks::Asks;
use super::conversation::{Conversation, FlowAnswer};
use super::observer::Observer;
use super::open::open;
use crate::domain::tester::fact::{EndedFlow, FlowFailure, TestFact};

/// Flows of one VIP that may be under way at once.
const MAX_UNDER_WAY: usize = 4096;

/// The new flows of one VIP.
pub(super) struct NewFlows {
    pub(super) asks: Arc<Asks>,
    pub(super) lines: u32,
    pub(super) line_interval: Duration,
    pub(super) timeout: Duration,
}

impl NewFlows {
    /// Begins one at each interval, until it is stopped; ends with the last of them.
    pub(super) async fn run(
        self,
        every: Duration,
        observer: Observer,
        mut stopped: watch::Receiver<bool>,
    ) {
        let flows = Arc::new(self);
        let mut pace = interval(every);
        // A machine that slept must not open at once what it missed.
        pace.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut under_way = JoinSet::new();
        let mut next = Instant::now();
        loop {
            tokio::select! {
                _ = stopped.changed() => break,
                due = pace.tick() => {
                    let mut skipped = missed(due.saturating_duration_since(next), every);
                    next = due + every;
                    if under_way.len() >= MAX_UNDER_WAY {
                        skipped += 1;
                    } else {
                        let (flows, observer) = (Arc::clone(&flows), observer.clone());
                        under_way.spawn(async move {
                            let ended = flows.flow(&observer).await;
                            observer.report(TestFact::Ended(ended)).await;
                        });
                    }
                    if skipped > 0 {
                        observer.report(TestFact::Skipped { count: skipped }).await;
                    }
                }
                Some(_) = under_way.join_next() => {}
            }
        }
        while under_way.join_next().await.is_some() {}
    }

    async fn flow(&self, observer: &Observer) -> EndedFlow {
        let (began, start) = (observer.now(), Instant::now());
        let mut ended =
            EndedFlow { began, latency: None, server: None, moves: Vec::new(), failure: None };
        ended.failure = self.converse(start, &mut ended).await.err();
        ended
    }

    async fn converse(&self, start: Instant, ended: &mut EndedFlow) -> Result<(), FlowFailure> {
        let Self { asks, timeout: within, .. } = self;
        let mut conversation = Conversation::new(open(asks, *within, None).await?);
        if !asks.new_flows_ask {
            ended.latency = Some(start.elapsed());
            conversation.close().await;
            return Ok(());
        }
        let mut last: Option<String> = None;
        for line in 1..=self.lines {
            if line > 1 {
                sleep(self.line_interval).await;
            }
            let request = asks.prepared(line < self.lines);
            let answer = ask(&mut conversation, asks, request, *within).await?;
            let FlowAnswer { server, closes, refusal } = answer;
            if line == 1 {
                ended.server.clone_from(&server);
                ended.latency = refusal.is_none().then(|| start.elapsed());
            } else if let (Some(before), Some(now)) = (&last, &server)
                && before != now
            {
                ended.moves.push(now.clone());
            }
            last = server.or(last);
            if let Some(refusal) = refusal {
                return Err(refusal);
            }
            if closes {
                break;
            }
        }
        conversation.close().await;
        Ok(())
    }
}

/// The ticks that were left out, where one comes so much later than it was due.
fn missed(late: Duration, every: Duration) -> u64 {
    // A tick that comes late by less than half is the one that was due.
    let ticks = (late + every / 2).as_nanos() / every.as_nanos().max(1);
    u64::try_from(ticks).unwrap_or(u64::MAX)
}

/// Asks, within a time.
pub(super) async fn ask(
    conversation: &mut Conversation,
    asks: &Asks,
    request: &[u8],
    within: Duration,
) -> Result<FlowAnswer, FlowFailure> {
    let answer = timeout(within, conversation.ask(asks, request)).await;
    answer.unwrap_or_else(|_| Err(conversation.late(within)))
}

/// One flow that is not counted.
pub(super) async fn attempt(asks: &Asks, within: Duration) -> Result<(), FlowFailure> {
    let mut conversation = Conversation::new(open(asks, within, None).await?);
    if asks.new_flows_ask {
        let answer = ask(&mut conversation, asks, asks.prepared(false), within).await?;
        if let Some(refusal) = answer.refusal {
            return Err(refusal);
        }
    }
    conversation.close().await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_that_were_left_out_are_counted() {
        let ms = Duration::from_millis;
        for (late, expected) in [(0, 0), (4, 0), (10, 1), (14, 1), (30, 3)] {
            assert_eq!(missed(ms(late), ms(10)), expected, "{late}");
        }
    }
}
