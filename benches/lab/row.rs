//! What a run of a scenario showed, held against its bound, as a row of the table.

use std::fmt;
use std::time::Duration;

/// Connections that are held.
pub(crate) const HELD: u64 = 100;
/// New connections a second.
pub(crate) const RATE: u64 = 50;

/// What the tester counted of the VIP.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Counted {
    /// Of the connections that are held, those that broke at least once.
    pub(crate) broken: u64,
    /// How often they did: one that is opened anew can break again.
    pub(crate) breaks: u64,
    /// Answers that came from another server than the one before.
    pub(crate) moved: u64,
    /// New connections that failed.
    pub(crate) failed: u64,
    /// Without a success of a new connection.
    pub(crate) gap: Duration,
    /// Of the connections that are held in the end, those on the server with the most.
    pub(crate) fullest: u64,
}

/// What no load balancer could have kept, as a scenario's action found it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Unavoidable {
    /// Connections on servers that died.
    pub(crate) held: u64,
    /// How long VPP did not forward.
    pub(crate) away: Duration,
}

/// What may be counted beyond what was unavoidable.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bound {
    pub(crate) broken: u64,
    pub(crate) failed: u64,
    pub(crate) gap: Duration,
    pub(crate) fullest: u64,
}

impl Bound {
    /// What may be counted in all.
    pub(crate) fn with(self, unavoidable: Unavoidable) -> Self {
        let Unavoidable { held, away } = unavoidable;
        let new = u64::try_from(away.as_millis()).unwrap_or(u64::MAX) / (1000 / RATE);
        Self {
            broken: (self.broken + held).min(HELD),
            failed: self.failed + new,
            gap: self.gap + away,
            fullest: self.fullest,
        }
    }

    pub(crate) fn holds(self, counted: Counted) -> bool {
        let Counted { broken, failed, gap, fullest, .. } = counted;
        let is_in_bounds = broken <= self.broken && failed <= self.failed && gap <= self.gap;
        is_in_bounds && fullest <= self.fullest
    }
}

/// What a scenario's action found besides, which has a bound of its own.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Finding {
    /// With the bound, for people.
    pub(crate) what: String,
    pub(crate) is_ok: bool,
}

/// See the module's description.
pub(crate) struct Row<'a> {
    pub(crate) what: &'a str,
    pub(crate) counted: Counted,
    pub(crate) findings: Vec<Finding>,
    /// With what was unavoidable.
    pub(crate) bound: Bound,
}

impl Row<'_> {
    /// The head of the table (Markdown).
    pub(crate) const HEAD: &'static str = "| what was done | established that broke (of 100) | \
        moved | new that failed | longest gap | most on one server | \
        bound: broke, failed, gap, most | ok |\n|---|---|---|---|---|---|---|---|";

    pub(crate) fn is_ok(&self) -> bool {
        self.bound.holds(self.counted) && self.findings.iter().all(|finding| finding.is_ok)
    }
}

impl fmt::Display for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, counted, findings, bound } = self;
        let Counted { broken, breaks, moved, failed, gap, fullest } = counted;
        let times = if breaks == broken { String::new() } else { format!(" ({breaks} times)") };
        let ok = if self.is_ok() { "yes" } else { "**no**" };
        let seconds = |gap: &Duration| format!("{:.2} s", gap.as_secs_f64());
        write!(f, "| {what}")?;
        for Finding { what, is_ok } in findings {
            write!(f, "; {what}{}", if *is_ok { "" } else { " (**no**)" })?;
        }
        write!(f, " | {broken}{times} | {moved} | {failed} | {} | {fullest} | ", seconds(gap))?;
        let Bound { broken, failed, gap, fullest } = bound;
        write!(f, "{broken}, {failed}, {}, {fullest} | {ok} |", seconds(gap))
    }
}
