//! A health check prepared for one backend, of whichever kind.

use std::net::IpAddr;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::dial;
use super::dns::DnsProbe;
use super::error::PrepareError;
use super::fault::{Layer, ProbeFault};
use super::grpc::GrpcProbe;
use super::http::HttpProbe;
use super::http::over_http2::Http2Probe;
use super::icmp::IcmpProbe;
use super::resources::ThreadResources;
use super::steps::StepsProbe;
use super::tcp::TcpProbe;
use crate::domain::config::{CheckKind, HealthCheck};
use crate::domain::health::certificate::CertificateEnd;
use crate::domain::health::probe_result::ProbeResult;

/// A health check prepared for one backend.
///
/// It holds no socket: each run opens its own and closes it, also when the
/// future is dropped before its end.
#[derive(Debug)]
pub struct Probe {
    timeout: Duration,
    kind: PreparedKind,
}

#[derive(Debug)]
enum PreparedKind {
    Icmp(IcmpProbe),
    Tcp(TcpProbe),
    Http(HttpProbe),
    Dns(DnsProbe),
    Steps(Box<StepsProbe>),
    Http2(Box<Http2Probe>),
    Grpc(Box<GrpcProbe>),
}

impl Probe {
    /// Prepares `check` for the backend at `address`: builds the request,
    /// compiles the regular expression, fetches the TLS connector.
    ///
    /// # Errors
    ///
    /// [`PrepareError`] if the check holds something that cannot be sent.
    pub fn prepare(
        check: &HealthCheck,
        address: IpAddr,
        resources: &ThreadResources,
    ) -> Result<Self, PrepareError> {
        let source = match address {
            IpAddr::V4(_) => check.source_v4.map(IpAddr::V4),
            IpAddr::V6(_) => check.source_v6.map(IpAddr::V6),
        };
        let target = |port| {
            let target = dial::Target::new(address, port, source).within(resources.namespace());
            target.introduced(check.proxy)
        };
        let kind = match &check.kind {
            CheckKind::Icmp => PreparedKind::Icmp(IcmpProbe::prepare(address, source, resources)),
            CheckKind::Tcp { port, tls, steps } if steps.is_empty() => {
                PreparedKind::Tcp(TcpProbe::prepare(target(*port), tls.as_ref(), resources)?)
            }
            CheckKind::Tcp { port, tls, steps } => {
                let (target, tls) = (target(*port), tls.as_ref());
                let probe = StepsProbe::over_tcp(target, tls, steps, resources)?;
                PreparedKind::Steps(Box::new(probe))
            }
            CheckKind::Udp { port, steps } => {
                let probe = StepsProbe::over_udp(target(*port), steps, resources)?;
                PreparedKind::Steps(Box::new(probe))
            }
            CheckKind::Http { port, tls: Some(tls), exchange } if exchange.http2 => {
                let probe = Http2Probe::prepare(target(*port), tls, exchange, resources)?;
                PreparedKind::Http2(Box::new(probe))
            }
            CheckKind::Grpc { port, tls, exchange } => {
                let (target, tls) = (target(*port), tls.as_ref());
                let probe = GrpcProbe::prepare(target, tls, exchange, resources)?;
                PreparedKind::Grpc(Box::new(probe))
            }
            CheckKind::Http { port, tls, exchange } => PreparedKind::Http(HttpProbe::prepare(
                target(*port),
                tls.as_ref(),
                exchange,
                resources,
            )?),
            CheckKind::Dns { port, exchange } => {
                PreparedKind::Dns(DnsProbe::prepare(target(*port), exchange, resources)?)
            }
        };
        Ok(Self { timeout: check.timing.timeout, kind })
    }

    /// When the certificate ends that the backend showed last, if its check asks for that.
    #[must_use]
    pub fn certificate_end(&self) -> Option<CertificateEnd> {
        match &self.kind {
            PreparedKind::Tcp(tcp) => tcp.tls()?.certificate_end(),
            PreparedKind::Http(http) => http.tls()?.certificate_end(),
            PreparedKind::Steps(steps) => steps.tls()?.certificate_end(),
            PreparedKind::Http2(http2) => http2.tls().certificate_end(),
            PreparedKind::Grpc(grpc) => grpc.tls()?.certificate_end(),
            PreparedKind::Icmp(_) | PreparedKind::Dns(_) => None,
        }
    }

    /// Makes one probe. Ends after the check's timeout at the latest. Must run
    /// inside a tokio runtime with IO and time.
    pub async fn run(&self) -> ProbeResult {
        let mut layer = match self.kind {
            PreparedKind::Icmp(_) => Layer::Network,
            _ => Layer::Connect,
        };
        let deadline = Instant::now() + self.timeout;
        let outcome = timeout_at(deadline, self.kind.attempt(&mut layer, deadline)).await;
        match outcome {
            Ok(Ok(result)) => result,
            Ok(Err(fault)) => fault.result_in(layer),
            Err(_) => layer.timed_out(self.timeout),
        }
    }
}

impl PreparedKind {
    async fn attempt(
        &self,
        layer: &mut Layer,
        deadline: Instant,
    ) -> Result<ProbeResult, ProbeFault> {
        match self {
            // Boxed: its state is several times that of a plain exchange.
            Self::Icmp(icmp) => Box::pin(icmp.attempt()).await,
            Self::Tcp(tcp) => tcp.attempt(layer).await,
            Self::Http(http) => http.attempt(layer, deadline).await,
            // Boxed: it holds its query.
            Self::Dns(dns) => Box::pin(dns.attempt(layer)).await,
            Self::Http2(http2) => Box::pin(http2.attempt(layer)).await,
            Self::Grpc(grpc) => Box::pin(grpc.attempt(layer)).await,
            Self::Steps(steps) => Box::pin(steps.attempt(layer, deadline)).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::config::Timing;
    use std::num::NonZeroU32;

    #[test]
    fn a_run_is_small() {
        let second = Duration::from_secs(1);
        let check = HealthCheck {
            kind: CheckKind::Icmp,
            timing: Timing {
                interval: second,
                fast_interval: second,
                down_interval: second,
                timeout: second,
                rise: NonZeroU32::MIN,
                fall: NonZeroU32::MIN,
                damping: None,
            },
            source_v4: None,
            source_v6: None,
            proxy: None,
        };
        let probe =
            Probe::prepare(&check, IpAddr::from([127, 0, 0, 1]), &ThreadResources::new()).unwrap();
        let run = probe.run();
        // Made anew for each probe: an allocator has the smaller sizes at hand,
        // and a buffer that found its way into the future would show here.
        assert!(size_of_val(&run) <= 512, "{} bytes", size_of_val(&run));
        // There is one for each backend: what its kind shares does not belong into it.
        assert!(size_of_val(&probe) <= 104, "{} bytes", size_of_val(&probe));
    }
}
