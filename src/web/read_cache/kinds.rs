//! What can be read of a daemon, and what comes of it.

use std::sync::Arc;

use prost::bytes::Bytes;
use serde::Serialize;

use crate::pb;
use crate::web::reply::WebError;

/// What is read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::web) enum ReadKind {
    Frontend(String),
    Backend(String),
    Vpp,
    Doctor,
    Timeline { backend: String, frontend: String, last_s: u64 },
}

/// What was read.
#[derive(Clone)]
pub(in crate::web) enum ReadValue {
    Json(Bytes),
    Timeline(Arc<pb::Timeline>),
}

pub(in crate::web) type ReadAnswer = Result<ReadValue, WebError>;

/// Packets a second of one VIP.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct PacketRates {
    pub(super) next: f64,
    pub(super) first: f64,
    pub(super) untracked: f64,
    pub(super) no_server: f64,
}
