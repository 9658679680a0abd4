//! Reads VPP's forwarding table. VPP needs no `lb` plugin for that.

use actix::prelude::*;

use super::messages::call_failed;
use super::{ConnectionPhase, DataplaneError, Epoch, FibRead, ReadFib, VppConnection};
use crate::domain::doctor::FibFacts;
use crate::vpp::client::VppClient;

impl VppConnection {
    /// The present connection, whether VPP can be programmed over it or not.
    pub(super) fn any_client(&self) -> Result<(Epoch, VppClient), DataplaneError> {
        match &self.phase {
            ConnectionPhase::Up(up) => Ok((self.epoch, up.client.clone())),
            _ => self.client(),
        }
    }
}

impl Handler<ReadFib> for VppConnection {
    type Result = ResponseFuture<Result<FibRead, DataplaneError>>;

    fn handle(&mut self, ReadFib(query): ReadFib, _: &mut Self::Context) -> Self::Result {
        let client = self.any_client();
        Box::pin(async move {
            let (epoch, client) = client?;
            let prefixes: Vec<_> = query.prefixes.into_iter().collect();
            let entries = client.read_fib_entries(&prefixes).await.map_err(call_failed)?;
            let servers = client.read_egresses(&query.servers).await.map_err(call_failed)?;
            Ok(FibRead { epoch, facts: FibFacts { entries, servers } })
        })
    }
}
