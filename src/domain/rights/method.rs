//! The role that each method of `maglev.Maglev` needs: one table.

use super::role::Role;

/// What a method takes of who calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requirement {
    /// Everybody who is let in.
    Anyone,
    /// It changes nothing.
    Viewer,
    /// It changes something.
    Operator,
    /// It changes something, unless the request asks for a dry run.
    OperatorUnlessDryRun,
}

use Requirement::{Anyone, Operator, OperatorUnlessDryRun, Viewer};

/// Every method, in the order of the interface.
///
/// What is only validated (`validate_only`) needs the role that it needs to be done: the
/// answer says whether the caller could do it.
pub const METHODS: &[(&str, Requirement)] = &[
    ("ListFrontends", Viewer),
    ("GetFrontend", Viewer),
    ("ListBackends", Viewer),
    ("GetBackend", Viewer),
    ("PauseBackend", Operator),
    ("ResumeBackend", Operator),
    ("EnableBackend", Operator),
    ("DisableBackend", Operator),
    ("ListHealthChecks", Viewer),
    ("GetHealthCheck", Viewer),
    ("SetFrontendPoolBackendWeight", Operator),
    ("WatchEvents", Viewer),
    ("CheckConfig", Viewer),
    ("ReloadConfig", Operator),
    ("GetVPPInfo", Viewer),
    ("GetVPPLBState", Viewer),
    ("SyncVPPLBState", OperatorUnlessDryRun),
    ("PredictChange", Viewer),
    ("GetBackends", Viewer),
    ("GetVPPLBCounters", Viewer),
    ("GetVPPDoctor", Viewer),
    ("GetOverrides", Viewer),
    ("UnsetBackend", Operator),
    ("UnsetFrontendPoolBackendWeight", Operator),
    ("DrainBackend", Operator),
    ("UndrainBackend", Operator),
    ("ExplainBackend", Viewer),
    ("ExplainFrontend", Viewer),
    ("GetFingerprints", Viewer),
    ("GetTimeline", Viewer),
    ("GetIdentity", Anyone),
    ("GetAnnouncements", Viewer),
    ("SetAnnouncement", Operator),
    ("UnsetAnnouncement", Operator),
];

impl Requirement {
    /// The least role that it takes.
    #[must_use]
    pub fn role(self, is_dry_run: bool) -> Role {
        match self {
            Anyone => Role::Nobody,
            Viewer => Role::Viewer,
            OperatorUnlessDryRun if is_dry_run => Role::Viewer,
            Operator | OperatorUnlessDryRun => Role::Operator,
        }
    }

    /// Whether the method may change something.
    #[must_use]
    pub fn may_change(self) -> bool {
        matches!(self, Operator | OperatorUnlessDryRun)
    }
}

/// The table's row of a method, by its name.
#[must_use]
pub fn method(name: &str) -> Option<(&'static str, Requirement)> {
    METHODS.iter().find(|(known, _)| *known == name).copied()
}

/// What a method takes. One that is not in the table, such as a later version's, or one of
/// another service, is for viewers: there is nothing behind the first, and the services
/// beside ours, health and reflection, change nothing.
#[must_use]
pub fn requirement(name: &str) -> Requirement {
    method(name).map_or(Viewer, |(_, requirement)| requirement)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changes_nothing_is_for_viewers() {
        let reads = ["List", "Get", "Explain", "Watch", "Check", "Predict"];
        for (name, requirement) in METHODS {
            let is_read = reads.iter().any(|verb| name.starts_with(verb));
            assert_eq!(requirement.may_change(), !is_read, "{name}");
            assert_eq!(requirement.role(false) == Role::Operator, !is_read, "{name}");
        }
        assert_eq!(requirement("SyncVPPLBState").role(true), Role::Viewer);
        assert_eq!(requirement("ReloadConfig").role(true), Role::Operator);
        assert_eq!(requirement("NoSuchMethod"), Viewer);
    }

    #[test]
    fn a_method_stands_once_in_the_table() {
        for (place, (name, _)) in METHODS.iter().enumerate() {
            assert!(METHODS[..place].iter().all(|(other, _)| other != name), "{name}");
        }
    }
}
