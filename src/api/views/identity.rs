//! Whom the daemon takes the caller for.

use serde::Serialize;

use super::text::present;
use crate::pb;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IdentityJson {
    /// The caller's name in the rights file.
    pub name: Option<String>,
    /// As in events.
    pub who: String,
    /// `none`, `viewer` or `operator`.
    pub role: String,
    /// Why: `listener`, `token`, `certificate`, `user` or `group`.
    pub reason: String,
    /// The same, for people.
    pub explanation: String,
    /// The listener that the call came through.
    pub listener: String,
    /// The role of those whom nothing in the rights file names, there.
    pub listener_role: String,
    /// What was proved, as the rights file would have it.
    pub proved: Vec<String>,
    /// Whether there is a rights file.
    pub rights_file: bool,
    /// The daemon's version; `None` for callers without a role.
    pub version: Option<String>,
}

impl From<&pb::CallerIdentity> for IdentityJson {
    fn from(identity: &pb::CallerIdentity) -> Self {
        Self {
            name: present(&identity.name),
            who: identity.who.clone(),
            role: identity.role.clone(),
            reason: identity.reason.clone(),
            explanation: identity.explanation.clone(),
            listener: identity.listener.clone(),
            listener_role: identity.listener_role.clone(),
            proved: identity.proved.clone(),
            rights_file: identity.rights_file,
            version: present(&identity.version),
        }
    }
}
