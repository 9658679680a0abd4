//! Frontends of a daemon, and the shares that it expects at present.

use std::collections::BTreeMap;

use super::target::KnownFrontend;
use crate::client::connection::DaemonClient;
use crate::client::error::ClientError;
use crate::client::requests;
use crate::domain::tester::server_name::KnownServer;
use crate::domain::tester::shares::ExpectedShares;
use crate::pb;

/// A daemon that is asked for shares, of the targets in their order.
pub struct DaemonShares {
    client: DaemonClient,
    names: Vec<String>,
}

impl DaemonShares {
    pub(super) fn new(client: DaemonClient, names: Vec<String>) -> Self {
        Self { client, names }
    }

    /// The shares expected of the target at this place; `None`: the daemon does not
    /// answer, does not know it, or does not know what VPP has.
    pub async fn expected(&self, place: usize) -> Option<ExpectedShares> {
        let name = self.names.get(place)?.clone();
        let frontend = requests::frontend(self.client.clone(), name).await.ok()?;
        let addresses = addresses(&self.client).await.ok()?;
        of(&frontend, &addresses)
    }
}

pub(super) async fn frontends(client: &DaemonClient) -> Result<Vec<KnownFrontend>, ClientError> {
    let addresses = addresses(client).await?;
    let frontends = requests::frontends(client).await?;
    let known = frontends.into_iter().map(|frontend| KnownFrontend {
        expected: of(&frontend, &addresses),
        prefix: frontend.address,
        service: service(&frontend.protocol, frontend.port),
        name: frontend.name,
    });
    Ok(known.collect())
}

fn service(protocol: &str, port: u32) -> Option<(u8, u16)> {
    let protocol = match protocol {
        "tcp" => 6,
        "udp" => 17,
        _ => return None,
    };
    Some((protocol, u16::try_from(port).ok()?))
}

async fn addresses(client: &DaemonClient) -> Result<BTreeMap<String, String>, ClientError> {
    let backends = requests::backends(client).await?;
    Ok(backends.into_iter().map(|backend| (backend.name, backend.address)).collect())
}

/// What the table can give of the effective weights, or else what these ask for.
fn of(frontend: &pb::FrontendInfo, addresses: &BTreeMap<String, String>) -> Option<ExpectedShares> {
    let members = frontend.pools.iter().flat_map(|pool| &pool.backends);
    let weights: Option<Vec<_>> = members
        .map(|member| {
            let kept =
                || (member.effective_weight >= 0).then(|| f64::from(member.effective_weight));
            let share = member.real_share.or(member.asked_share).or_else(kept)?;
            let address = addresses.get(&member.name).cloned();
            Some((KnownServer { name: member.name.clone(), address }, share))
        })
        .collect();
    Some(ExpectedShares::of_weights(weights?))
}
