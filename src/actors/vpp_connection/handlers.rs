//! The handlers of the VppConnection's messages.

use std::collections::BTreeMap;

use actix::prelude::*;
use tracing::info;

use super::messages::call_failed;
use super::{
    Apply, Close, Collect, Connected, ConnectionPhase, ConnectionState, ConnectionStats,
    ConnectionSubscriber, DataplaneError, DataplaneHandle, Epoch, GetConnectionState,
    GetConnectionStats, GetVppInfo, Observe, ObservedAt, Outcome, ReadServers, SubscribeConnection,
    VppConnection, VppInfo, segment,
};
use crate::actors::Outbox;
use crate::domain::dataplane::net::Vip;
use crate::domain::dataplane::observed::ObservedServers;
use crate::vpp::client::VppClient;

impl From<Addr<VppConnection>> for DataplaneHandle {
    fn from(vpp: Addr<VppConnection>) -> Self {
        let (subscribe, observe) = (vpp.clone().recipient(), vpp.clone().recipient());
        let (read_servers, apply) = (vpp.clone().recipient(), vpp.clone().recipient());
        Self { subscribe, observe, read_servers, apply, collect: vpp.recipient() }
    }
}

impl Handler<SubscribeConnection> for VppConnection {
    type Result = ();

    fn handle(
        &mut self,
        SubscribeConnection { connected, lost }: SubscribeConnection,
        _: &mut Self::Context,
    ) {
        let subscriber =
            ConnectionSubscriber { connected: Outbox::new(connected), lost: Outbox::new(lost) };
        if let Ok((epoch, _)) = self.client() {
            subscriber.connected.send(Connected { epoch });
        }
        self.subscriber = Some(subscriber);
    }
}

impl Handler<Observe> for VppConnection {
    type Result = ResponseFuture<Result<ObservedAt, DataplaneError>>;

    fn handle(&mut self, _: Observe, _: &mut Self::Context) -> Self::Result {
        let client = self.client();
        Box::pin(async move {
            let (epoch, client) = client?;
            let observed = client.read_state().await.map_err(call_failed)?;
            Ok(ObservedAt { epoch, observed })
        })
    }
}

impl VppConnection {
    /// The connection of this epoch, if it is the present one.
    fn client_of(&self, epoch: Epoch) -> Result<VppClient, DataplaneError> {
        match self.client()? {
            (present, client) if present == epoch => Ok(client),
            _ => Err(DataplaneError::reconnected()),
        }
    }
}

impl Handler<ReadServers> for VppConnection {
    type Result = ResponseFuture<Result<BTreeMap<Vip, ObservedServers>, DataplaneError>>;

    fn handle(
        &mut self,
        ReadServers { epoch, vips }: ReadServers,
        _: &mut Self::Context,
    ) -> Self::Result {
        let client = self.client_of(epoch);
        Box::pin(async move { client?.read_servers(&vips).await.map_err(call_failed) })
    }
}

impl Handler<Apply> for VppConnection {
    type Result = ResponseFuture<Result<Vec<Outcome>, DataplaneError>>;

    fn handle(&mut self, apply: Apply, _: &mut Self::Context) -> Self::Result {
        let client = self.client_of(apply.epoch);
        Box::pin(async move {
            let outcomes = client?.apply(apply.steps, apply.urgent).await;
            Ok(outcomes.into_iter().map(Outcome::from).collect())
        })
    }
}

impl Handler<Collect> for VppConnection {
    type Result = ResponseFuture<Result<(), DataplaneError>>;

    fn handle(&mut self, collect: Collect, _: &mut Self::Context) -> Self::Result {
        let client = self.client_of(collect.epoch);
        Box::pin(async move { client?.collect(collect.ip4_src).await.map_err(call_failed) })
    }
}

impl Handler<GetVppInfo> for VppConnection {
    type Result = ResponseFuture<Result<VppInfo, DataplaneError>>;

    fn handle(&mut self, _: GetVppInfo, _: &mut Self::Context) -> Self::Result {
        let up = match &self.phase {
            ConnectionPhase::Up(up) => Ok((up.info.clone(), up.stats.clone())),
            _ => Err(self.client().err().unwrap_or(DataplaneError::Off)),
        };
        // Later than the one that was dialed, if VPP was silent in between.
        let epoch = self.epoch;
        Box::pin(async move {
            let (info, stats) = up?;
            Ok(VppInfo { booted_at: segment::booted_at(stats).await, epoch, ..info })
        })
    }
}

impl Handler<GetConnectionStats> for VppConnection {
    type Result = ResponseFuture<ConnectionStats>;

    fn handle(&mut self, _: GetConnectionStats, _: &mut Self::Context) -> Self::Result {
        let mut stats = self.ended_stats.clone();
        let clients = self.clients.clone();
        Box::pin(async move {
            for (_, client) in clients {
                stats.add(&client.stats().await);
            }
            stats
        })
    }
}

impl Handler<GetConnectionState> for VppConnection {
    type Result = ConnectionState;

    fn handle(&mut self, _: GetConnectionState, _: &mut Self::Context) -> ConnectionState {
        match (&self.phase, self.client()) {
            (_, Ok((epoch, _))) => ConnectionState::Up(epoch),
            (_, Err(DataplaneError::Off)) => ConnectionState::Off,
            (_, Err(DataplaneError::Missing(_))) => ConnectionState::Unusable,
            // Later attempts are made because the first has failed.
            (ConnectionPhase::Dialing, _) if !self.has_tried => ConnectionState::Dialing,
            _ => ConnectionState::Away,
        }
    }
}

impl Handler<Close> for VppConnection {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: Close, _: &mut Self::Context) -> Self::Result {
        self.goodbye_handle.send_replace(None);
        let before = std::mem::replace(&mut self.phase, ConnectionPhase::Closing);
        Box::pin(async move {
            if let ConnectionPhase::Up(up) | ConnectionPhase::Silent(up, _) = before {
                up.client.close().await;
                info!("vpp-disconnect: left as it is");
            }
        })
    }
}
