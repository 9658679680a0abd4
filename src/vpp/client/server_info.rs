//! What is known of the VPP at the other end right after the handshake.

use crate::vpp::cli_text::ApiClient;
use crate::vpp::wire::ShowVersionReply;

/// Which VPP runs at the other end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VppVersion {
    /// `26.10-rc0~374-gb575ec2c56d`
    pub version: String,
    /// `2026-11-22T11:53:09`
    pub build_date: String,
    /// Often empty.
    pub build_directory: String,
    pub pid: u32,
}

impl VppVersion {
    pub(super) fn new(version: &ShowVersionReply, pid: u32) -> Self {
        Self {
            version: version.version.to_string(),
            build_date: version.build_date.to_string(),
            build_directory: version.build_directory.to_string(),
            pid,
        }
    }
}

/// The answers to the first calls.
#[derive(Debug, Default)]
pub(super) struct ServerInfo {
    pub(super) version: VppVersion,
    /// Dead clients that VPP listed before the workaround and not after it.
    pub(super) reaped: Vec<ApiClient>,
}
