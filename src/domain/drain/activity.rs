//! Whether a server is still sent packets. VPP forgets a flow that had none for its flow
//! timeout, and goes on counting it: so what it counts of a server that it has sent no
//! packet for as long are flows that have ended.

use std::time::{Duration, Instant};

use super::flows::SentPackets;

/// VPP counts time in whole seconds, and each of its threads by a clock of its own.
const MARGIN: Duration = Duration::from_secs(2);

/// What one reading of VPP says of a server, besides its flows.
#[derive(Clone, Copy, Debug)]
pub struct PacketReading<'a> {
    /// `None`: not known.
    pub packets: Option<&'a SentPackets>,
    /// After how long without a packet VPP forgets a flow.
    pub flow_timeout: Duration,
    pub begun: Instant,
    pub ended: Instant,
}

/// The packets to a server since its drain began.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PacketActivity {
    /// The last ones, and when a reading ended that had the same.
    last: Option<(SentPackets, Instant)>,
    total: u64,
    flow_timeout: Duration,
}

impl PacketActivity {
    /// The answer is how long the server had no packet before the reading began, if that
    /// is so long that VPP has forgotten all its flows.
    pub fn note(&mut self, reading: PacketReading<'_>) -> Option<Duration> {
        // A flow that had its last packet before the timeout was changed has the old one.
        self.flow_timeout = self.flow_timeout.max(reading.flow_timeout);
        let packets = reading.packets;
        let last = self.last.take().zip(packets);
        let (quiet_since, sent) = match last {
            Some(((before, since), now)) if before == *now => (since, 0),
            Some(((before, _), now)) => (reading.ended, sent(&before, now)),
            None => (reading.ended, 0),
        };
        self.total = self.total.saturating_add(sent);
        self.last = packets.map(|packets| (packets.clone(), quiet_since));
        let quiet = reading.begun.saturating_duration_since(quiet_since);
        (packets.is_some() && quiet >= self.enough()).then_some(quiet)
    }

    /// Packets since the first reading; `None`: the last reading says nothing of them.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        self.last.as_ref().map(|_| self.total)
    }

    /// How long there was no packet; `None`: not known.
    #[must_use]
    pub fn quiet(&self, now: Instant) -> Option<Duration> {
        self.last.as_ref().map(|(_, since)| now.saturating_duration_since(*since))
    }

    /// How long there must be no packet until every flow is forgotten.
    #[must_use]
    pub fn enough(&self) -> Duration {
        self.flow_timeout + MARGIN
    }
}

/// Where a counter is new, or was set back, nobody knows: then it counts from there on.
fn sent(before: &SentPackets, now: &SentPackets) -> u64 {
    let of = |(index, now): (&u32, &u64)| before.get(index).map_or(0, |it| now.saturating_sub(*it));
    now.iter().map(of).fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Counters by their index, if they are known.
    type Packets<'a> = Option<&'a [(u32, u64)]>;

    /// The answers to readings at these seconds, each of which takes half a second.
    fn answers(readings: &[(u32, Packets<'_>)], timeout: u32) -> Vec<Option<Duration>> {
        let (start, mut activity) = (Instant::now(), PacketActivity::default());
        let note = |(at, packets): &(u32, Packets<'_>)| {
            let packets = packets.map(|it| it.iter().copied().collect());
            let (begun, flow_timeout) = (start + SECOND * *at, SECOND * timeout);
            let ended = begun + SECOND / 2;
            activity.note(PacketReading { packets: packets.as_ref(), flow_timeout, begun, ended })
        };
        readings.iter().map(note).collect()
    }

    #[test]
    fn only_a_whole_timeout_without_a_packet_is_enough() {
        let some: &[(u32, u64)] = &[(12, 7)];
        let (more, twice): (&[_], &[_]) = (&[(12, 8)], &[(12, 7), (13, 0)]);
        // From the end of the first reading to the begin of the last: a margin more.
        let quiet = Some(SECOND * 25 / 2);
        for (readings, last) in [
            (vec![(0, Some(some)), (13, Some(some))], quiet),
            (vec![(0, Some(some)), (12, Some(some))], None),
            (vec![(0, Some(some)), (5, Some(some)), (13, Some(some))], quiet),
            (vec![(0, Some(some)), (5, Some(more)), (13, Some(more))], None),
            (vec![(0, Some(some)), (5, None), (13, Some(some))], None),
            (vec![(0, Some(some)), (5, Some(twice)), (13, Some(twice))], None),
            (vec![(0, Some(more)), (5, Some(some)), (13, Some(some))], None),
            (vec![(13, Some(some))], None),
            (vec![(0, None), (13, None)], None),
        ] {
            assert_eq!(answers(&readings, 10).last(), Some(&last), "{readings:?}");
        }
    }

    #[test]
    fn a_timeout_that_is_lowered_meanwhile_still_holds() {
        let start = Instant::now();
        let packets = SentPackets::from([(12, 7)]);
        let mut activity = PacketActivity::default();
        let mut at = |second: u32, timeout: u32| {
            let (begun, flow_timeout) = (start + SECOND * second, SECOND * timeout);
            let packets = Some(&packets);
            activity.note(PacketReading { packets, flow_timeout, begun, ended: begun })
        };
        assert_eq!((at(0, 40), at(10, 5), at(41, 5)), (None, None, None));
        assert_eq!(at(42, 5), Some(SECOND * 42));
    }

    #[test]
    fn packets_are_added_up_over_counters_that_come_and_go() {
        let (now, mut activity) = (Instant::now(), PacketActivity::default());
        let mut total = |packets: Packets<'_>| {
            let packets = packets.map(|it| it.iter().copied().collect());
            let (packets, flow_timeout) = (packets.as_ref(), SECOND);
            activity.note(PacketReading { packets, flow_timeout, begun: now, ended: now });
            activity.total()
        };
        assert_eq!(total(Some(&[(12, 100)])), Some(0));
        assert_eq!(total(Some(&[(12, 130)])), Some(30));
        assert_eq!(total(Some(&[(12, 131), (14, 9)])), Some(31));
        assert_eq!(total(Some(&[(12, 1), (14, 11)])), Some(33), "set back");
        assert_eq!(total(None), None);
        assert_eq!(total(Some(&[(12, 50)])), Some(33));
    }
}
