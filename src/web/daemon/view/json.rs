//! A view of a daemon as JSON: its part of the state, and what has changed.

use serde_json::{Value, json};

use super::DaemonView;
use crate::api::views::time::{known_moment, rfc3339};
use crate::web::json::{JsonObject, to_json};

/// The keys of the daemon itself.
const KEYS: [&str; 10] = [
    "connection",
    "clock_ahead_ms",
    "boot_id",
    "version",
    "role",
    "fingerprint",
    "vpp",
    "held",
    "overrides_kept",
    "overrides",
];

impl DaemonView {
    fn key(&self, object: &mut JsonObject, key: &str) {
        match key {
            "connection" => object.set(key, &self.connection),
            "clock_ahead_ms" => object.set(key, &self.clock_ahead_ms),
            "boot_id" => object.set(key, &self.boot_id.map(|id| format!("{id:016x}"))),
            "version" => object.set(key, &self.identity.version),
            "role" => object.set(key, &self.identity.role),
            "fingerprint" => object.set(key, &self.fingerprint),
            "vpp" => object.set(key, &self.vpp),
            "held" => object.set(key, &self.held_json()),
            "overrides_kept" => object.set(key, &self.overrides.kept),
            _ => object.set(key, &self.overrides.overrides),
        };
    }

    fn held_json(&self) -> Vec<Value> {
        let one = |(probes, since): (&String, &i64)| json!({ "probes": probes, "since": known_moment(*since) });
        self.held.iter().map(one).collect()
    }

    fn as_of(&self) -> Option<String> {
        self.as_of_ns.map(rfc3339)
    }

    /// Its part of the state.
    pub(in crate::web) fn state_json(&self) -> Vec<u8> {
        let mut object = JsonObject::default();
        object.set("name", &self.name).set("address", &self.address);
        object.set("as_of", &self.as_of());
        KEYS.iter().for_each(|key| self.key(&mut object, key));
        object.set_array("frontends", self.frontends.values());
        object.set_array("backends", self.backends.values().map(to_json));
        object.set_array("timeline", &self.timeline);
        object.finish()
    }

    /// What tabs are not told yet; nothing is pending then.
    pub(in crate::web) fn batch_json(&mut self) -> Vec<u8> {
        let pending = self.pending.take();
        let mut object = JsonObject::default();
        object.set("daemon", &self.name).set("as_of", &self.as_of());
        KEYS.iter()
            .filter(|key| pending.keys.contains(**key))
            .for_each(|key| self.key(&mut object, key));
        if !pending.frontends.changed.is_empty() {
            let changed = pending.frontends.changed.iter();
            object.set_array("frontends", changed.filter_map(|name| self.frontends.get(name)));
        }
        if !pending.backends.changed.is_empty() {
            let changed = pending.backends.changed.iter();
            let changed = changed.filter_map(|name| self.backends.get(name)).map(to_json);
            object.set_array("backends", changed);
        }
        for (key, gone) in
            [("frontends_gone", &pending.frontends.gone), ("backends_gone", &pending.backends.gone)]
        {
            if !gone.is_empty() {
                object.set(key, gone);
            }
        }
        if !pending.entries.is_empty() {
            object.set_array("timeline", &pending.entries);
            object.set("timeline_left_out", &pending.left_out);
        }
        object.finish()
    }
}
