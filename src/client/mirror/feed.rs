//! Executes what a mirror needs: follows the events of a daemon, sends the
//! requests that [`Refresh`] decides on, and forwards what is received.

use std::time::Instant;

use tokio::sync::mpsc::Sender;
use tokio::time::sleep_until;

use super::refresh::{MirrorQuery, Refresh, RefreshPolicy};
use super::state::{MirrorSnapshot, MirrorUpdate, VppStatus};
use crate::client::connection::DaemonClient;
use crate::client::error::ClientError;
use crate::client::follow::{FollowItem, FollowPolicy, StreamFollower};
use crate::client::requests;
use crate::pb;

/// Sends the updates of a mirror, over every loss of the daemon, until the
/// receiver of `updates` is dropped.
///
/// # Errors
/// [`ClientError::Refused`] when the daemon refuses the stream or a request.
pub async fn feed(
    client: DaemonClient,
    refresh: RefreshPolicy,
    updates: Sender<MirrorUpdate>,
) -> Result<(), ClientError> {
    let request = pb::WatchRequest {
        log: Some(false),
        change: Some(true),
        hold: Some(true),
        drain: Some(true),
        audit: Some(refresh.audit),
        announcement: Some(true),
        ..pb::WatchRequest::default()
    };
    let policy = FollowPolicy { retry_first: true, retry_refused: false };
    let mut follower = StreamFollower::new(client.clone(), request, policy);
    let mut refresh = Refresh::new(refresh);
    loop {
        let update = tokio::select! {
            item = follower.next() => match item? {
                FollowItem::Connected { .. } => {
                    refresh.connected(Instant::now());
                    None
                }
                FollowItem::Event(event) => {
                    refresh.event(&event, Instant::now());
                    Some(MirrorUpdate::Event(event))
                }
                FollowItem::Lost { error, .. } => {
                    refresh.lost();
                    Some(MirrorUpdate::Lost(error))
                }
                // Everything is requested again anyway when a stream opens.
                FollowItem::Restarted | FollowItem::Refused(_) => None,
            },
            () = until(refresh.due()) => None,
        };
        let mut received: Vec<MirrorUpdate> = update.into_iter().collect();
        if let Some(query) = refresh.take(Instant::now()) {
            match execute(&client, query, &mut refresh).await {
                Ok(answers) => received.extend(answers),
                Err(error) if error.is_unreachable() => follower.fail(error),
                Err(error) => return Err(error),
            }
        }
        for update in received {
            if updates.send(update).await.is_err() {
                return Ok(());
            }
        }
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}

/// Sends the requests of a query.
async fn execute(
    client: &DaemonClient,
    query: MirrorQuery,
    refresh: &mut Refresh,
) -> Result<Vec<MirrorUpdate>, ClientError> {
    let (names, backends, with_vpp) = match query {
        MirrorQuery::Everything { backends } => {
            let (frontends, _) = requests::frontends(client).await?;
            let backends = if backends { Some(requests::backends(client).await?) } else { None };
            let vpp = vpp(client).await?;
            let received = Instant::now();
            refresh.received(None, &frontends, received);
            let snapshot = MirrorSnapshot { frontends, backends, vpp, received };
            return Ok(vec![MirrorUpdate::Snapshot(snapshot)]);
        }
        MirrorQuery::Parts { frontends, backends, vpp } => (frontends, backends, vpp),
    };
    let backends = requests::each(client, backends, requests::backend).await?;
    let mut updates: Vec<MirrorUpdate> =
        backends.into_iter().map(|it| MirrorUpdate::Backend(it.into())).collect();
    let frontends = requests::each(client, names.clone(), requests::frontend).await?;
    refresh.received(Some(&names), &frontends, Instant::now());
    updates.push(MirrorUpdate::Frontends { names, frontends });
    if with_vpp {
        updates.push(MirrorUpdate::Vpp(vpp(client).await?, Instant::now()));
    }
    Ok(updates)
}

async fn vpp(client: &DaemonClient) -> Result<VppStatus, ClientError> {
    match requests::vpp_info(client).await {
        Ok(info) => Ok(VppStatus::Connected(info)),
        Err(error @ ClientError::Refused { .. }) => Ok(VppStatus::Away(error)),
        Err(error) => Err(error),
    }
}
