//! Targets of records that are not named by their module.

/// Of audit records, which are logged at every level of the log: who changed what is not
/// to be lost because somebody wanted less to read.
pub const AUDIT: &str = "audit";
