//! The schema of the file: every key. `resolve` checks which must be present.

use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a mapping with the key `rights`")]
pub(super) struct RawRightsFile {
    pub(super) rights: BTreeMap<String, RawIdentity>,
}

/// Numbers of users and groups are text here, as their names are.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case", expecting = "a mapping")]
pub(super) struct RawIdentity {
    pub(super) role: Option<String>,
    pub(super) certificates: Vec<String>,
    pub(super) users: Vec<String>,
    pub(super) groups: Vec<String>,
    pub(super) tokens: Vec<String>,
}
