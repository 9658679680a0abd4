//! The stats segment of a connection: opened with it, tried again with each
//! sign of life, and never in the way of programming.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use actix::prelude::*;
use tracing::{debug, info, warn};

use super::{Counted, Epoch, LinkError, State, VppConnection};
use crate::domain::net::Vip;
use crate::vpp::client::Client;
use crate::vpp::stats::{Segment, StatsError, slots};

/// Opens the segment of the VPP that `client` is connected to.
pub(super) async fn open(
    socket: Option<PathBuf>,
    client: &Client,
) -> Result<Arc<Segment>, LinkError> {
    let socket = socket.ok_or(LinkError::StatsOff)?;
    Ok(Arc::new(Segment::connect(&socket, client.peer_process()).await?))
}

/// When VPP started, if that can be read.
pub(super) async fn booted_at(stats: Result<Arc<Segment>, LinkError>) -> Option<SystemTime> {
    match read(stats.ok()?, Segment::boot_time).await {
        Ok(booted_at) => booted_at,
        Err(error) => {
            debug!(%error, "vpp-stats-failed");
            None
        }
    }
}

/// Reads the counters of every VIP that has one slot before and after: a slot
/// that is freed and taken meanwhile has another VIP's numbers.
pub(super) async fn count(client: &Client, stats: Arc<Segment>) -> Result<Vec<Counted>, LinkError> {
    let before = places(client).await?;
    let counters = read(stats, Segment::slot_counters).await?;
    let after = places(client).await?;
    let sure = before.into_iter().filter(|(vip, slot)| after.get(vip) == Some(slot));
    let counted = |(vip, slot)| Some(Counted { vip, packets: counters.get(slot)? });
    Ok(sure.filter_map(counted).collect())
}

async fn places(client: &Client) -> Result<BTreeMap<Vip, u32>, LinkError> {
    let listing = client.read_verbose().await.map_err(LinkError::failed)?;
    let listing = listing.ok_or(LinkError::TooManyVips)?;
    if listing.entries.is_empty() && !listing.complete {
        return Err(LinkError::NotUnderstood);
    }
    if !listing.complete {
        debug!("vpp-counters-incomplete: parts of `show lb vips verbose` are not understood");
    }
    Ok(slots(&listing))
}

/// Reads on a thread that may wait.
async fn read<T: Send + 'static>(
    stats: Arc<Segment>,
    read: impl FnOnce(&Segment) -> Result<T, StatsError> + Send + 'static,
) -> Result<T, LinkError> {
    // It fails only when the daemon ends.
    let read = tokio::task::spawn_blocking(move || read(&stats)).await;
    Ok(read.map_err(|_| LinkError::ended())??)
}

impl VppConnection {
    /// Says what is new about the stats segment.
    pub(super) fn tell_of_stats(&mut self, stats: &Result<Arc<Segment>, LinkError>) {
        let trouble = match stats {
            Err(LinkError::Stats(error)) => Some(error),
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
    pub(super) fn open_stats_again(&mut self, epoch: Epoch, ctx: &mut Context<Self>) {
        let State::Up(up) = &self.state else { return };
        if !matches!(up.stats, Err(LinkError::Stats(_))) {
            return;
        }
        let (socket, client) = (self.stats_socket.clone(), up.client.clone());
        let attempt = async move { open(socket, &client).await };
        ctx.spawn(attempt.into_actor(self).map(move |stats, this, _| {
            if this.epoch != epoch {
                return;
            }
            this.tell_of_stats(&stats);
            if let State::Up(up) = &mut this.state {
                up.stats = stats;
            }
        }));
    }
}

impl Handler<super::GetCounters> for VppConnection {
    type Result = ResponseFuture<Result<Vec<Counted>, LinkError>>;

    fn handle(&mut self, _: super::GetCounters, _: &mut Self::Context) -> Self::Result {
        let client = self.client();
        let stats = match &self.state {
            State::Up(up) => up.stats.clone(),
            _ => Err(LinkError::ended()),
        };
        Box::pin(async move {
            let (_, client) = client?;
            count(&client, stats?).await
        })
    }
}
