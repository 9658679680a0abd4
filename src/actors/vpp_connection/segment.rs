//! Opening and reading VPP's stats segment.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use tracing::debug;

use super::messages::{CountersError, VipPackets, call_failed};
use crate::domain::dataplane::connection::DataplaneError;
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

/// Reads the counters of every VIP that has the same slot before and after: a
/// slot that is freed and taken meanwhile has another VIP's numbers.
pub(super) async fn count(
    client: &VppClient,
    stats: Arc<StatsSegment>,
) -> Result<Vec<VipPackets>, CountersError> {
    let before = slots_of_vips(client).await?;
    let counters = read(stats, StatsSegment::slot_counters).await?;
    let after = slots_of_vips(client).await?;
    let certain = before.into_iter().filter(|(vip, slot)| after.get(vip) == Some(slot));
    let counted = |(vip, slot)| Some(VipPackets { vip, packets: counters.get(slot)? });
    Ok(certain.filter_map(counted).collect())
}

async fn slots_of_vips(client: &VppClient) -> Result<BTreeMap<Vip, u32>, CountersError> {
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

/// Reads on a thread that may block.
async fn read<T: Send + 'static>(
    stats: Arc<StatsSegment>,
    read: impl FnOnce(&StatsSegment) -> Result<T, StatsError> + Send + 'static,
) -> Result<T, CountersError> {
    // It fails only when the daemon ends.
    let read = tokio::task::spawn_blocking(move || read(&stats)).await;
    Ok(read.map_err(|_| DataplaneError::ended())??)
}
