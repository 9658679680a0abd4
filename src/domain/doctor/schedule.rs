//! When the VIPs' entries are looked up again, and what is known of them meanwhile.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ipnet::IpNet;

use super::facts::FibQuery;
use crate::domain::dataplane::connection::Epoch;
use crate::domain::dataplane::fib::FibEntry;

/// The shortest time between two checks of the same VIPs.
const INTERVAL: Duration = Duration::from_secs(60);

/// The entries of VIPs, as they were looked up last.
#[derive(Debug, Default)]
pub struct RouteChecks {
    known: Option<KnownRoutes>,
}

#[derive(Debug)]
struct KnownRoutes {
    epoch: Epoch,
    at: Instant,
    entries: BTreeMap<IpNet, FibEntry>,
}

impl RouteChecks {
    /// Whether the VIPs are to be looked up after a pass over this connection: the last
    /// check was over another connection, of other VIPs, or a minute ago.
    #[must_use]
    pub fn is_due(&self, epoch: Epoch, query: &FibQuery, now: Instant) -> bool {
        let Some(known) = &self.known else { return true };
        known.epoch != epoch
            || now.saturating_duration_since(known.at) >= INTERVAL
            || !known.entries.keys().eq(&query.prefixes)
    }

    /// Takes what was looked up; returns the VIPs that do not reach `lb` and did, or
    /// were not known, before.
    pub fn record(
        &mut self,
        epoch: Epoch,
        entries: BTreeMap<IpNet, FibEntry>,
        at: Instant,
    ) -> Vec<IpNet> {
        let before = self.known.as_ref().map(|known| &known.entries);
        let was_lost = |prefix| before.and_then(|known| known.get(prefix)).is_some_and(is_lost);
        let lost = entries.iter().filter(|(prefix, entry)| is_lost(entry) && !was_lost(prefix));
        let lost = lost.map(|(prefix, _)| *prefix).collect();
        self.known = Some(KnownRoutes { epoch, at, entries });
        lost
    }

    /// The entry of a prefix; `None`: it was not looked up.
    #[must_use]
    pub fn entry(&self, prefix: IpNet) -> Option<&FibEntry> {
        self.known.as_ref()?.entries.get(&prefix)
    }

    /// How many of the prefixes do not reach `lb`.
    #[must_use]
    pub fn unreached(&self) -> usize {
        let entries = self.known.iter().flat_map(|known| known.entries.values());
        entries.filter(|entry| is_lost(entry)).count()
    }
}

/// Whether another source goes before `lb`. A VIP that is not in VPP is not lost to one.
fn is_lost(entry: &FibEntry) -> bool {
    *entry != FibEntry::Absent && !entry.leads_to_lb()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(text: &str) -> IpNet {
        text.parse().unwrap()
    }

    fn of(source: &str) -> FibEntry {
        FibEntry::Present { source: source.into(), interface: None }
    }

    #[test]
    fn a_check_is_due_once_a_minute_and_for_what_is_new() {
        let (start, web) = (Instant::now(), net("192.0.2.1/32"));
        let mut checks = RouteChecks::default();
        let due = |checks: &RouteChecks, epoch, prefixes: &[IpNet], after| {
            let prefixes = prefixes.iter().copied().collect();
            let query = FibQuery { prefixes, ..FibQuery::default() };
            checks.is_due(Epoch(epoch), &query, start + Duration::from_secs(after))
        };
        assert!(due(&checks, 1, &[], 0));
        checks.record(Epoch(1), [(web, of("lb"))].into(), start);
        assert!(!due(&checks, 1, &[web], 59));
        assert!(due(&checks, 1, &[web], 60));
        assert!(due(&checks, 2, &[web], 1));
        assert!(due(&checks, 1, &[web, net("192.0.2.2/32")], 1));
    }

    #[test]
    fn a_vip_that_is_lost_is_reported_once() {
        let (now, web) = (Instant::now(), net("192.0.2.1/32"));
        let mut checks = RouteChecks::default();
        let mut record = |entry: FibEntry| checks.record(Epoch(1), [(web, entry)].into(), now);
        assert_eq!(record(of("interface")), [web]);
        assert_eq!(record(of("interface")), []);
        assert_eq!(record(of("lb")), []);
        assert_eq!(record(of("CLI")), [web]);
        assert_eq!(record(of("CLI")), []);
        assert_eq!(record(FibEntry::Absent), []);
        assert_eq!((checks.entry(web), checks.unreached()), (Some(&FibEntry::Absent), 0));
        checks.record(Epoch(1), [(web, of("SR"))].into(), now);
        assert_eq!(checks.unreached(), 1);
    }
}
