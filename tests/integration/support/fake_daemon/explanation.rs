//! Why things are as they are at the fake daemon, and what it is compared by.

use vpp_maglev::pb::*;

use super::data::{NOW_NS, ago, backend_names, frontend_names, text};

fn statement(
    stage: &str,
    frontend: &str,
    seconds: i64,
    said: &str,
    remedy: &str,
) -> ExplainStatement {
    ExplainStatement {
        stage: text(stage),
        frontend_name: text(frontend),
        text: text(said),
        since_unix_ns: if seconds > 0 { ago(seconds) } else { 0 },
        remedy: text(remedy),
    }
}

/// A probe that ended so many seconds ago.
pub(super) fn probe(code: &str, passed: bool, seconds: i64) -> ProbeRecord {
    let took_ns = if passed { 1_540_000 } else { 210_000 };
    ProbeRecord { code: text(code), took_ns, at_unix_ns: ago(seconds), passed }
}

pub(super) fn of_backend(name: &str) -> Explanation {
    Explanation {
        name: text(name),
        kind: text("check_fails"),
        cause: format!(
            "{name} gets no new flows because its health check fails: L4CON connection refused\x1b[2J, 3 of 3"
        ),
        since_unix_ns: ago(630),
        chain: vec![
            statement(
                "probes",
                "",
                2,
                "health check web, oldest first: 7 × L7OK, 3 × L4CON",
                "show healthcheck web",
            ),
            statement("verdict", "", 630, "it is down, and was up: L4CON connection refused", ""),
            statement("pool", "web", 0, "it is in pool primary; pool primary serves", ""),
            statement(
                "read_back",
                "web",
                3 * 86_400,
                "VPP has weight 0 and 0 of 1024 entries",
                "sync vpp lb state web",
            ),
        ],
        now_unix_ns: NOW_NS,
    }
}

pub(super) fn of_frontend(name: &str) -> Explanation {
    Explanation {
        name: text(name),
        kind: text("serves"),
        cause: format!("{name} sends new flows to 2 of 2 backends of pool primary"),
        since_unix_ns: ago(2 * 86_400),
        chain: vec![statement("write", name, 59, "VPP confirmed all that is due", "")],
        now_unix_ns: NOW_NS,
    }
}

/// Two daemons that differ in `other` have another state of one backend.
pub(super) fn fingerprints(other: bool) -> Fingerprints {
    let backend = |name: &String| ComparedBackend {
        name: name.clone(),
        state: text(if other && name == "nginx0" { "down" } else { "up" }),
        admin: text("enabled"),
        admin_overridden: false,
    };
    let frontend = |name: &String| ComparedFrontend {
        name: name.clone(),
        state: text("up"),
        table: text("af63dc4c8601ec8c"),
        dialect: text("weights"),
        weights: vec![],
    };
    Fingerprints {
        config: text("cbf29ce484222325"),
        objects: vec![],
        backends: backend_names().iter().map(backend).collect(),
        frontends: frontend_names().iter().map(frontend).collect(),
        now_unix_ns: NOW_NS,
    }
}
