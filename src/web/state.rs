//! The state of all daemons, compressed: built once for all who ask at the same time,
//! part after part, so that it never stands in memory as a whole.

use std::io::Write;
use std::time::SystemTime;

use actix::Addr;
use flate2::Compression;
use flate2::write::GzEncoder;
use prost::bytes::Bytes;

use super::comparer::{Comparer, GetComparison};
use super::daemon::{DaemonMirror, GetDaemonState};
use super::reply::WebError;
use super::tabs::{GetLastEventId, LastEventId, TabBroker};
use crate::api::answers::shared::{AskError, SharedAnswer};
use crate::domain::utc::unix_rfc3339;
use crate::web::json::to_json;

type BuiltState = Result<Bytes, WebError>;

/// Where the parts come from.
#[derive(Clone)]
pub(super) struct StateSources {
    pub(super) tabs: Addr<TabBroker>,
    pub(super) comparer: Addr<Comparer>,
    /// By name.
    pub(super) mirrors: Vec<(String, Addr<DaemonMirror>)>,
}

/// The state of all, and that of each daemon alone.
pub(super) struct SharedState {
    all: SharedAnswer<BuiltState>,
    each: Vec<(String, SharedAnswer<BuiltState>)>,
}

impl SharedState {
    pub(super) fn new(sources: &StateSources) -> Self {
        let shared = |sources: StateSources| SharedAnswer::new(move || build(sources.clone()));
        let each = sources.mirrors.iter().map(|one| {
            let mirrors = vec![one.clone()];
            (one.0.clone(), shared(StateSources { mirrors, ..sources.clone() }))
        });
        Self { all: shared(sources.clone()), each: each.collect() }
    }

    /// The state, compressed: of one daemon, or of all.
    ///
    /// # Errors
    /// There is no such daemon, too many ask, or the server stops.
    pub(super) async fn get(&self, daemon: Option<&str>) -> BuiltState {
        let shared = match daemon {
            None => &self.all,
            Some(name) => {
                let found = self.each.iter().find(|(known, _)| known == name);
                let none = || WebError::not_found(format!("there is no daemon \"{name}\""));
                &found.ok_or_else(none)?.1
            }
        };
        match shared.ask().await {
            Ok(built) => built,
            Err(AskError::TooMany) => Err(WebError::too_many("too many ask for the state", 2)),
            Err(AskError::Stopping) => Err(WebError::stopping()),
        }
    }
}

async fn build(sources: StateSources) -> BuiltState {
    // Before the parts are read: what changes meanwhile is in them, and comes again.
    let LastEventId(id) = sources.tabs.send(GetLastEventId).await?;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let head = [
        (r#"{"now":"#, to_json(&unix_rfc3339(SystemTime::now()))),
        (r#","event_id":"#, to_json(&id.to_string())),
        (r#","version":"#, to_json(&env!("CARGO_PKG_VERSION"))),
        (r#","daemons":"#, b"[".to_vec()),
    ];
    // Writing to a Vec cannot fail.
    for (key, value) in head {
        let _ = encoder.write_all(key.as_bytes());
        let _ = encoder.write_all(&value);
    }
    for (place, (_, mirror)) in sources.mirrors.iter().enumerate() {
        let part = mirror.send(GetDaemonState).await?;
        let compressed = tokio::task::spawn_blocking(move || {
            let separator: &[u8] = if place > 0 { b"," } else { b"" };
            let _ = encoder.write_all(separator);
            let _ = encoder.write_all(&part);
            encoder
        });
        encoder = compressed.await.map_err(|_| WebError::stopping())?;
    }
    let comparison = sources.comparer.send(GetComparison).await?;
    for part in [br#"],"differences":"#.as_slice(), &comparison.listed, b"}"] {
        let _ = encoder.write_all(part);
    }
    Ok(encoder.finish().unwrap_or_default().into())
}
