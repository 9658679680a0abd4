//! What the VppConnection answers.

use std::collections::BTreeMap;

use actix::prelude::*;
use tracing::info;

use super::{
    Apply, Close, Connected, Epoch, GetLinkFigures, GetLinkState, GetVppInfo, LinkError,
    LinkFigures, LinkState, Listen, Listener, Observe, Outcome, Reread, Seen, State, VppConnection,
    VppInfo, stats,
};
use crate::actors::Outbox;
use crate::domain::net::Vip;
use crate::domain::observed::ObservedServers;
use crate::vpp::client::Client;

impl Handler<Listen> for VppConnection {
    type Result = ();

    fn handle(&mut self, Listen { connected, lost }: Listen, _: &mut Self::Context) {
        let listener = Listener { connected: Outbox::new(connected), lost: Outbox::new(lost) };
        if let Ok((epoch, _)) = self.client() {
            listener.connected.send(Connected { epoch });
        }
        self.listener = Some(listener);
    }
}

impl Handler<Observe> for VppConnection {
    type Result = ResponseFuture<Result<Seen, LinkError>>;

    fn handle(&mut self, _: Observe, _: &mut Self::Context) -> Self::Result {
        let client = self.client();
        Box::pin(async move {
            let (epoch, client) = client?;
            let observed = client.read_state().await.map_err(LinkError::failed)?;
            Ok(Seen { epoch, observed })
        })
    }
}

impl VppConnection {
    /// The connection of this epoch, if it is the present one.
    fn client_of(&self, epoch: Epoch) -> Result<Client, LinkError> {
        match self.client()? {
            (present, client) if present == epoch => Ok(client),
            _ => Err(LinkError::reconnected()),
        }
    }
}

impl Handler<Reread> for VppConnection {
    type Result = ResponseFuture<Result<BTreeMap<Vip, ObservedServers>, LinkError>>;

    fn handle(&mut self, Reread { epoch, vips }: Reread, _: &mut Self::Context) -> Self::Result {
        let client = self.client_of(epoch);
        Box::pin(async move { client?.read_servers(&vips).await.map_err(LinkError::failed) })
    }
}

impl Handler<Apply> for VppConnection {
    type Result = ResponseFuture<Result<Vec<Outcome>, LinkError>>;

    fn handle(&mut self, apply: Apply, _: &mut Self::Context) -> Self::Result {
        let client = self.client_of(apply.epoch);
        Box::pin(async move {
            let outcomes = client?.apply(apply.steps, apply.urgent).await;
            Ok(outcomes.into_iter().map(Outcome::from).collect())
        })
    }
}

impl Handler<GetVppInfo> for VppConnection {
    type Result = ResponseFuture<Result<VppInfo, LinkError>>;

    fn handle(&mut self, _: GetVppInfo, _: &mut Self::Context) -> Self::Result {
        let up = match &self.state {
            State::Up(up) => Ok((up.info.clone(), up.stats.clone())),
            _ => Err(self.client().err().unwrap_or(LinkError::Off)),
        };
        // Later than the one that was dialed, if VPP was silent in between.
        let epoch = self.epoch;
        Box::pin(async move {
            let (info, stats) = up?;
            Ok(VppInfo { booted_at: stats::booted_at(stats).await, epoch, ..info })
        })
    }
}

impl Handler<GetLinkFigures> for VppConnection {
    type Result = ResponseFuture<LinkFigures>;

    fn handle(&mut self, _: GetLinkFigures, _: &mut Self::Context) -> Self::Result {
        let mut figures = self.figures.clone();
        let counting = self.counting.clone();
        Box::pin(async move {
            for (_, client) in counting {
                figures.add(&client.stats().await);
            }
            figures
        })
    }
}

impl Handler<GetLinkState> for VppConnection {
    type Result = LinkState;

    fn handle(&mut self, _: GetLinkState, _: &mut Self::Context) -> LinkState {
        match (&self.state, self.client()) {
            (_, Ok((epoch, _))) => LinkState::Up(epoch),
            (_, Err(LinkError::Off)) => LinkState::Off,
            (_, Err(LinkError::Missing(_))) => LinkState::Unusable,
            // Later attempts are made because the first has failed.
            (State::Dialing, _) if !self.has_tried => LinkState::Dialing,
            _ => LinkState::Away,
        }
    }
}

impl Handler<Close> for VppConnection {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: Close, _: &mut Self::Context) -> Self::Result {
        self.last_words.send_replace(None);
        let before = std::mem::replace(&mut self.state, State::Closing);
        Box::pin(async move {
            if let State::Up(up) | State::Silent(up, _) = before {
                up.client.close().await;
                info!("vpp-disconnect: left as it is");
            }
        })
    }
}
