//! What a test allows, and what exceeded it.

use std::fmt;
use std::time::Duration;

use super::record::VipReport;
use super::shares::ShareVerdict;

/// The limits of the options; `None`: not limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TestLimits {
    pub broken: Option<u64>,
    pub moved: Option<u64>,
    pub failed: Option<u64>,
    /// Each VIP's own.
    pub gap: Option<Duration>,
    /// Whether wrong shares exceed a limit.
    pub shares: bool,
}

/// A limit that was exceeded, or a VIP that is of no use to anybody.
#[derive(Clone, Debug, PartialEq)]
pub enum Breach {
    Broken { count: u64, allowed: u64 },
    Moved { count: u64, allowed: u64 },
    Failed { count: u64, allowed: u64 },
    Gap { vip: String, longest: Duration, allowed: Duration },
    Shares { vip: String, says: String },
    FullSize { vip: String, says: String },
    NeverAnswered { vip: String },
}

impl TestLimits {
    /// What these reports, over the whole test, exceed.
    #[must_use]
    pub fn breaches(&self, reports: &[(&str, VipReport)]) -> Vec<Breach> {
        let sum = |count: fn(&VipReport) -> u64| reports.iter().map(|(_, vip)| count(vip)).sum();
        let over = |count: u64, allowed: Option<u64>| {
            allowed.filter(|allowed| count > *allowed).map(|allowed| (count, allowed))
        };
        let broken = over(sum(|vip| vip.counts.broken), self.broken);
        let moved = over(sum(|vip| vip.counts.moved), self.moved);
        let failed = over(sum(|vip| vip.counts.failed()), self.failed);
        let counted = [
            broken.map(|(count, allowed)| Breach::Broken { count, allowed }),
            moved.map(|(count, allowed)| Breach::Moved { count, allowed }),
            failed.map(|(count, allowed)| Breach::Failed { count, allowed }),
        ];
        let each = reports.iter().flat_map(|(name, vip)| self.breaches_of(name, vip));
        counted.into_iter().flatten().chain(each).collect()
    }

    fn breaches_of(&self, name: &str, report: &VipReport) -> Vec<Breach> {
        let vip = || name.to_owned();
        let mut breaches = Vec::new();
        if report.counts.ok == 0 && report.counts.held_answers == 0 {
            breaches.push(Breach::NeverAnswered { vip: vip() });
        }
        if let Some(allowed) = self.gap.filter(|allowed| report.longest_gap > *allowed) {
            breaches.push(Breach::Gap { vip: vip(), longest: report.longest_gap, allowed });
        }
        if self.shares && report.shares.verdict == ShareVerdict::Wrong {
            breaches.push(Breach::Shares { vip: vip(), says: report.shares.says.clone() });
        }
        if let Some(finding) = report.full_size.as_ref().filter(|found| found.passes == Some(false))
        {
            breaches.push(Breach::FullSize { vip: vip(), says: finding.says.clone() });
        }
        breaches
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken { count, allowed } => {
                write!(f, "{count} held connections broke; --max-broken allows {allowed}")
            }
            Self::Moved { count, allowed } => {
                write!(f, "{count} answers came from another server; --max-moved allows {allowed}")
            }
            Self::Failed { count, allowed } => {
                write!(f, "{count} new flows failed; --max-failed allows {allowed}")
            }
            Self::Gap { vip, longest, allowed } => write!(
                f,
                "{vip}: no success for {} ms; --max-gap allows {} ms",
                longest.as_millis(),
                allowed.as_millis()
            ),
            Self::Shares { vip, says } => write!(f, "{vip}: shares are wrong: {says}"),
            Self::FullSize { vip, says } => write!(f, "{vip}: {says}"),
            Self::NeverAnswered { vip } => write!(f, "{vip}: it never answered"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::tester::fact::{EndedFlow, FailureKind, FlowFailure, TestFact};
    use crate::domain::tester::full_size::FullSizeFinding;
    use crate::domain::tester::record::{TestPlan, VipRecord};

    fn report(facts: Vec<TestFact>) -> VipReport {
        let notable_gap = Duration::from_secs(1);
        let mut record = VipRecord::new(TestPlan { hold: 1, has_new_flows: true, notable_gap });
        for fact in facts {
            record.take(Duration::from_millis(100), fact);
        }
        record.total_report(Duration::from_millis(500))
    }

    fn ended(failure: Option<FlowFailure>) -> TestFact {
        TestFact::Ended(EndedFlow {
            began: Duration::ZERO,
            latency: None,
            server: None,
            moves: vec!["b".into()],
            failure,
        })
    }

    #[test]
    fn a_limit_is_exceeded_by_more_than_it_allows() {
        let failure = || FlowFailure::new(FailureKind::Reset, "reset");
        let broke = || TestFact::Broke { slot: 0, failure: failure() };
        let busy = || report(vec![ended(None), ended(Some(failure())), broke(), broke()]);
        let reports = [("web", busy()), ("dns", busy())];
        let none = TestLimits::default();
        let exceeded = |limits: TestLimits| {
            let texts = limits.breaches(&reports).iter().map(Breach::to_string).collect::<Vec<_>>();
            texts.join("\n")
        };
        assert_eq!(exceeded(none), "");
        assert_eq!(exceeded(TestLimits { broken: Some(4), ..none }), "");
        let text = exceeded(TestLimits { broken: Some(3), ..none });
        assert_eq!(text, "4 held connections broke; --max-broken allows 3");
        let text = exceeded(TestLimits { failed: Some(1), ..none });
        assert_eq!(text, "2 new flows failed; --max-failed allows 1");
        let text = exceeded(TestLimits { moved: Some(0), ..none });
        assert_eq!(text, "4 answers came from another server; --max-moved allows 0");
        let gap = |ms| TestLimits { gap: Some(Duration::from_millis(ms)), ..none };
        assert_eq!(exceeded(gap(400)), "");
        let text = exceeded(gap(399));
        assert!(text.starts_with("web: no success for 400 ms; --max-gap allows 399 ms\ndns:"));
    }

    #[test]
    fn silence_and_swallowed_packets_need_no_limit_to_fail() {
        let finding = FullSizeFinding { passes: Some(false), ..FullSizeFinding::default() };
        let reports =
            [("a", report(vec![])), ("b", report(vec![ended(None), TestFact::FullSize(finding)]))];
        let breaches = TestLimits::default().breaches(&reports);
        assert!(matches!(&breaches[0], Breach::NeverAnswered { vip } if vip == "a"));
        assert!(matches!(&breaches[1], Breach::FullSize { vip, .. } if vip == "b"));
    }
}
