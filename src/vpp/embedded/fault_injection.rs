//! The faults that can be injected into the embedded VPP, and the snapshot of
//! its state.

use std::time::Duration;

use super::plugin::{Conf, ServerRow, VipRow};
use crate::vpp::wire::{LbAddDelAsV2, LbAddDelVipV2, LbAsSetWeight, LbConfSet, VipKey};

/// A change of the load balancer that a client asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteRequest {
    /// `lb_conf`
    Conf(LbConfSet),
    /// `lb_add_del_vip_v2`, or its forerunner in lb.api 1.1.0.
    Vip(LbAddDelVipV2),
    /// `lb_add_del_as_v2`, or its forerunner in lb.api 1.1.0.
    Server(LbAddDelAsV2),
    /// `lb_as_set_weight`
    Weight(LbAsSetWeight),
    /// `lb_flush_vip`
    FlushVip(VipKey),
}

/// A change that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteRecord {
    pub write: WriteRequest,
    /// The return value, whether it was sent or lost.
    pub retval: i32,
}

/// What happens to a request in place of its normal service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InjectedFault {
    /// The connection ends, and nothing is done.
    DropBefore,
    /// It is done, and the connection ends without an answer.
    DropAfter,
    /// It is done, and the answer is held back until
    /// [`release`](super::Control::release); later answers go out before.
    HoldReply,
    /// It is done and never answered.
    LoseReply,
    /// It is answered with this code and not done. Requests whose replies
    /// have nothing but a code can be refused.
    Refuse(i32),
    /// VPP crashes: all connections end, and it starts again, empty.
    Crash,
}

/// The requests that a [`InjectedFault`] strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultCondition {
    message: Option<&'static str>,
    skip: u32,
    times: u32,
}

impl FaultCondition {
    /// The next request, whatever it is.
    pub const NEXT: Self = Self { message: None, skip: 0, times: 1 };

    /// The next request of this name (`lb_as_set_weight`).
    #[must_use]
    pub const fn message(name: &'static str) -> Self {
        Self { message: Some(name), ..Self::NEXT }
    }

    /// Lets this many pass first.
    #[must_use]
    pub const fn after(self, skip: u32) -> Self {
        Self { skip, ..self }
    }

    /// Strikes this many in a row.
    #[must_use]
    pub const fn times(self, times: u32) -> Self {
        Self { times, ..self }
    }
}

/// The faults that have not struck yet.
#[derive(Debug, Default)]
pub(super) struct InjectedFaults(Vec<(FaultCondition, InjectedFault)>);

impl InjectedFaults {
    pub(super) fn add(&mut self, when: FaultCondition, fault: InjectedFault) {
        if when.times > 0 {
            self.0.push((when, fault));
        }
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// What strikes a request of this name: the first rule that is due.
    pub(super) fn strike(&mut self, name: &str) -> Option<InjectedFault> {
        let mut due = None;
        for (place, (when, _)) in self.0.iter_mut().enumerate() {
            if when.message.is_some_and(|wanted| wanted != name) {
                continue;
            }
            if when.skip > 0 {
                when.skip -= 1;
            } else if due.is_none() {
                when.times -= 1;
                due = Some(place);
            }
        }
        let fault = self.0.get(due?)?.1;
        self.0.retain(|(when, _)| when.times > 0);
        Some(fault)
    }
}

/// The state of the embedded VPP at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmbeddedSnapshot {
    pub running: bool,
    /// Time since it started, by its own clock.
    pub uptime: Duration,
    pub conf: Conf,
    /// VIPs in use, in slot order.
    pub vips: Vec<VipRow>,
    /// Servers in use and retired, in the order of a dump.
    pub servers: Vec<ServerRow>,
    /// Clients that it lists, by name.
    pub clients: Vec<String>,
    /// Clients that it lists although they are gone.
    pub dead_clients: Vec<String>,
    /// How many injected faults have not struck yet.
    pub faults: usize,
    /// Answers that are held back.
    pub held: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_strikes_when_it_is_due_and_no_more() {
        let mut faults = InjectedFaults::default();
        faults.add(FaultCondition::message("a").after(1).times(2), InjectedFault::Refuse(-6));
        faults.add(FaultCondition::NEXT.after(4), InjectedFault::Crash);
        faults.add(FaultCondition::NEXT.times(0), InjectedFault::Crash);
        let struck = ["b", "a", "a", "a", "a", "a"].map(|name| faults.strike(name));
        let refuse = Some(InjectedFault::Refuse(-6));
        assert_eq!(struck, [None, None, refuse, refuse, Some(InjectedFault::Crash), None]);
        assert_eq!(faults.len(), 0);
    }
}
