//! How many flows are in use, by the packets that they send.

use super::FlowSample;
use super::trend::{FlowPoint, float};

/// Fewer packets say nothing of how many a flow sends.
const PACKETS_FOR_RATE: u64 = 50;

/// The numbers between two samples each; `None`: packets are not known, or too few.
pub(super) fn in_use(samples: &[FlowSample]) -> Option<Vec<FlowPoint>> {
    let known = samples.iter().rposition(|it| it.packets.is_none()).map_or(0, |place| place + 1);
    let intervals: Vec<_> = samples[known..].windows(2).filter_map(Interval::of).collect();
    let of_a_flow = packets_of_a_flow(&intervals)?;
    let point = |it: &Interval| {
        let flows = (it.packets / it.seconds / of_a_flow).min(it.counted);
        FlowPoint { at: it.middle, flows }
    };
    (intervals.len() > 1).then(|| intervals.iter().map(point).collect())
}

/// From one sample to the next.
struct Interval {
    middle: f64,
    seconds: f64,
    /// Flows by VPP's count, on average.
    counted: f64,
    packets: f64,
}

impl Interval {
    fn of(samples: &[FlowSample]) -> Option<Self> {
        let [from, to] = samples else { return None };
        let (begin, end) = (from.at.as_secs_f64(), to.at.as_secs_f64());
        let packets = to.packets?.saturating_sub(from.packets?);
        let counted = (float(from.flows) + float(to.flows)) / 2.0;
        let interval = Self {
            middle: (begin + end) / 2.0,
            seconds: end - begin,
            counted,
            packets: float(packets),
        };
        (interval.seconds > 0.0).then_some(interval)
    }
}

/// How many packets a flow in use sends in a second, at least: the most that were sent, from
/// the begin on, for each flow that VPP counts. It counts no fewer than are in use.
fn packets_of_a_flow(intervals: &[Interval]) -> Option<f64> {
    let (mut packets, mut flow_seconds) = (0.0, 0.0);
    let rates = intervals.iter().filter_map(|it| {
        packets += it.packets;
        flow_seconds += it.counted * it.seconds;
        let is_known = packets >= float(PACKETS_FOR_RATE) && flow_seconds > 0.0;
        is_known.then(|| packets / flow_seconds)
    });
    rates.reduce(f64::max)
}
