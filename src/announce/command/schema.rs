//! What the program gets and answers; docs/announce.md shows it.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::domain::announce::placement::{
    Exported, PlacedRoutes, RoutePlacement, VipPrefix, WantedRoutes,
};

/// Rises when a program would have to change.
const VERSION: u32 = 1;

#[derive(Debug, Serialize)]
pub(super) struct ProgramRequest {
    version: u32,
    /// `apply`: make it so; `read`: tell only what there is.
    action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    wanted: Option<Vec<WantedRoute>>,
}

#[derive(Debug, Serialize)]
struct WantedRoute {
    prefix: String,
    state: &'static str,
}

/// Unknown fields are passed over, so that a program may tell others more.
#[derive(Debug, Deserialize)]
pub(super) struct ProgramAnswer {
    /// All that is placed afterwards.
    placed: Vec<AnsweredRoute>,
    /// What could not be done.
    #[serde(default)]
    failed: Vec<FailedRoute>,
}

#[derive(Debug, Deserialize)]
struct AnsweredRoute {
    #[serde(deserialize_with = "prefix")]
    prefix: VipPrefix,
    state: AnsweredState,
    /// Whether a neighbor is sent it; left out or `null`: not known.
    #[serde(default)]
    exported: Option<bool>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum AnsweredState {
    Announced,
    Drained,
    /// Somebody else has a route to it.
    Foreign,
}

#[derive(Debug, Deserialize)]
struct FailedRoute {
    #[serde(deserialize_with = "prefix")]
    prefix: VipPrefix,
    reason: String,
}

impl ProgramRequest {
    pub(super) const fn read() -> Self {
        Self { version: VERSION, action: "read", wanted: None }
    }

    pub(super) fn apply(wanted: &WantedRoutes) -> Self {
        let state = |placement: &RoutePlacement| match placement {
            RoutePlacement::Announced => "announced",
            RoutePlacement::Drained => "drained",
        };
        let routes = wanted.iter().map(|(prefix, placement)| WantedRoute {
            prefix: prefix.to_string(),
            state: state(placement),
        });
        Self { version: VERSION, action: "apply", wanted: Some(routes.collect()) }
    }

    /// One line.
    pub(super) fn bytes(&self) -> Vec<u8> {
        // Strings and numbers alone cannot fail.
        let mut bytes = serde_json::to_vec(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }
}

impl ProgramAnswer {
    pub(super) fn parse(text: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(text)
    }

    pub(super) fn placed(&self) -> PlacedRoutes {
        let mut found = PlacedRoutes::new();
        for AnsweredRoute { prefix, state, exported } in &self.placed {
            let route = found.entry(*prefix).or_default();
            match state {
                AnsweredState::Announced => route.set(RoutePlacement::Announced),
                AnsweredState::Drained => route.set(RoutePlacement::Drained),
                AnsweredState::Foreign => route.foreign = true,
            }
            route.exported = match exported {
                Some(true) => Exported::Yes,
                Some(false) => Exported::No,
                None => Exported::Unknown,
            };
        }
        found
    }

    pub(super) fn failures(&self) -> BTreeMap<VipPrefix, String> {
        self.failed.iter().map(|failed| (failed.prefix, failed.reason.clone())).collect()
    }
}

fn prefix<'de, D: Deserializer<'de>>(text: D) -> Result<VipPrefix, D::Error> {
    String::deserialize(text)?.parse().map_err(D::Error::custom)
}
