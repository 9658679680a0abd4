//! The stats segment of a connection: opened with it, tried again with each
//! sign of life, and never in the way of programming.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use actix::prelude::*;
use tracing::{debug, info, warn};

use super::messages::call_failed;
use super::{ConnectionPhase, CountersError, DataplaneError, VipPackets, VppConnection};
use crate::domain::dataplane::net::Vip;
use crate::vpp::client::VppClient;
use crate::vpp::stats::{StatsError, StatsSegment, slots};

/// Opens the segment of the VPP that `client` is connected to.
pub(super) async fn open(
    socket: Option<PathBuf>,
    client: &VppClient,
) -> Result<Arc<StatsSegment>, CountersError> {
    let socket = socket.ok_or(CountersError::Off)?;
    Ok(Arc::new(StatsSegment::connect(&socket, client.peer_process()).await?))
}

/// When VPP started, if that can be read.
pub(super) async fn booted_at(
    stats: Result<Arc<StatsSegment>, CountersError>,
) -> Option<SystemTime> {
    match read(stats.ok()?, StatsSegment::boot_time).await {
        Ok(booted_at) => booted_at,
        Err(error) => {
            debug!(%error, "vpp-stats-failed");
            None
        }
    }
}

/// Reads the counters of every VIP that has one slot before and after: a slot
/// that is freed and taken meanwhile has another VIP's numbers.
pub(super) async fn count(
    client: &VppClient,
    stats: Arc<StatsSegment>,
) -> Result<Vec<VipPackets>, CountersError> {
    let before = places(client).await?;
    let counters = read(stats, StatsSegment::slot_counters).await?;
    let after = places(client).await?;
    let sure = before.into_iter().filter(|(vip, slot)| after.get(vip) == Some(slot));
    let counted = |(vip, slot)| Some(VipPackets { vip, packets: counters.get(slot)? });
    Ok(sure.filter_map(counted).collect())
}

async fn places(client: &VppClient) -> Result<BTreeMap<Vip, u32>, CountersError> {
    let listing = client.read_verbose().await.map_err(call_failed)?;
    let listing = listing.ok_or(CountersError::TooManyVips)?;
    if listing.entries.is_empty() && !listing.complete {
        return Err(CountersError::NotUnderstood);
    }
    if !listing.complete {
        debug!("vpp-counters-incomplete: parts of `show lb vips verbose` are not understood");
    }
    Ok(slots(&listing))
}

/// Reads on a thread that may wait.
async fn read<T: Send + 'static>(
    stats: Arc<StatsSegment>,
    read: impl FnOnce(&StatsSegment) -> Result<T, StatsError> + Send + 'static,
) -> Result<T, CountersError> {
    // It fails only when the daemon ends.
    let read = tokio::task::spawn_blocking(move || read(&stats)).await;
    Ok(read.map_err(|_| DataplaneError::ended())??)
}

impl VppConnection {
    /// Says what is new about the stats segment.
    pub(super) fn tell_of_stats(&mut self, stats: &Result<Arc<StatsSegment>, CountersError>) {
        let trouble = match stats {
            Err(CountersError::Segment(error)) => Some(error),
            _ => None,
        };
        match trouble {
            Some(why) if self.told_of_stats.as_ref() != Some(why) => {
                warn!(%why, "vpp-stats-unavailable: VPP is programmed, and has no counters and no boot time");
            }
            None if self.told_of_stats.is_some() => info!("vpp-stats-available"),
            _ => {}
        }
        self.told_of_stats = trouble.cloned();
    }

    /// Tries again to open the segment, if it could not be opened before.
    pub(super) fn open_stats_again(&mut self, ctx: &mut Context<Self>) {
        let ConnectionPhase::Up(up) = &self.state else { return };
        if !matches!(up.stats, Err(CountersError::Segment(_))) {
            return;
        }
        let epoch = self.epoch;
        let (socket, client) = (self.stats_socket.clone(), up.client.clone());
        let attempt = async move { open(socket, &client).await };
        ctx.spawn(attempt.into_actor(self).map(move |stats, this, _| {
            if this.epoch != epoch {
                return;
            }
            this.tell_of_stats(&stats);
            if let ConnectionPhase::Up(up) = &mut this.state {
                up.stats = stats;
            }
        }));
    }
}

impl Handler<super::GetCounters> for VppConnection {
    type Result = ResponseFuture<Result<Vec<VipPackets>, CountersError>>;

    fn handle(&mut self, _: super::GetCounters, _: &mut Self::Context) -> Self::Result {
        let client = self.client();
        let stats = match &self.state {
            ConnectionPhase::Up(up) => up.stats.clone(),
            _ => Err(DataplaneError::ended().into()),
        };
        Box::pin(async move {
            let (_, client) = client?;
            count(&client, stats?).await
        })
    }
}

#[cfg(test)]
mod tests;
