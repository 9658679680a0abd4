//! What the daemon logs of announcements: every withdraw has a reason that can be true.

use std::fmt::Debug;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::Registry;

use crate::actors::simulation::scenario::{Scenario, SimulatedServers};
use crate::actors::simulation::vpp_fake::SharedVpp;

/// A record of the log: a prefix is wanted otherwise than before.
#[derive(Clone, Debug, Default)]
pub(super) struct AnnouncementRecord {
    pub(super) prefix: String,
    pub(super) to: String,
    pub(super) why: String,
}

/// The records of one daemon's life.
#[derive(Clone, Debug, Default)]
pub(super) struct AnnouncementLog(Arc<Mutex<Vec<AnnouncementRecord>>>);

impl AnnouncementLog {
    /// Records what this thread logs until the guard is dropped.
    pub(super) fn begin(&self) -> tracing::subscriber::DefaultGuard {
        tracing::subscriber::set_default(Registry::default().with(self.clone()))
    }

    pub(super) fn records(&self) -> Vec<AnnouncementRecord> {
        self.0.lock().expect("no holder panics").clone()
    }

    /// Asserts that every withdraw has a reason, and one that can be: `is_left` tells that
    /// the configuration had no such address at some time.
    pub(super) fn assert_reasons(&self, is_left: impl Fn(IpAddr) -> bool) {
        for record in self.records().iter().filter(|record| record.to == "withdrawn") {
            let AnnouncementRecord { prefix, why, .. } = record;
            let address = prefix.split_once('/').and_then(|(address, _)| address.parse().ok());
            let is_true = match why.as_str() {
                "VPP is away" => true,
                "no frontend asks for it any more" => address.is_some_and(&is_left),
                why if why.starts_with("VPP does not serve ") => true,
                why => is_too_little(why),
            };
            assert!(is_true, "{prefix} is withdrawn: {why}");
        }
    }
}

/// `of the weight of web's servers 1 of 10 is up: 50% is needed`, and so it is.
fn is_too_little(why: &str) -> bool {
    let numbers = why.split([' ', '%']).filter_map(|word| word.parse::<u64>().ok());
    let [up, total, needed] = numbers.collect::<Vec<_>>()[..] else { return false };
    up == 0 || up * 100 < total * needed
}

impl<S: Subscriber> Layer<S> for AnnouncementLog {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if !event.metadata().target().ends_with("actors::announcer::log") {
            return;
        }
        let mut record = AnnouncementRecord::default();
        event.record(&mut record);
        if !record.to.is_empty() {
            self.0.lock().expect("no holder panics").push(record);
        }
    }
}

impl Visit for AnnouncementRecord {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let value = format!("{value:?}");
        match field.name() {
            "prefix" => self.prefix = value,
            "to" => self.to = value,
            "why" => self.why = value,
            _ => {}
        }
    }
}

/// What is announced serves, unless it may be the daemon that does not see that; and what
/// serves with every server up is announced.
pub(super) fn assert_announced(
    vpp: &SharedVpp,
    scenario: &Scenario,
    servers: &Mutex<SimulatedServers>,
) {
    let mut vpp = vpp.get();
    let serving = vpp.serving();
    let routes = vpp.routes.get();
    assert_eq!(routes.violations, Vec::<String>::new());
    let (wanted, placed) = (scenario.announced(), routes.placed());
    assert!(placed.is_subset(&wanted), "{placed:?} of {wanted:?}");
    let servers = servers.lock().expect("no holder panics");
    for address in wanted {
        let (up, of) = scenario.servers_of(address, &servers);
        let (is_placed, serves) = (placed.contains(&address), serving.contains(&address));
        assert!(is_placed || up < of || !serves, "{address} serves and is not announced");
        assert!(!is_placed || up == 0 || serves, "{address} is announced and does not serve");
    }
}
