//! How the writing to VPP goes: the age of the last pass, and what VPP refuses.

use std::time::Duration;

use super::facts::PassFacts;
use super::finding::{Finding, Severity};

/// Intervals after which a pass is missing for certain.
const LATE: u32 = 3;

pub(super) fn examine(passes: &PassFacts) -> Vec<Finding> {
    let mut findings = vec![last_pass(passes)];
    findings.extend(passes.refused.iter().map(|(frontend, what)| {
        let subject = match frontend {
            Some(name) => format!("frontend {name}"),
            None => "settings of lb".into(),
        };
        let sync = match frontend {
            Some(name) => format!("maglevc sync vpp lb state {name}"),
            None => "maglevc sync vpp lb state".into(),
        };
        let remedy = format!("mend what VPP names, then `{sync}`");
        Finding::new(Severity::Fault, subject, format!("VPP refuses {what}"), remedy)
    }));
    findings
}

fn last_pass(passes: &PassFacts) -> Finding {
    let subject = "last pass";
    let every = seconds(passes.interval);
    match passes.age {
        Some(age) if age <= passes.interval * LATE => {
            Finding::ok(subject, format!("{} ago, one every {every}", seconds(age)))
        }
        Some(age) => Finding::new(
            Severity::Fault,
            subject,
            format!(
                "{} ago, although one is made every {every}: steps fail, or VPP does not answer",
                seconds(age)
            ),
            "`maglevc sync vpp lb state dry-run` lists what is due, and maglevd's log why it fails",
        ),
        None => Finding::new(
            Severity::Warning,
            subject,
            "none has ended without a failed step yet",
            "wait for the end of startup-min-delay; after it, maglevd's log has the reason",
        ),
    }
}

fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs())
}
