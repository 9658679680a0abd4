//! API clients that are gone and that VPP has not noticed: it is made to, when the
//! connection begins and when somebody asks.

use actix::prelude::*;
use tracing::warn;

use super::messages::call_failed;
use super::{ConnectionPhase, DataplaneError, ReapClients, VppConnection};
use crate::domain::events::DataplaneKind;

impl VppConnection {
    /// Counts, logs and publishes these clients.
    pub(super) fn report_reaped(&mut self, names: &[String]) {
        if names.is_empty() {
            return;
        }
        self.ended_stats.dead_clients += names.len() as u64;
        let clients = names.join(" ");
        warn!(clients, "vpp-cured: VPP had not noticed that these API clients are gone, and spun");
        self.publish(DataplaneKind::Cured, format!("dead API clients let go: {clients}"));
    }
}

impl Handler<ReapClients> for VppConnection {
    type Result = ResponseActFuture<Self, Result<Vec<String>, DataplaneError>>;

    fn handle(&mut self, _: ReapClients, _: &mut Self::Context) -> Self::Result {
        let client = self.any_client();
        let reap = async move {
            let (epoch, client) = client?;
            let clients = client.reap_clients().await.map_err(call_failed)?;
            Ok::<_, DataplaneError>((epoch, clients))
        };
        Box::pin(reap.into_actor(self).map(|reaped, this, _| {
            let (epoch, clients) = reaped?;
            let names: Vec<String> = clients.into_iter().map(|client| client.name).collect();
            this.report_reaped(&names);
            match &mut this.phase {
                ConnectionPhase::Up(up) if this.epoch == epoch => {
                    up.info.reaped.extend(names);
                    Ok(up.info.reaped.clone())
                }
                _ => Ok(names),
            }
        }))
    }
}
