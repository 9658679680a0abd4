//! What is found: how bad it is, what was seen, and what to do.

use std::fmt;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    Ok,
    /// It may be meant, or does harm only together with something else.
    Warning,
    /// Packets are lost, or VPP is not programmed.
    Fault,
}

impl Severity {
    pub const ALL: [Self; 3] = [Self::Ok, Self::Warning, Self::Fault];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Fault => "fault",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub severity: Severity,
    /// What was looked at: `VIP 192.0.2.1/32`, `lb plugin`, ….
    pub subject: String,
    /// What was seen there.
    pub seen: String,
    /// What to do; empty: nothing.
    pub remedy: String,
}

impl Finding {
    pub(super) fn ok(subject: impl Into<String>, seen: impl Into<String>) -> Self {
        let (subject, seen) = (subject.into(), seen.into());
        Self { severity: Severity::Ok, subject, seen, remedy: String::new() }
    }

    pub(super) fn new(
        severity: Severity,
        subject: impl Into<String>,
        seen: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { severity, subject: subject.into(), seen: seen.into(), remedy: remedy.into() }
    }
}

/// At most `most` of these words, and how many more there are.
pub(super) fn some(words: &[String], most: usize) -> String {
    match words.len().saturating_sub(most) {
        0 => words.join(", "),
        more => format!("{} and {more} more", words[..most].join(", ")),
    }
}
