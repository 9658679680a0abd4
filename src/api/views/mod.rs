//! The read model: what a daemon reports, as serialisable values. The JSON of
//! `maglevc --output json` is made of them, and docs/cli.md documents them:
//! keys are added and never renamed or removed.
//!
//! Moments are RFC 3339 texts in UTC, or null where they are not known; spans
//! are integers of nanoseconds. What is absent is null, never an empty text.

mod announcement;
mod backend;
mod config_check;
mod differences;
mod drain;
mod event;
mod explain;
mod frontend;
mod health_check;
mod identity;
mod overrides;
pub mod text;
pub mod time;
mod vpp;

#[cfg(test)]
mod tests;

pub use announcement::{
    AnnounceDriverJson, AnnouncementJson, AnnouncementOddity, AnnouncementsJson,
    PlacedAnnouncementJson, announcement_oddity, misplaced,
};
pub use backend::{
    BackendJson, CertificateJson, DampingJson, DoubtJson, SlowStartJson, TransitionJson,
};
pub use config_check::ConfigCheckJson;
pub use differences::differences;
pub use drain::DrainJson;
pub use event::{EventJson, EventKindJson};
pub use explain::{DifferenceJson, DifferenceValueJson, ExplanationJson, ProbeJson, StatementJson};
pub use frontend::{
    FailOpenJson, FrontendJson, PoolBackendJson, PoolJson, PredictedServerJson, PredictionJson,
    fail_open_text, serving_pool, slow_start_in,
};
pub use health_check::{
    CheckStepJson, DnsCheckJson, GrpcCheckJson, HealthCheckJson, HttpCheckHeaderJson,
    HttpCheckJson, TcpCheckJson, TlsCheckJson,
};
pub use identity::IdentityJson;
pub use overrides::{OverrideJson, OverridesJson};
pub use vpp::{
    DoctorFindingJson, LbConfJson, LbServerJson, LbStateJson, LbVipJson, SyncJson, SyncStepJson,
    TableMovesJson, VipCountersJson, VppInfoJson,
};
