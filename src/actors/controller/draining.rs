//! Executes drains: the command, and the readings of VPP's flows.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use actix::prelude::*;

use super::{Controller, DrainBackend, OverrideFailed};
use crate::actors::clock::moment;
use crate::actors::vpp_connection::{DataplaneError, ReadFlows};
use crate::domain::controller::OverrideCommand;
use crate::domain::drain::{DrainId, FlowCounts, FlowTimer};

impl Handler<DrainBackend> for Controller {
    type Result = ResponseFuture<Result<(), OverrideFailed>>;

    fn handle(&mut self, message: DrainBackend, ctx: &mut Self::Context) -> Self::Result {
        let DrainBackend { backend, order, given } = message;
        let name = backend.clone();
        self.command_backend(name, OverrideCommand::Drain { backend, order }, given, ctx)
    }
}

impl Controller {
    pub(super) fn set_flow_timer(timer: FlowTimer, after: Duration, ctx: &mut Context<Self>) {
        ctx.run_later(after, move |this, ctx| {
            let effects = this.state.flow_timer_fired(timer);
            this.execute(effects, ctx);
        });
    }

    pub(super) fn set_drain_timer(drain: DrainId, after: Duration, ctx: &mut Context<Self>) {
        ctx.run_later(after, move |this, ctx| {
            let effects = this.state.drain_timed_out(drain, moment());
            this.execute(effects, ctx);
        });
    }

    /// Asks for VPP's flows, and processes the answer.
    pub(super) fn read_flows(&self, packets_of: BTreeSet<IpAddr>, ctx: &mut Context<Self>) {
        let begun = moment().monotonic;
        let counter = self.flow_counter.clone();
        let reading = async move {
            let Some(counter) = counter else { return Err(DataplaneError::Off.to_string()) };
            match counter.send(ReadFlows { packets_of }).await {
                Ok(counts) => counts.map_err(|error| error.to_string()),
                Err(_) => Err(DataplaneError::ended().to_string()),
            }
        };
        ctx.spawn(reading.into_actor(self).map(move |counts: Result<FlowCounts, _>, this, ctx| {
            let now = moment();
            let took = now.monotonic.saturating_duration_since(begun);
            let effects = this.state.flows_read(&counts, took, now);
            this.execute(effects, ctx);
        }));
    }
}
