//! The rows of the live view: every frontend with its pools and their servers,
//! in the order and with the filter that the operator chose.

use std::cmp::Reverse;

use super::model::{Model, SortOrder, Standing};
use crate::cli::answer::serving_pool;
use crate::cli::render::context::urgency;
use crate::pb;

/// One row.
#[derive(Clone, Copy, Debug)]
pub(super) enum Row<'a> {
    /// A frontend.
    Frontend {
        /// What is configured.
        frontend: &'a pb::FrontendInfo,
        /// Since when it is in its state, if that is known.
        standing: Option<&'a Standing>,
        /// Backends that get new flows.
        serving: usize,
        /// All backends.
        all: usize,
    },
    /// A pool of the frontend above.
    Pool {
        /// The pool.
        pool: &'a pb::PoolInfo,
        /// Whether it serves.
        serving: bool,
    },
    /// A server of the pool above.
    Server {
        /// Its weights.
        member: &'a pb::PoolBackendInfo,
        /// Its state, if it is known.
        standing: Option<&'a Standing>,
    },
}

/// All rows, in order.
pub(super) fn rows(model: &Model) -> Vec<Row<'_>> {
    let mut frontends: Vec<&pb::FrontendInfo> = model.frontends.values().collect();
    match model.order {
        SortOrder::Name => {}
        SortOrder::Urgency => frontends.sort_by_key(|frontend| urgency(&frontend.state)),
        SortOrder::Latest => frontends.sort_by_key(|frontend| Reverse(latest(model, frontend))),
    }
    let filter = model.filter.to_lowercase();
    let mut rows = Vec::new();
    for frontend in frontends {
        add(model, frontend, &filter, &mut rows);
    }
    rows
}

/// When a frontend or one of its servers changed last; Unix nanoseconds.
fn latest(model: &Model, frontend: &pb::FrontendInfo) -> i64 {
    let own = model.standings.get(&frontend.name).map(|standing| standing.since_ns);
    let members = frontend.pools.iter().flat_map(|pool| &pool.backends);
    let servers = members.filter_map(|member| Some(model.backends.get(&member.name)?.since_ns));
    servers.chain(own).max().unwrap_or(0)
}

/// The rows of a frontend that the filter lets through: all where the
/// frontend itself fits, and otherwise the servers that do, with their pools.
fn add<'a>(
    model: &'a Model,
    frontend: &'a pb::FrontendInfo,
    filter: &str,
    rows: &mut Vec<Row<'a>>,
) {
    let fits = |texts: &[&str]| texts.iter().any(|text| text.to_lowercase().contains(filter));
    let whole = fits(&[&frontend.name, &frontend.address, &frontend.state]);
    let chosen = |member: &pb::PoolBackendInfo| {
        let standing = model.backends.get(&member.name);
        let told = standing.map_or(["", ""], |standing| [&standing.state, &standing.address]);
        whole || fits(&[&member.name, told[0], told[1]])
    };
    let members = || frontend.pools.iter().flat_map(|pool| &pool.backends);
    if !whole && !members().any(chosen) {
        return;
    }
    rows.push(Row::Frontend {
        frontend,
        standing: model.standings.get(&frontend.name),
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
        rows.extend(
            members
                .into_iter()
                .map(|member| Row::Server { member, standing: model.backends.get(&member.name) }),
        );
    }
}
