//! The rows of the live view: every frontend with its pools and their servers,
//! in the chosen order and filtered.

use std::cmp::Reverse;

use super::model::{LiveModel, SortOrder};
use crate::api::views::serving_pool;
use crate::cli::render::context::frontend_urgency;
use crate::client::mirror::MirroredState;
use crate::pb;

#[derive(Clone, Copy, Debug)]
pub(super) enum Row<'a> {
    Frontend {
        frontend: &'a pb::FrontendInfo,
        /// Its state, where an event reported it.
        status: Option<&'a MirroredState>,
        /// Backends that get new flows.
        serving: usize,
        /// All backends.
        all: usize,
    },
    /// A pool of the frontend above.
    Pool {
        pool: &'a pb::PoolInfo,
        /// Whether it gets new flows.
        serving: bool,
    },
    /// A server of the pool above.
    Server {
        /// The server with its weights.
        member: &'a pb::PoolBackendInfo,
        /// Its state, where it is known.
        status: Option<&'a MirroredState>,
    },
}

/// All rows, in order.
pub(super) fn rows(model: &LiveModel) -> Vec<Row<'_>> {
    let mut frontends: Vec<&pb::FrontendInfo> = model.mirror.frontends.values().collect();
    match model.order {
        SortOrder::Name => {}
        SortOrder::Urgency => frontends.sort_by_key(|frontend| frontend_urgency(frontend)),
        SortOrder::Latest => frontends.sort_by_key(|frontend| Reverse(latest(model, frontend))),
    }
    let filter = model.filter.to_lowercase();
    let mut rows = Vec::new();
    for frontend in frontends {
        add(model, frontend, &filter, &mut rows);
    }
    rows
}

/// When a frontend or one of its servers last changed; Unix nanoseconds.
fn latest(model: &LiveModel, frontend: &pb::FrontendInfo) -> i64 {
    let own = model.mirror.frontend_states.get(&frontend.name).map(|status| status.since_ns);
    let members = frontend.pools.iter().flat_map(|pool| &pool.backends);
    let servers =
        members.filter_map(|member| Some(model.mirror.backend_states.get(&member.name)?.since_ns));
    servers.chain(own).max().unwrap_or(0)
}

/// Adds the rows of a frontend that match the filter: all where the frontend
/// itself matches, and otherwise the matching servers with their pools.
fn add<'a>(
    model: &'a LiveModel,
    frontend: &'a pb::FrontendInfo,
    filter: &str,
    rows: &mut Vec<Row<'a>>,
) {
    let matches = |texts: &[&str]| texts.iter().any(|text| text.to_lowercase().contains(filter));
    let whole = matches(&[&frontend.name, &frontend.address, &frontend.state]);
    let chosen = |member: &pb::PoolBackendInfo| {
        let status = model.mirror.backend_states.get(&member.name);
        let known = status.map_or(["", ""], |status| [&status.state, &status.address]);
        whole || matches(&[&member.name, known[0], known[1]])
    };
    let members = || frontend.pools.iter().flat_map(|pool| &pool.backends);
    if !whole && !members().any(chosen) {
        return;
    }
    rows.push(Row::Frontend {
        frontend,
        status: model.mirror.frontend_states.get(&frontend.name),
        serving: members().filter(|member| member.effective_weight > 0).count(),
        all: members().count(),
    });
    if model.folded {
        return;
    }
    let serving = serving_pool(frontend);
    for pool in &frontend.pools {
        let members: Vec<_> = pool.backends.iter().filter(|member| chosen(member)).collect();
        if members.is_empty() {
            continue;
        }
        let serving = serving.is_some_and(|found| std::ptr::eq(found, pool));
        rows.push(Row::Pool { pool, serving });
        rows.extend(members.into_iter().map(|member| Row::Server {
            member,
            status: model.mirror.backend_states.get(&member.name),
        }));
    }
}
