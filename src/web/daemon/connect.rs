//! Follows a daemon for its mirror, over losses and refusals.

use std::time::Duration;

use actix::prelude::*;
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::messages::{ApplyMirrorUpdate, MirrorRefused};
use crate::client::connection::DaemonClient;
use crate::client::mirror::{RefreshPolicy, feed};

/// Events report what changes; this is for what they do not.
const POLICY: RefreshPolicy = RefreshPolicy {
    interval: Duration::from_secs(60),
    backends_interval: Some(Duration::from_secs(60)),
    after_transitions: true,
    rest: Duration::from_millis(2),
    audit: true,
};
/// Updates that may wait for the mirror: then the daemon's stream waits.
const QUEUE: usize = 256;
/// How long after a refusal the daemon is asked again: rights may have changed.
const REFUSED_INTERVAL: Duration = Duration::from_secs(5);

/// Never ends, unless the mirror is gone.
pub(super) async fn follow(
    client: DaemonClient,
    mirror: Recipient<ApplyMirrorUpdate>,
    refusals: Recipient<MirrorRefused>,
) {
    loop {
        let (sender, mut updates) = mpsc::channel(QUEUE);
        let feeding = tokio::spawn(feed(client.clone(), POLICY, sender));
        while let Some(update) = updates.recv().await {
            if mirror.send(ApplyMirrorUpdate(update)).await.is_err() {
                feeding.abort();
                return;
            }
        }
        if let Ok(Err(error)) = feeding.await
            && refusals.send(MirrorRefused(error)).await.is_err()
        {
            return;
        }
        sleep(REFUSED_INTERVAL).await;
    }
}
