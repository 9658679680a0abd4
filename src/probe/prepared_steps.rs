//! The steps of a conversation, prepared.

use super::error::PrepareError;
use crate::domain::config::{CheckStep, Expectation};
use crate::pattern::Pattern;

/// The steps of a check, prepared for every backend of it.
#[derive(Debug)]
pub(super) struct PreparedSteps(pub(super) Vec<PreparedStep>);

#[derive(Debug)]
pub(super) enum PreparedStep {
    Send(Vec<u8>),
    Expect(ExpectedPart),
}

#[derive(Debug)]
pub(super) enum ExpectedPart {
    Pattern(Pattern),
    Bytes(Vec<u8>),
}

impl PreparedSteps {
    pub(super) fn prepare(steps: &[CheckStep]) -> Result<Self, PrepareError> {
        let steps = steps.iter().map(|step| {
            Ok(match step {
                CheckStep::Send(payload) => PreparedStep::Send(payload.bytes().to_vec()),
                CheckStep::Expect(Expectation::Bytes(bytes)) => {
                    PreparedStep::Expect(ExpectedPart::Bytes(bytes.clone()))
                }
                CheckStep::Expect(Expectation::Pattern(pattern)) => {
                    let pattern = Pattern::new(pattern).map_err(PrepareError::Step)?;
                    PreparedStep::Expect(ExpectedPart::Pattern(pattern))
                }
            })
        });
        steps.collect::<Result<_, _>>().map(Self)
    }
}

impl ExpectedPart {
    pub(super) fn is_in(&self, came: &[u8]) -> bool {
        match self {
            Self::Pattern(pattern) => pattern.is_match(came),
            Self::Bytes(bytes) => came.windows(bytes.len()).any(|window| window == bytes),
        }
    }
}
