//! What the daemon answered to a request, ready to be shown as text or JSON,
//! and whether it amounts to a refusal.

use crate::cli::render::context::printable;
use crate::pb;

/// The answer to one request.
#[derive(Clone, Debug, PartialEq)]
pub enum CliAnswer {
    /// All frontends, by name.
    Frontends(Vec<pb::FrontendInfo>),
    /// One frontend.
    Frontend {
        /// The frontend.
        frontend: pb::FrontendInfo,
        /// The backends of its pools, each once.
        backends: Vec<pb::BackendInfo>,
    },
    /// What another weight would move.
    Predicted {
        /// The frontend.
        frontend: String,
        /// The backend whose weight it is.
        backend: String,
        /// What would be.
        predicted: pb::PredictChangeResponse,
    },
    /// All backends, by name.
    Backends(Vec<pb::BackendInfo>),
    /// One backend.
    Backend {
        /// The backend.
        backend: pb::BackendInfo,
        /// Its health check, if it has one.
        check: Option<pb::HealthCheckInfo>,
    },
    /// All health checks, by name.
    HealthChecks(Vec<pb::HealthCheckInfo>),
    /// One health check.
    HealthCheck(pb::HealthCheckInfo),
    /// What VPP says of itself.
    VppInfo(pb::VppInfo),
    /// The load balancer's state.
    LbState(pb::VpplbState),
    /// The load balancer's counters.
    LbCounters(pb::VpplbCounters),
    /// A backend after an operator's change.
    BackendSet(pb::BackendInfo),
    /// A weight after an operator's change.
    WeightSet {
        /// The frontend as it is now.
        frontend: pb::FrontendInfo,
        /// The pool that has the backend.
        pool: String,
        /// The backend whose weight was set.
        backend: String,
    },
    /// A sync, or what one would do.
    Synced {
        /// The steps.
        sync: pb::SyncVpplbStateResponse,
        /// Whether none was to be taken.
        dry_run: bool,
    },
    /// The configuration file was checked.
    Checked(CheckFindings),
    /// The configuration file was checked and, without a fault, is in use.
    Reloaded(CheckFindings),
}

/// What a check of the configuration file found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckFindings {
    /// Whether the file is accepted.
    pub ok: bool,
    /// It cannot be read or parsed.
    pub parse: Vec<String>,
    /// It means something impossible; each with its path.
    pub semantic: Vec<String>,
    /// It is fine and could not be put to use.
    pub reload: Vec<String>,
    /// What is allowed and probably not meant.
    pub warnings: Vec<String>,
}

impl From<pb::CheckConfigResponse> for CheckFindings {
    fn from(response: pb::CheckConfigResponse) -> Self {
        Self {
            ok: response.ok,
            parse: lines(&response.parse_error),
            semantic: lines(&response.semantic_error),
            reload: Vec::new(),
            warnings: response.warnings.iter().map(|warning| printable(warning)).collect(),
        }
    }
}

impl From<pb::ReloadConfigResponse> for CheckFindings {
    fn from(response: pb::ReloadConfigResponse) -> Self {
        Self {
            ok: response.ok,
            parse: lines(&response.parse_error),
            semantic: lines(&response.semantic_error),
            reload: lines(&response.reload_error),
            warnings: Vec::new(),
        }
    }
}

impl CheckFindings {
    /// Every fault, a line each.
    pub fn faults(&self) -> impl Iterator<Item = &String> {
        self.parse.iter().chain(&self.semantic).chain(&self.reload)
    }

    fn counted(&self) -> String {
        match self.faults().count() {
            0 => "no reason given".into(),
            1 => "1 fault".into(),
            n => format!("{n} faults"),
        }
    }
}

fn lines(text: &str) -> Vec<String> {
    text.lines().filter(|line| !line.trim().is_empty()).map(printable).collect()
}

impl CliAnswer {
    /// Why the answer is a refusal, if it is: then maglevc exits with 1.
    #[must_use]
    pub fn refusal(&self) -> Option<String> {
        match self {
            Self::Checked(faults) if !faults.ok => {
                Some(format!("the configuration is not valid: {}", faults.counted()))
            }
            Self::Reloaded(faults) if !faults.ok => Some(format!(
                "the configuration was not reloaded, the running one stays: {}",
                faults.counted()
            )),
            Self::Synced { sync, dry_run } => {
                let (all, refused) = (sync.steps.len(), refused(sync));
                if refused > 0 {
                    Some(format!("VPP refused {refused} of {all} steps"))
                } else if all > 0 && !sync.applied && !dry_run {
                    Some("the steps were not applied".into())
                } else {
                    None
                }
            }
            _ => None,
        }
    }
}

fn refused(sync: &pb::SyncVpplbStateResponse) -> usize {
    sync.steps.iter().filter(|step| !step.error.is_empty()).count()
}

/// The first pool that VPP sends new flows to, as far as the weights tell.
#[must_use]
pub fn serving_pool(frontend: &pb::FrontendInfo) -> Option<&pb::PoolInfo> {
    frontend.pools.iter().find(|pool| pool.backends.iter().any(|b| b.effective_weight > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn synced(errors: &[&str], applied: bool, dry_run: bool) -> Option<String> {
        let step = |error: &&str| pb::SyncStep { error: (*error).into(), ..Default::default() };
        let steps = errors.iter().map(step).collect();
        let sync = pb::SyncVpplbStateResponse { steps, applied };
        CliAnswer::Synced { sync, dry_run }.refusal()
    }

    #[test]
    fn a_sync_is_refused_when_a_step_was_or_none_was_taken() {
        assert_eq!(synced(&["", "no such VIP"], true, false).unwrap(), "VPP refused 1 of 2 steps");
        assert_eq!(synced(&[""], false, false).unwrap(), "the steps were not applied");
        assert_eq!(synced(&[""], false, true), None);
        assert_eq!(synced(&[], false, false), None);
        assert_eq!(synced(&["", ""], true, false), None);
    }

    #[test]
    fn each_line_is_one_fault() {
        let response = pb::CheckConfigResponse {
            semantic_error: "a: wrong\n\nb: wrong\n".into(),
            ..Default::default()
        };
        let answer = CliAnswer::Checked(response.into());
        assert_eq!(answer.refusal().unwrap(), "the configuration is not valid: 2 faults");
    }
}
