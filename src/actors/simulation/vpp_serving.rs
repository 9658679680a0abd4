//! What the simulated VPP serves, as the routes are told, and which removals of VIPs are
//! too early.

use std::collections::BTreeSet;
use std::net::IpAddr;

use tokio::time::Instant;

use crate::actors::simulation::vpp_model::VppModel;
use crate::domain::dataplane::net::Vip;
use crate::domain::dataplane::step::Step;
use crate::domain::reconcile::WITHDRAW_LIMIT;

impl VppModel {
    /// The addresses of which a VIP has a server with entries in its table.
    pub(super) fn serving(&mut self) -> BTreeSet<IpAddr> {
        if !self.is_up {
            return BTreeSet::new();
        }
        let rows = self.plugin.server_rows();
        let rows = rows.iter().filter(|row| row.used && row.weight > 0);
        let vips = rows.filter_map(|row| row.vip.to_wire().to_vip());
        vips.map(|vip| vip.prefix().addr()).collect()
    }

    /// Tells the routes what is served now, and of which addresses the daemon cannot know.
    pub(super) fn tell_serving(&mut self) {
        let serving = self.serving();
        let mut routes = self.routes.get();
        routes.uncertain = self.uncertain.keys().map(|vip| vip.prefix().addr()).collect();
        routes.serves(&serving);
    }

    /// The daemon is about to do a step: notes one that removes a VIP that is announced.
    pub(super) fn judge_removal(&mut self, step: &Step) {
        let Step::RemoveVip(vip) = step else { return };
        let address = vip.prefix().addr();
        let is_over = self.left_since(*vip).is_none_or(|since| since.elapsed() >= WITHDRAW_LIMIT);
        let mut routes = self.routes.get();
        if routes.is_announced(address) && !is_over && !self.is_desired_at(address) {
            routes.violations.push(format!("{vip} is removed and {address} is announced"));
        }
    }

    /// Whether a frontend has this address.
    fn is_desired_at(&self, address: IpAddr) -> bool {
        self.desired.iter().any(|(vip, history)| {
            vip.prefix().addr() == address && matches!(history.last(), Some((_, Some(_))))
        })
    }

    /// Since when no frontend has this VIP; `None`: one has, or none ever had.
    fn left_since(&self, vip: Vip) -> Option<Instant> {
        let history = self.desired.get(&vip)?.iter().rev();
        history.take_while(|(_, desired)| desired.is_none()).last().map(|(at, _)| *at)
    }
}
