//! How many calls were denied, by their method and why.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::domain::rights::METHODS;

/// The label of methods that are not ours, or not known.
const OTHER: &str = "other";

/// Why a call was denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::api) enum DenialCause {
    /// The caller lacks the role.
    Role,
    /// The token is of nobody, or must not be sent this way.
    Token,
}

impl DenialCause {
    pub(in crate::api) const ALL: [Self; 2] = [Self::Role, Self::Token];

    pub(in crate::api) fn as_str(self) -> &'static str {
        match self {
            Self::Role => "role",
            Self::Token => "token",
        }
    }
}

/// A count for each method of the table, one for all others, by cause. Clones share them.
#[derive(Clone, Debug)]
pub struct DeniedCalls(Arc<[[AtomicU64; 2]]>);

impl Default for DeniedCalls {
    fn default() -> Self {
        Self((0..=METHODS.len()).map(|_| Default::default()).collect())
    }
}

impl DeniedCalls {
    pub(in crate::api) fn count(&self, method: &str, cause: DenialCause) {
        let known = METHODS.iter().position(|(name, _)| *name == method);
        self.0[known.unwrap_or(METHODS.len())][cause as usize].fetch_add(1, Relaxed);
    }

    /// The counts, by method and cause; zeros as well.
    pub(in crate::api) fn read(
        &self,
    ) -> impl Iterator<Item = (&'static str, DenialCause, u64)> + '_ {
        let methods = METHODS.iter().map(|(name, _)| *name).chain([OTHER]);
        methods.zip(self.0.iter()).flat_map(|(method, counts)| {
            DenialCause::ALL.map(|cause| (method, cause, counts[cause as usize].load(Relaxed)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_asked_for_there_are_so_many_series() {
        let denied = DeniedCalls::default();
        denied.clone().count("PauseBackend", DenialCause::Role);
        for number in 0..1000 {
            denied.count(&format!("Method{number}"), DenialCause::Token);
        }
        let counts: Vec<_> = denied.read().collect();
        assert_eq!(counts.len(), 2 * (METHODS.len() + 1));
        let others: Vec<_> = counts.iter().filter(|(_, _, count)| *count > 0).collect();
        let expected = [("PauseBackend", DenialCause::Role, 1), (OTHER, DenialCause::Token, 1000)];
        assert_eq!(others, expected.iter().collect::<Vec<_>>());
    }
}
