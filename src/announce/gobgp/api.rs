//! A connection to GoBGP of either version.

use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};

use super::path::{Neighbor, RibPath, RibWrite};
use super::pb::v3::gobgp_api_client::GobgpApiClient;
use super::pb::v4::go_bgp_service_client::GoBgpServiceClient;
use super::{v3, v4};
use crate::announce::error::within_limit;
use crate::announce::{DriverError, STEP_LIMIT};
use crate::domain::announce::placement::VipPrefix;

/// More than GoBGP's own limit of 4 MB for one message.
const LONGEST_MESSAGE: usize = 16 * 1024 * 1024;

/// A connection, with what GoBGP told of itself.
pub(super) struct Api {
    pub(super) version: ApiVersion,
    /// 0: BGP is not configured yet.
    pub(super) asn: u32,
}

pub(super) enum ApiVersion {
    V3(GobgpApiClient<Channel>),
    V4(GoBgpServiceClient<Channel>),
}

impl Api {
    /// Connects, and finds out which version answers.
    pub(super) async fn connect(address: &str) -> Result<Self, DriverError> {
        let attempt = format!("connecting to GoBGP at {address}");
        within_limit(&attempt, Self::connect_now(&attempt, address)).await
    }

    async fn connect_now(attempt: &str, address: &str) -> Result<Self, DriverError> {
        let unreachable = |reason: String| DriverError::Unreachable {
            attempt: attempt.into(),
            reason,
            remedy: "is gobgpd running, and with --api-hosts for this address?".into(),
        };
        let uri = match address.strip_prefix("unix:") {
            Some(_) => address.to_owned(),
            None => format!("http://{address}"),
        };
        let endpoint = Endpoint::from_shared(uri).map_err(|error| unreachable(causes(&error)))?;
        let channel = endpoint.connect_timeout(STEP_LIMIT).tcp_nodelay(true).connect().await;
        let channel = channel.map_err(|error| unreachable(causes(&error)))?;
        let mut third =
            GobgpApiClient::new(channel.clone()).max_decoding_message_size(LONGEST_MESSAGE);
        match v3::asn(&mut third).await {
            Ok(asn) => Ok(Self { version: ApiVersion::V3(third), asn }),
            Err(status) if status.code() == Code::Unimplemented => {
                let mut fourth =
                    GoBgpServiceClient::new(channel).max_decoding_message_size(LONGEST_MESSAGE);
                let asn = v4::asn(&mut fourth).await.map_err(|status| refused(attempt, &status))?;
                Ok(Self { version: ApiVersion::V4(fourth), asn })
            }
            Err(status) => Err(refused(attempt, &status)),
        }
    }

    /// The daemon's own paths to single addresses, of both families.
    pub(super) async fn own_paths(&mut self, attempt: &str) -> Result<Vec<RibPath>, DriverError> {
        let read = match &mut self.version {
            ApiVersion::V3(client) => v3::own_paths(client).await,
            ApiVersion::V4(client) => v4::own_paths(client).await,
        };
        read.map_err(|status| refused(attempt, &status))
    }

    pub(super) async fn neighbors(&mut self, attempt: &str) -> Result<Vec<Neighbor>, DriverError> {
        let read = match &mut self.version {
            ApiVersion::V3(client) => v3::neighbors(client).await,
            ApiVersion::V4(client) => v4::neighbors(client).await,
        };
        read.map_err(|status| refused(attempt, &status))
    }

    /// The prefixes of single addresses in the outgoing table of a neighbor.
    pub(super) async fn sent_to(
        &mut self,
        attempt: &str,
        neighbor: &str,
    ) -> Result<Vec<VipPrefix>, DriverError> {
        let read = match &mut self.version {
            ApiVersion::V3(client) => v3::sent_to(client, neighbor).await,
            ApiVersion::V4(client) => v4::sent_to(client, neighbor).await,
        };
        read.map_err(|status| refused(attempt, &status))
    }

    /// Writes in order, with one call.
    pub(super) async fn write(
        &mut self,
        attempt: &str,
        writes: Vec<RibWrite>,
    ) -> Result<(), DriverError> {
        let written = match &mut self.version {
            ApiVersion::V3(client) => v3::write(client, writes).await,
            ApiVersion::V4(client) => v4::write(client, writes).await,
        };
        written.map_err(|status| refused(attempt, &status))
    }
}

pub(super) fn refused(attempt: &str, status: &Status) -> DriverError {
    let reason = format!("{:?}: {}", status.code(), status.message());
    match status.code() {
        Code::Unavailable => DriverError::Unreachable {
            attempt: attempt.into(),
            reason,
            remedy: "gobgpd has gone or is starting".into(),
        },
        Code::Unimplemented => DriverError::Refused {
            attempt: attempt.into(),
            reason,
            remedy: "what answers is no GoBGP of version 3 or 4".into(),
        },
        _ => DriverError::Refused {
            attempt: attempt.into(),
            reason,
            remedy: "see the log of gobgpd".into(),
        },
    }
}

/// tonic's own message is only that there was an error.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
