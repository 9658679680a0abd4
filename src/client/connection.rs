//! The connection to a daemon: dialling it, its deadlines and keepalive.

use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Response, Status};

use super::address::DaemonAddress;
use super::deadlines::{CONNECT_DEADLINE, KEEPALIVE, RESPONSE_DEADLINE};
use super::error::{ClientError, ConnectionLoss};
use super::tls::ClientTls;
use super::token::{BearerToken, TokenFile, TokenFileError};
use crate::pb::maglev_client::MaglevClient;

/// The state of a VPP with many VIPs exceeds gRPC's usual 4 MiB.
const LARGEST_RESPONSE: usize = 256 << 20;

/// A daemon, and all that is needed to dial it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DaemonAccess {
    /// Where it listens.
    pub server: DaemonAddress,
    /// How it is authenticated; `None`: the connection is not encrypted.
    pub tls: Option<ClientTls>,
    /// What this side is known by beside its certificate or its user; `None`: nothing.
    pub token: Option<TokenFile>,
    /// For whom is asked, where this side asks for others.
    pub on_behalf_of: Option<String>,
}

impl From<DaemonAddress> for DaemonAccess {
    fn from(server: DaemonAddress) -> Self {
        Self { server, tls: None, token: None, on_behalf_of: None }
    }
}

impl DaemonAccess {
    /// What goes with each request.
    ///
    /// # Errors
    /// [`ClientError::Token`]
    fn bearer(&self) -> Result<BearerToken, ClientError> {
        let for_whom = self.on_behalf_of.as_deref();
        let Some(file) = &self.token else {
            return Ok(BearerToken::default().on_behalf_of(for_whom));
        };
        let server = || self.server.clone();
        let is_readable = self.tls.is_none() && !self.server.is_of_this_machine();
        let token = match is_readable {
            true => Err(TokenFileError::InTheClear { server: server() }),
            false => file.read(),
        };
        let token = token.map_err(|why| ClientError::Token { server: server(), why })?;
        Ok(token.on_behalf_of(for_whom))
    }

    /// The settings of a connection.
    ///
    /// # Errors
    /// [`ClientError::Tls`], or [`ClientError::Unreachable`] for an address
    /// that cannot be dialled.
    fn endpoint(&self) -> Result<Endpoint, ClientError> {
        let (uri, tls) = match (&self.server, &self.tls) {
            (DaemonAddress::Unix { path }, _) => (format!("unix:{path}"), None),
            (DaemonAddress::Tcp { host, port }, None) => (format!("http://{host}:{port}"), None),
            (DaemonAddress::Tcp { host, port }, Some(tls)) => {
                (format!("https://{host}:{port}"), Some(tls))
            }
        };
        let mut endpoint = Endpoint::from_shared(uri)
            .map_err(|error| ClientError::of_connecting(&self.server, &error))?
            .timeout(RESPONSE_DEADLINE)
            .http2_keep_alive_interval(KEEPALIVE)
            .keep_alive_timeout(KEEPALIVE)
            .keep_alive_while_idle(true);
        if let Some(tls) = tls {
            let server = || self.server.clone();
            let config = tls.config().map_err(|why| ClientError::Tls { server: server(), why })?;
            endpoint = endpoint
                .tls_config(config)
                .map_err(|error| ClientError::of_tls(&self.server, &error))?;
        }
        Ok(endpoint)
    }
}

/// A channel whose requests show the token, if there is one.
pub type DaemonChannel = InterceptedService<Channel, BearerToken>;

/// A connection to one daemon. Clones share it.
#[derive(Clone, Debug)]
pub struct DaemonClient {
    /// The generated client.
    pub grpc: MaglevClient<DaemonChannel>,
    server: DaemonAddress,
}

impl DaemonClient {
    /// Connects to a daemon within [`CONNECT_DEADLINE`].
    ///
    /// # Errors
    /// [`ClientError::Unreachable`], [`ClientError::Tls`], [`ClientError::Token`].
    pub async fn connect(access: &DaemonAccess) -> Result<Self, ClientError> {
        let server = &access.server;
        let endpoint = access.endpoint()?;
        let bearer = access.bearer()?;
        let channel = tokio::time::timeout(CONNECT_DEADLINE, endpoint.connect())
            .await
            .map_err(|_| ClientError::Unreachable {
                attempted: "connect",
                server: server.clone(),
                why: ConnectionLoss::Silent { waited: CONNECT_DEADLINE },
            })?
            .map_err(|error| ClientError::of_connecting(server, &error))?;
        Ok(Self::over(channel, bearer, server))
    }

    /// A client that connects at its first request, and again after a loss. It
    /// must be created within the runtime that it uses.
    ///
    /// # Errors
    /// [`ClientError::Tls`], [`ClientError::Token`], or [`ClientError::Unreachable`] for an
    /// address that cannot be dialled.
    pub fn lazy(access: &DaemonAccess) -> Result<Self, ClientError> {
        let endpoint = access.endpoint()?.connect_timeout(CONNECT_DEADLINE);
        Ok(Self::over(endpoint.connect_lazy(), access.bearer()?, &access.server))
    }

    fn over(channel: Channel, bearer: BearerToken, server: &DaemonAddress) -> Self {
        let grpc = MaglevClient::with_interceptor(channel, bearer)
            .max_decoding_message_size(LARGEST_RESPONSE);
        Self { grpc, server: server.clone() }
    }

    /// The address that was dialled.
    #[must_use]
    pub fn server(&self) -> &DaemonAddress {
        &self.server
    }

    /// The message of a unary response to `attempted`, or why there is none.
    ///
    /// # Errors
    /// As [`ClientError::of_status`].
    pub fn message<T>(
        &self,
        attempted: &'static str,
        response: Result<Response<T>, Status>,
    ) -> Result<T, ClientError> {
        match response {
            Ok(response) => Ok(response.into_inner()),
            Err(status) => Err(ClientError::of_status(attempted, &self.server, &status)),
        }
    }

    /// The error of an attempt during which this daemon was lost.
    #[must_use]
    pub fn lost(&self, attempted: &'static str, why: ConnectionLoss) -> ClientError {
        ClientError::Unreachable { attempted, server: self.server.clone(), why }
    }
}
