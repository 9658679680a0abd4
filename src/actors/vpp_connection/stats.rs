//! The stats segment of a connection: opened with it, tried again after each
//! ping, and never in the way of programming.

use std::sync::Arc;

use actix::prelude::*;
use tracing::{info, warn};

use super::{
    ConnectionPhase, CountersError, DataplaneError, GetCounters, VipPackets, VppConnection, segment,
};
use crate::vpp::stats::StatsSegment;

impl VppConnection {
    /// Logs a change of the stats segment's availability.
    pub(super) fn log_stats(&mut self, stats: &Result<Arc<StatsSegment>, CountersError>) {
        let error = match stats {
            Err(CountersError::Segment(error)) => Some(error),
            _ => None,
        };
        match error {
            Some(why) if self.logged_stats_error.as_ref() != Some(why) => {
                warn!(%why, "vpp-stats-unavailable: VPP is programmed, and has no counters and no boot time");
            }
            None if self.logged_stats_error.is_some() => info!("vpp-stats-available"),
            _ => {}
        }
        self.logged_stats_error = error.cloned();
    }

    /// Opens the segment, if that failed before.
    pub(super) fn reopen_stats(&mut self, ctx: &mut Context<Self>) {
        let ConnectionPhase::Up(up) = &self.phase else { return };
        if !matches!(up.stats, Err(CountersError::Segment(_))) {
            return;
        }
        let epoch = self.epoch;
        let (socket, client) = (self.stats_socket.clone(), up.client.clone());
        let attempt = async move { segment::open(socket, &client).await };
        ctx.spawn(attempt.into_actor(self).map(move |stats, this, _| {
            if this.epoch != epoch {
                return;
            }
            this.log_stats(&stats);
            if let ConnectionPhase::Up(up) = &mut this.phase {
                up.stats = stats;
            }
        }));
    }
}

impl Handler<GetCounters> for VppConnection {
    type Result = ResponseFuture<Result<Vec<VipPackets>, CountersError>>;

    fn handle(&mut self, _: GetCounters, _: &mut Self::Context) -> Self::Result {
        let client = self.client();
        let stats = match &self.phase {
            ConnectionPhase::Up(up) => up.stats.clone(),
            _ => Err(DataplaneError::ended().into()),
        };
        Box::pin(async move {
            let (_, client) = client?;
            segment::count(&client, stats?).await
        })
    }
}

#[cfg(test)]
mod tests;
