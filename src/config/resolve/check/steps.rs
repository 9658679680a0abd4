//! The steps of a conversation: what is sent, and what is expected then.

use super::params::regexp;
use crate::config::check_fault::CheckProblem;
use crate::config::raw::RawStep;
use crate::config::report::{ConfigPath, FaultReport};
use crate::domain::config::{CheckStep, Expectation, Payload};

const MOST_STEPS: usize = 32;

/// A conversation is short: a longer text would not be sent at once.
const LONGEST: usize = 4096;

pub(super) fn steps(
    given: &[RawStep],
    over_udp: bool,
    at: &ConfigPath<'_>,
    report: &mut FaultReport,
) -> Option<Vec<CheckStep>> {
    if given.is_empty() || given.len() > MOST_STEPS {
        return report.refuse(at, CheckProblem::StepCount { most: MOST_STEPS });
    }
    let steps: Vec<_> = given
        .iter()
        .enumerate()
        .map(|(place, given)| step(given, &at.index(place), report))
        .collect();
    let steps = steps.into_iter().collect::<Option<Vec<_>>>()?;
    if over_udp && matches!(steps.first(), Some(CheckStep::Expect(_))) {
        return report.refuse(&at.index(0), CheckProblem::UnaskedDatagram);
    }
    Some(steps)
}

fn step(given: &RawStep, at: &ConfigPath<'_>, report: &mut FaultReport) -> Option<CheckStep> {
    let RawStep { send, send_hex, expect, expect_hex } = given;
    match (send, send_hex, expect, expect_hex) {
        (Some(text), None, None, None) => {
            let at = at.key("send");
            length(text.len(), &at, report)?;
            Some(CheckStep::Send(Payload::Text(text.clone())))
        }
        (None, Some(text), None, None) => {
            let at = at.key("send-hex");
            Some(CheckStep::Send(Payload::Bytes(hex(text, &at, report)?)))
        }
        (None, None, Some(text), None) => {
            regexp(text, &at.key("expect"), report)?;
            Some(CheckStep::Expect(Expectation::Pattern(text.clone())))
        }
        (None, None, None, Some(text)) => {
            let at = at.key("expect-hex");
            Some(CheckStep::Expect(Expectation::Bytes(hex(text, &at, report)?)))
        }
        _ => report.refuse(at, CheckProblem::OneStep),
    }
}

fn length(length: usize, at: &ConfigPath<'_>, report: &mut FaultReport) -> Option<()> {
    if (1..=LONGEST).contains(&length) {
        return Some(());
    }
    report.refuse(at, CheckProblem::StepLength { length, most: LONGEST })
}

/// Pairs of digits, with or without spaces between them.
fn hex(given: &str, at: &ConfigPath<'_>, report: &mut FaultReport) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = given
        .chars()
        .filter(|it| *it != ' ')
        .map(|it| it.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let Some(digits) = digits.filter(|digits| digits.len() % 2 == 0) else {
        return report.refuse(at, CheckProblem::BadHex { given: given.to_owned() });
    };
    length(digits.len() / 2, at, report)?;
    Some(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}
