//! The actors that answer requests.

use actix::Addr;

use crate::actors::announcer::Announcer;
use crate::actors::broadcaster::Broadcaster;
use crate::actors::controller::Controller;
use crate::actors::doctor::Doctor;
use crate::actors::reconciler::Reconciler;
use crate::actors::vpp_connection::VppConnection;
use crate::actors::watchdog::Watchdog;

/// An address for each kind of question: of configuration and health, of what
/// is written to VPP, of what VPP holds, of what is wrong with it, of announcements, of events, of the
/// daemon's readiness.
#[derive(Clone)]
pub struct Actors {
    pub controller: Addr<Controller>,
    pub reconciler: Addr<Reconciler>,
    pub vpp: Addr<VppConnection>,
    pub doctor: Addr<Doctor>,
    pub announcer: Addr<Announcer>,
    pub broadcaster: Addr<Broadcaster>,
    pub watchdog: Addr<Watchdog>,
}
