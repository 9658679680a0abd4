//! TLS over a probe's connection, with OpenSSL's rules: TLS 1.2 or later, the
//! system's roots, and the name both asked for (SNI) and found in the
//! certificate unless verification is off.

use std::cell::Cell;
use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, SystemTime};

use tokio::io::AsyncWrite;
use tokio::net::TcpStream;
use tokio_native_tls::{TlsConnector, TlsStream};

use super::credentials::{self, ConnectorFromFiles};
use super::error::PrepareError;
use super::fault::{Layer, ProbeFault};
use super::resources::ThreadResources;
use crate::domain::health::certificate::CertificateEnd;
use crate::domain::{config, http};

/// TLS to one backend, prepared.
#[derive(Debug)]
pub(super) struct PreparedTls {
    connector: ConnectorSource,
    server_name: String,
    /// Whether the server has to choose a protocol (ALPN).
    has_alpn: bool,
    warning: Option<Duration>,
    /// When the certificate that the server showed last ends.
    ends: Cell<Option<SystemTime>>,
}

enum ConnectorSource {
    Shared(TlsConnector),
    FromFiles(Rc<ConnectorFromFiles>),
}

impl PreparedTls {
    /// `host` is the HTTP host, if there is one; the backend's `address` is
    /// the last resort for a name to verify, and is never sent as SNI.
    pub(super) fn prepare(
        settings: &config::TlsSettings,
        host: Option<&str>,
        address: IpAddr,
        resources: &ThreadResources,
    ) -> Result<Self, PrepareError> {
        let config::TlsSettings { server_name, verify, client, certificate_warning } = settings;
        let server_name = match (server_name, host) {
            (Some(name), _) => name.clone(),
            (None, Some(host)) => http::without_port(host).to_owned(),
            (None, None) => address.to_string(),
        };
        let Some(server_name) = http::server_name(&server_name).map(str::to_owned) else {
            return Err(PrepareError::ServerName { name: server_name });
        };
        let connector = if *client == config::TlsClient::default() {
            ConnectorSource::Shared(resources.connector(*verify)?)
        } else {
            ConnectorSource::FromFiles(resources.connector_of(*verify, client)?)
        };
        let (has_alpn, warning) = (!client.alpn.is_empty(), *certificate_warning);
        Ok(Self { connector, server_name, has_alpn, warning, ends: Cell::new(None) })
    }

    pub(super) async fn handshake(
        &self,
        stream: TcpStream,
        layer: &mut Layer,
    ) -> Result<TlsStream<TcpStream>, ProbeFault> {
        *layer = Layer::Tls;
        // The handshake writes twice in a row; Nagle's algorithm would hold
        // the second until the backend's delayed acknowledgement, 40 ms later.
        stream.set_nodelay(true)?;
        let stream = match &self.connector {
            ConnectorSource::Shared(connector) => {
                connector.connect(&self.server_name, stream).await?
            }
            ConnectorSource::FromFiles(made) => {
                made.get().await?.connect(&self.server_name, stream).await?
            }
        };
        if self.warning.is_some() {
            let certificate = stream.get_ref().peer_certificate()?;
            let der = certificate.map(|it| it.to_der()).transpose()?;
            self.ends.set(der.as_deref().and_then(credentials::end_of));
        }
        if self.has_alpn && stream.get_ref().negotiated_alpn()?.is_none() {
            return Err(ProbeFault::NoProtocol);
        }
        Ok(stream)
    }

    /// What there is to tell of the server's certificate, if that is wanted.
    pub(super) fn certificate_end(&self) -> Option<CertificateEnd> {
        self.ends.get().zip(self.warning).map(|(ends, warning)| CertificateEnd { ends, warning })
    }
}

/// Without the credentials.
impl std::fmt::Debug for ConnectorSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Shared(_) => "Shared",
            Self::FromFiles(_) => "FromFiles",
        })
    }
}

/// Sends TLS's own end, because servers log a connection that just closes as an
/// error; but waits for nothing, not even for room to send.
pub(super) async fn send_close_notify(stream: &mut TlsStream<TcpStream>) {
    poll_fn(|cx| {
        let _ = Pin::new(&mut *stream).poll_shutdown(cx);
        Poll::Ready(())
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_comes_from_the_settings_then_the_host_then_the_address() {
        let resources = ThreadResources::new();
        let name = |server_name: Option<&str>, host| {
            let settings = config::TlsSettings::new(server_name.map(str::to_owned), true);
            PreparedTls::prepare(&settings, host, IpAddr::from([192, 0, 2, 1]), &resources)
                .map(|tls| tls.server_name)
        };
        for (server_name, host, chosen) in [
            (Some("a.example"), Some("b.example"), "a.example"),
            (None, Some("b.example"), "b.example"),
            (None, Some("b.example:8443"), "b.example"),
            (None, Some("[2001:db8::1]:8443"), "2001:db8::1"),
            (None, Some("2001:db8::1"), "2001:db8::1"),
            // The dot is of the DNS, not of certificates.
            (Some("a.example."), None, "a.example"),
            (None, Some("b.example.:8443"), "b.example"),
            (None, None, "192.0.2.1"),
        ] {
            assert_eq!(name(server_name, host).unwrap(), chosen);
        }
        // The TLS library would panic on the second.
        for bad in ["", "a\0b", "a b", "a/b", "*.example.org", ".example.org", "a:443"] {
            assert!(matches!(name(Some(bad), None), Err(PrepareError::ServerName { .. })));
        }
    }
}
