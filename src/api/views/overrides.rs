//! Operators' overrides of the configuration file.

use serde::Serialize;

use super::text::present;
use super::time::known_moment;
use crate::pb;

/// All of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OverridesJson {
    /// Whether they are kept over restarts.
    pub kept: bool,
    /// Those of backends by name, then those of weights by frontend, pool and backend, then
    /// those of announcements.
    pub overrides: Vec<OverrideJson>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OverrideJson {
    /// `admin`, `weight` or `announcement`.
    pub kind: String,
    /// Of a weight.
    pub frontend: Option<String>,
    /// Of a weight.
    pub pool: Option<String>,
    /// The backend; `None`: of an announcement.
    pub backend: Option<String>,
    /// Of an announcement: the address with its length, or `all`.
    pub prefix: Option<String>,
    /// `enabled`, `paused` or `disabled`; a weight, 0..=100; or `announce`, `drain` or
    /// `withdraw`.
    pub value: String,
    /// What the file says; of an announcement `rules`.
    pub configured: String,
    /// The operator, as the daemon knows them.
    pub who: String,
    /// In the operator's words.
    pub why: Option<String>,
    /// When it was set.
    pub since: Option<String>,
    /// When it ends by itself, by the clock as it was set; `None`: it does not.
    pub until: Option<String>,
    /// Nanoseconds.
    pub age_ns: i64,
    /// Nanoseconds that it still lasts; `None`: until it is ended.
    pub left_ns: Option<i64>,
}

impl From<&pb::GetOverridesResponse> for OverridesJson {
    fn from(answer: &pb::GetOverridesResponse) -> Self {
        let overrides = answer.overrides.iter().map(OverrideJson::from).collect();
        Self { kept: answer.kept, overrides }
    }
}

impl From<&pb::OverrideInfo> for OverrideJson {
    fn from(info: &pb::OverrideInfo) -> Self {
        Self {
            kind: info.kind.clone(),
            frontend: present(&info.frontend_name),
            pool: present(&info.pool_name),
            backend: present(&info.backend_name),
            prefix: present(&info.prefix),
            value: info.value.clone(),
            configured: info.configured.clone(),
            who: info.who.clone(),
            why: present(&info.why),
            since: known_moment(info.since_unix_ns),
            until: known_moment(info.until_unix_ns),
            age_ns: info.age_ns,
            left_ns: info.left_ns,
        }
    }
}
