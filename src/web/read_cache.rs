//! The actor that asks daemons for what a view shows: once for all who look at the same,
//! however many tabs they have open.

mod fetch;
mod kinds;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use actix::prelude::*;
use tokio::sync::oneshot;

use super::reply::WebError;
use crate::client::connection::DaemonClient;
use crate::pb;
use kinds::PacketRates;
pub(super) use kinds::{ReadAnswer, ReadKind, ReadValue};

/// How long an answer holds for those who come later.
const HOLDS: Duration = Duration::from_secs(2);
/// That of the doctor, who looks at all of VPP.
const DOCTOR_HOLDS: Duration = Duration::from_secs(10);
/// The least time between two counts that rates are made of.
const LEAST_SPAN: Duration = Duration::from_secs(1);
const SWEEP: Duration = Duration::from_secs(10);
/// Different reads that are held.
const MOST: usize = 1024;

#[derive(Default)]
pub(super) struct ReadCache {
    reads: BTreeMap<(String, ReadKind), HeldRead>,
    /// By daemon: the counts before the last ones, and the last.
    counts: BTreeMap<String, CountedPackets>,
}

/// Reads from a daemon, or takes what was read just now.
#[derive(Message)]
#[rtype(result = "ReadAnswer")]
pub(super) struct ReadShared {
    pub(super) daemon: String,
    pub(super) client: DaemonClient,
    pub(super) kind: ReadKind,
}

enum HeldRead {
    UnderWay(Vec<oneshot::Sender<ReadAnswer>>),
    Read { answer: ReadAnswer, at: Instant },
}

/// Packets of a daemon's VIPs at two moments.
#[derive(Default)]
struct CountedPackets {
    before: Option<(pb::VpplbCounters, Instant)>,
    last: Option<(pb::VpplbCounters, Instant)>,
}

impl CountedPackets {
    fn add(&mut self, counters: &pb::VpplbCounters, at: Instant) {
        let is_new = self.last.as_ref().is_none_or(|(_, last)| at >= *last + LEAST_SPAN);
        if is_new {
            self.before = self.last.replace((counters.clone(), at));
        }
    }

    /// `None`: there is one count so far, or VPP has counted anew.
    fn rates(&self, vip: &pb::VpplbvipCounters) -> Option<PacketRates> {
        let ((before, then), (last, now)) = (self.before.as_ref()?, self.last.as_ref()?);
        let same = |it: &&pb::VpplbvipCounters| {
            (&it.prefix, it.protocol, it.port) == (&vip.prefix, vip.protocol, vip.port)
        };
        let before = before.vips.iter().find(same)?;
        let last = last.vips.iter().find(same)?;
        let span = now.duration_since(*then).as_secs_f64();
        let rate = |of: fn(&pb::VpplbvipCounters) -> u64| {
            let packets = of(last).checked_sub(of(before))?;
            // Rounding above 2^53 packets does no harm.
            #[expect(clippy::cast_precision_loss, reason = "rates are for people")]
            let packets = packets as f64;
            Some(packets / span)
        };
        Some(PacketRates {
            next: rate(|it| it.next)?,
            first: rate(|it| it.first)?,
            untracked: rate(|it| it.untracked)?,
            no_server: rate(|it| it.no_server)?,
        })
    }
}

impl ReadCache {
    fn is_held(kind: &ReadKind, at: Instant, now: Instant) -> bool {
        let holds = if *kind == ReadKind::Doctor { DOCTOR_HOLDS } else { HOLDS };
        now < at + holds
    }

    fn sweep(&mut self) {
        let now = Instant::now();
        self.reads.retain(|(_, kind), read| match read {
            HeldRead::UnderWay(_) => true,
            HeldRead::Read { at, .. } => Self::is_held(kind, *at, now),
        });
    }

    /// Takes what was fetched, and makes the answer of it.
    fn fetched(&mut self, daemon: String, kind: ReadKind, fetched: fetch::Fetched) {
        let now = Instant::now();
        if let Some(counters) = fetched.counters() {
            self.counts.entry(daemon.clone()).or_default().add(counters, now);
        }
        let counted = self.counts.get(&daemon);
        let rates = |vip: &pb::VpplbvipCounters| counted.and_then(|counted| counted.rates(vip));
        let answer = fetched.answer(&daemon, rates);
        let held = HeldRead::Read { answer: answer.clone(), at: now };
        if let Some(HeldRead::UnderWay(waiting)) = self.reads.insert((daemon, kind), held) {
            for waiting in waiting {
                // Who is gone needs no answer.
                let _ = waiting.send(answer.clone());
            }
        }
    }
}

impl Actor for ReadCache {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Context<Self>) {
        context.run_interval(SWEEP, |cache, _| cache.sweep());
    }
}

impl Handler<ReadShared> for ReadCache {
    type Result = ResponseFuture<ReadAnswer>;

    fn handle(&mut self, read: ReadShared, context: &mut Context<Self>) -> Self::Result {
        let ReadShared { daemon, client, kind } = read;
        let key = (daemon, kind);
        let now = Instant::now();
        if let Some(HeldRead::Read { answer, at }) = self.reads.get(&key)
            && Self::is_held(&key.1, *at, now)
        {
            return Box::pin(std::future::ready(answer.clone()));
        }
        let (waiting, answer) = oneshot::channel();
        if let Some(HeldRead::UnderWay(others)) = self.reads.get_mut(&key) {
            others.push(waiting);
        } else {
            if self.reads.len() >= MOST {
                self.sweep();
            }
            if self.reads.len() >= MOST {
                let busy = WebError::too_many("too many different things are looked at", 2);
                return Box::pin(std::future::ready(Err(busy)));
            }
            self.reads.insert(key.clone(), HeldRead::UnderWay(vec![waiting]));
            let (daemon, kind) = key;
            let fetching = fetch::fetch(client, kind.clone()).into_actor(self);
            context.spawn(fetching.map(move |fetched, cache, _| {
                cache.fetched(daemon, kind, fetched);
            }));
        }
        Box::pin(async move { answer.await.unwrap_or_else(|_| Err(WebError::stopping())) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_of_two_counts_and_none_where_vpp_has_counted_anew() {
        let vip = |next, first| pb::VpplbvipCounters {
            prefix: "192.0.2.80/32".into(),
            next,
            first,
            ..Default::default()
        };
        let counters = |next, first| pb::VpplbCounters { vips: vec![vip(next, first)] };
        let start = Instant::now();
        let second = Duration::from_secs(1);
        let mut counted = CountedPackets::default();
        counted.add(&counters(100, 10), start);
        assert_eq!(counted.rates(&vip(0, 0)), None);
        counted.add(&counters(150, 10), start + second / 2);
        assert_eq!(counted.rates(&vip(0, 0)), None, "too soon to count");
        counted.add(&counters(300, 14), start + 2 * second);
        let rates = counted.rates(&vip(0, 0)).unwrap();
        assert_eq!((rates.next, rates.first, rates.no_server), (100.0, 2.0, 0.0));
        counted.add(&counters(0, 0), start + 4 * second);
        assert_eq!(counted.rates(&vip(0, 0)), None);
    }
}
