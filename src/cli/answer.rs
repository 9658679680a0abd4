//! The daemon's answer to a request, ready to be rendered as text or JSON, and
//! whether it is a failure.

use crate::api::views::ConfigCheckJson;
use crate::pb;

/// The answer to one request.
#[derive(Clone, Debug, PartialEq)]
pub enum CliAnswer {
    /// All frontends, by name.
    Frontends {
        frontends: Vec<pb::FrontendInfo>,
        /// VIPs of no frontend whose removal from VPP is held.
        held_removals: Vec<String>,
    },
    Frontend {
        frontend: pb::FrontendInfo,
        /// The backends of its pools, each once.
        backends: Vec<pb::BackendInfo>,
    },
    /// What another weight would move.
    Predicted {
        frontend: String,
        /// The backend whose weight is supposed.
        backend: String,
        /// The daemon's prediction.
        predicted: pb::PredictChangeResponse,
    },
    /// All backends, by name.
    Backends(Vec<pb::BackendInfo>),
    Backend {
        backend: Box<pb::BackendInfo>,
        /// Its health check, if it has one.
        check: Option<pb::HealthCheckInfo>,
    },
    /// All health checks, by name.
    HealthChecks(Vec<pb::HealthCheckInfo>),
    HealthCheck(pb::HealthCheckInfo),
    /// VPP's version, age and connection.
    VppInfo(pb::VppInfo),
    /// The load balancer's state.
    LbState(pb::VpplbState),
    /// The load balancer's counters.
    LbCounters(pb::VpplbCounters),
    /// What keeps packets from the servers.
    Doctor(pb::VppDoctor),
    /// Whom the daemon takes this client for.
    Identity(pb::CallerIdentity),
    /// Operators' overrides.
    Overrides(pb::GetOverridesResponse),
    /// What is announced.
    Announcements(pb::Announcements),
    /// What is announced after an operator's order.
    AnnouncementSet {
        announcements: pb::Announcements,
        /// It was waited for what drivers do.
        has_waited: bool,
    },
    /// Why a backend or a frontend gets the flows that it gets.
    Explained(pb::Explanation),
    /// What happened lately.
    Timeline(pb::Timeline),
    /// A backend after an operator's change.
    BackendSet {
        /// The backend as it is now.
        backend: Box<pb::BackendInfo>,
        /// Whether the override is to end by itself.
        is_to_end: bool,
    },
    /// A weight after an operator's change.
    WeightSet {
        /// The frontend as it is now.
        frontend: pb::FrontendInfo,
        /// The pool that has the backend.
        pool: String,
        /// The backend whose weight was set.
        backend: String,
        /// Whether the override is to end by itself.
        is_to_end: bool,
    },
    /// A sync, or what one would do.
    Synced {
        /// Its steps.
        sync: pb::SyncVpplbStateResponse,
        /// Whether none was to be taken.
        dry_run: bool,
    },
    /// The configuration file was checked.
    Checked(ConfigCheckJson),
    /// The configuration file was checked and, if it is valid, is in use.
    Reloaded(ConfigCheckJson),
}

impl CliAnswer {
    /// What failed, if the answer is a failure: then maglevc exits with 1.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        match self {
            Self::Checked(check) if !check.ok => {
                Some(format!("the configuration is not valid: {}", counted(check)))
            }
            Self::Reloaded(check) if !check.ok => Some(format!(
                "the configuration was not reloaded, the running one stays: {}",
                counted(check)
            )),
            Self::BackendSet { backend, is_to_end: true } => {
                endless(backend.admin_override.as_ref())
            }
            Self::WeightSet { frontend, pool, backend, is_to_end: true } => {
                let pools = frontend.pools.iter().filter(|candidate| candidate.name == *pool);
                let member =
                    pools.flat_map(|pool| &pool.backends).find(|member| member.name == *backend);
                endless(member.and_then(|member| member.weight_override.as_ref()))
            }
            Self::AnnouncementSet { announcements, has_waited: true } => {
                match announcements.unsettled.as_slice() {
                    [] => None,
                    [only] => Some(format!("it is ordered, and not done yet: {only}")),
                    [first, rest @ ..] => Some(format!(
                        "it is ordered, and not done yet: {first}; and {} more",
                        rest.len()
                    )),
                }
            }
            Self::Doctor(doctor) => match faults(doctor) {
                0 => None,
                1 => Some("VPP has 1 fault".into()),
                faults => Some(format!("VPP has {faults} faults")),
            },
            Self::Synced { sync, dry_run } => {
                let held = sync.steps.iter().filter(|step| step.held).count();
                let (all, refused) = (sync.steps.len() - held, refused(sync));
                if refused > 0 {
                    Some(format!("VPP refused {refused} of {all} steps"))
                } else if all > 0 && !sync.applied && !dry_run {
                    Some("the steps were not applied".into())
                } else if held > 0 && !dry_run {
                    Some(format!(
                        "{held} steps are held, which would remove too much to be meant: \
                         sync vpp lb state force takes them"
                    ))
                } else {
                    None
                }
            }
            _ => None,
        }
    }
}

/// What is wrong with an override that was to end by itself, if it does not.
fn endless(info: Option<&pb::OverrideInfo>) -> Option<String> {
    let ends = info.is_some_and(|info| info.left_ns.is_some());
    let text = "it is set and does not end by itself: maglevd is of an older version, \
                which knows neither `for` nor `because`";
    (!ends).then(|| text.into())
}

fn faults(doctor: &pb::VppDoctor) -> usize {
    doctor.findings.iter().filter(|finding| finding.severity == "fault").count()
}

fn refused(sync: &pb::SyncVpplbStateResponse) -> usize {
    sync.steps.iter().filter(|step| !step.error.is_empty()).count()
}

fn counted(check: &ConfigCheckJson) -> String {
    match check.errors().count() {
        0 => "no reason given".into(),
        1 => "1 fault".into(),
        n => format!("{n} faults"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn synced(errors: &[&str], applied: bool, dry_run: bool) -> Option<String> {
        let step = |error: &&str| pb::SyncStep { error: (*error).into(), ..Default::default() };
        let steps = errors.iter().map(step).collect();
        let sync = pb::SyncVpplbStateResponse { steps, applied };
        CliAnswer::Synced { sync, dry_run }.failure()
    }

    #[test]
    fn a_sync_fails_with_a_refused_step_or_without_any_applied() {
        assert_eq!(synced(&["", "no such VIP"], true, false).unwrap(), "VPP refused 1 of 2 steps");
        assert_eq!(synced(&[""], false, false).unwrap(), "the steps were not applied");
        assert_eq!(synced(&[""], false, true), None);
        assert_eq!(synced(&[], false, false), None);
        assert_eq!(synced(&["", ""], true, false), None);
    }

    #[test]
    fn an_override_that_an_older_daemon_gives_no_end_is_a_failure() {
        let set = |left_ns: Option<i64>, is_to_end| {
            let admin_override = left_ns
                .map(|left_ns| pb::OverrideInfo { left_ns: Some(left_ns), ..Default::default() });
            let backend = pb::BackendInfo { admin_override, ..Default::default() };
            CliAnswer::BackendSet { backend: backend.into(), is_to_end }.failure()
        };
        assert_eq!((set(Some(5), true), set(None, false), set(Some(5), false)), (None, None, None));
        assert!(set(None, true).unwrap().contains("does not end by itself"));
        let weight = CliAnswer::WeightSet {
            frontend: pb::FrontendInfo::default(),
            pool: "p".into(),
            backend: "b".into(),
            is_to_end: true,
        };
        assert!(weight.failure().is_some());
    }

    #[test]
    fn a_diagnosis_fails_with_a_fault_and_not_with_a_warning() {
        let failure = |severities: &[&str]| {
            let finding = |severity: &&str| pb::VppDoctorFinding {
                severity: (*severity).into(),
                ..Default::default()
            };
            let findings = severities.iter().map(finding).collect();
            CliAnswer::Doctor(pb::VppDoctor { findings }).failure()
        };
        assert_eq!(failure(&["fault", "fault", "ok"]).unwrap(), "VPP has 2 faults");
        assert_eq!(failure(&["fault", "warning"]).unwrap(), "VPP has 1 fault");
        assert_eq!(failure(&["warning", "ok"]), None);
    }

    #[test]
    fn a_sync_fails_with_a_held_step_unless_it_is_a_dry_run() {
        let held = pb::SyncStep { held: true, ..Default::default() };
        let sync = pb::SyncVpplbStateResponse { steps: vec![held; 2], applied: true };
        let failure = |dry_run| CliAnswer::Synced { sync: sync.clone(), dry_run }.failure();
        assert!(failure(false).unwrap().starts_with("2 steps are held"));
        assert_eq!(failure(true), None);
    }

    #[test]
    fn a_faulty_configuration_is_a_failure() {
        let response = pb::CheckConfigResponse {
            semantic_error: "a: wrong\n\nb: wrong\n".into(),
            ..Default::default()
        };
        let answer = CliAnswer::Checked((&response).into());
        assert_eq!(answer.failure().unwrap(), "the configuration is not valid: 2 faults");
    }
}
