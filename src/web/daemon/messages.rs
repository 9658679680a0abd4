//! What the mirror of a daemon is sent.

use actix::prelude::*;
use prost::bytes::Bytes;

use super::backend_row::BackendRow;
use super::view::DaemonIdentity;
use crate::client::error::ClientError;
use crate::client::mirror::MirrorUpdate;
use crate::pb;

/// Something was received from the daemon.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct ApplyMirrorUpdate(pub(super) MirrorUpdate);

/// The daemon answers and refuses what the mirror needs.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct MirrorRefused(pub(super) ClientError);

/// The JSON of all that is known of the daemon.
#[derive(Message)]
#[rtype(result = "Bytes")]
pub(in crate::web) struct GetDaemonState;

#[derive(Message)]
#[rtype(result = "DaemonSummary")]
pub(in crate::web) struct GetDaemonSummary;

#[derive(Clone, Debug, MessageResponse)]
pub(in crate::web) struct DaemonSummary {
    /// As in the state's `connection`.
    pub(in crate::web) state: &'static str,
    pub(in crate::web) frontends: usize,
    pub(in crate::web) backends: usize,
}

/// The fingerprint of the daemon's configuration; `None`: it could not be asked.
#[derive(Message)]
#[rtype(result = "()")]
pub(in crate::web) struct SetFingerprint(pub(in crate::web) Option<String>);

/// What a read beside the mirror brought.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) enum SideRead {
    Overrides(pb::GetOverridesResponse),
    Timeline(pb::Timeline),
    Identity(DaemonIdentity),
    Explained { asked: Box<BackendRow>, explanation: Option<pb::Explanation> },
}

#[derive(Message)]
#[rtype(result = "()")]
pub(in crate::web) struct ShutDownMirror;
