//! What tests share: a running system ([`TestBed`]) with the built maglevd as a
//! child process, a daemon of fixed data for maglevc, a terminal, probes.
//!
//! Nothing waits for time to pass: every wait is for an event or a condition,
//! and has a deadline that only something broken reaches ([`wait`]).

mod backend;
pub(crate) mod certificates;
mod config;
mod daemon;
mod dataplane;
pub(crate) mod fake_daemon;
mod fleet;
pub(crate) mod hangup;
mod names;
mod page;
pub(crate) mod probe;
pub(crate) mod raw_http2;
mod ready_daemon;
pub(crate) mod terminal;
mod test_bed;
pub(crate) mod vpp;
pub(crate) mod wait;
mod watch;

pub(crate) use backend::Backend;
pub(crate) use config::Config;
pub(crate) use daemon::{Daemon, maglevd, ran};
pub(crate) use dataplane::Dataplane;
pub(crate) use fleet::{Fleet, Member, ask};
pub(crate) use names::Names;
pub(crate) use page::{get, metrics_address, sample};
pub(crate) use ready_daemon::ReadyDaemon;
pub(crate) use test_bed::TestBed;
pub(crate) use wait::soon;
pub(crate) use watch::Watch;

/// The VIP of the frontend `v4`.
pub(crate) const VIP4: &str = "192.0.2.80";
/// The VIP of the frontend `v6`.
pub(crate) const VIP6: &str = "2001:db8::80";
