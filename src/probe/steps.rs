//! `tcp` and `udp` with steps: what is sent, and what is expected in return. An
//! expectation looks at what has come since the last that was sent.

use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout_at};

use super::datagrams;
use super::dial::{Target, close};
use super::error::PrepareError;
use super::fault::{Layer, ProbeFault};
use super::prepared_steps::{PreparedStep, PreparedSteps};
use super::resources::ThreadResources;
use super::tls::{self, PreparedTls};
use crate::domain::config::{self, CheckStep};
use crate::domain::health::probe_result::{ProbeResult, ResultCode};

/// The most that is looked at between two that are sent. It is matched anew with each
/// piece that comes, on the thread of the probers.
const MOST_BYTES: usize = 4096;

/// Datagrams that are kept between two that are sent.
const MOST_DATAGRAMS: usize = 16;

/// Bytes of an answer that a result repeats.
const MOST_SHOWN: usize = 64;

/// How long a refusal is waited for where no answer is expected, and half of the timeout
/// at most.
const REFUSAL: Duration = Duration::from_millis(250);

/// A conversation with one backend, prepared.
#[derive(Debug)]
pub(super) struct StepsProbe {
    target: Target,
    over: StepsTransport,
    steps: Rc<PreparedSteps>,
}

#[derive(Debug)]
enum StepsTransport {
    Tcp,
    Tls(PreparedTls),
    Udp,
}

impl StepsProbe {
    pub(super) fn over_tcp(
        target: Target,
        tls: Option<&config::TlsSettings>,
        steps: &Vec<CheckStep>,
        resources: &ThreadResources,
    ) -> Result<Self, PrepareError> {
        let over = match tls {
            None => StepsTransport::Tcp,
            Some(tls) => {
                let address = target.peer.ip();
                StepsTransport::Tls(PreparedTls::prepare(tls, None, address, resources)?)
            }
        };
        let steps = resources.steps().get(steps, |steps| PreparedSteps::prepare(steps))?;
        Ok(Self { target, over, steps })
    }

    pub(super) fn over_udp(
        target: Target,
        steps: &Vec<CheckStep>,
        resources: &ThreadResources,
    ) -> Result<Self, PrepareError> {
        let steps = resources.steps().get(steps, |steps| PreparedSteps::prepare(steps))?;
        Ok(Self { target, over: StepsTransport::Udp, steps })
    }

    pub(super) fn tls(&self) -> Option<&PreparedTls> {
        match &self.over {
            StepsTransport::Tls(tls) => Some(tls),
            StepsTransport::Tcp | StepsTransport::Udp => None,
        }
    }

    /// Makes one probe.
    pub(super) async fn attempt(
        &self,
        layer: &mut Layer,
        deadline: Instant,
    ) -> Result<ProbeResult, ProbeFault> {
        match &self.over {
            StepsTransport::Tcp => {
                let mut stream = self.target.connect().await?;
                *layer = Layer::Exchange;
                let result = self.over_stream(&mut stream, deadline).await?;
                close(&stream);
                Ok(result)
            }
            StepsTransport::Tls(tls) => {
                let stream = self.target.connect().await?;
                let mut stream = tls.handshake(stream, layer).await?;
                *layer = Layer::Exchange;
                let result = self.over_stream(&mut stream, deadline).await?;
                tls::send_close_notify(&mut stream).await;
                Ok(result)
            }
            StepsTransport::Udp => {
                let wait = REFUSAL.min(deadline.saturating_duration_since(Instant::now()) / 2);
                let socket = datagrams::open(&self.target).await?;
                *layer = Layer::Exchange;
                self.over_datagrams(&socket, wait, deadline).await
            }
        }
    }

    async fn over_stream<S>(
        &self,
        stream: &mut S,
        deadline: Instant,
    ) -> Result<ProbeResult, ProbeFault>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut came = Vec::new();
        for (place, step) in self.steps.0.iter().enumerate() {
            let expected = match step {
                PreparedStep::Send(bytes) => {
                    came.clear();
                    stream.write_all(bytes).await?;
                    stream.flush().await?;
                    continue;
                }
                PreparedStep::Expect(expected) => expected,
            };
            while !expected.is_in(&came) {
                if came.len() >= MOST_BYTES {
                    return Ok(unexpected(place, &came));
                }
                let mut space = [0; 1024];
                match timeout_at(deadline, stream.read(&mut space)).await {
                    Ok(Ok(0)) => return Ok(closed(place, &came)),
                    Ok(size) => came.extend_from_slice(&space[..size?]),
                    Err(_) => return Ok(late(place, &came)),
                }
            }
        }
        Ok(ProbeResult::new(ResultCode::L7Ok, ""))
    }

    async fn over_datagrams(
        &self,
        socket: &UdpSocket,
        wait: Duration,
        deadline: Instant,
    ) -> Result<ProbeResult, ProbeFault> {
        let mut came: Vec<Vec<u8>> = Vec::new();
        for (place, step) in self.steps.0.iter().enumerate() {
            let expected = match step {
                PreparedStep::Send(bytes) => {
                    came.clear();
                    socket.send(bytes).await?;
                    continue;
                }
                PreparedStep::Expect(expected) => expected,
            };
            while !came.iter().any(|datagram| expected.is_in(datagram)) {
                let last = || came.last().map_or(&[][..], Vec::as_slice);
                if came.len() >= MOST_DATAGRAMS {
                    return Ok(unexpected(place, last()));
                }
                let next = datagrams::receive(socket, |bytes| Some(bytes.to_vec()));
                match timeout_at(deadline, next).await {
                    Ok(datagram) => came.push(datagram?),
                    Err(_) if came.is_empty() => return Ok(late(place, &[])),
                    Err(_) => return Ok(unexpected(place, last())),
                }
            }
        }
        if let Some(PreparedStep::Send(_)) = self.steps.0.last() {
            let refused = datagrams::receive(socket, |_| None::<()>);
            if let Ok(refused) = timeout_at(Instant::now() + wait, refused).await {
                refused?;
            }
            return Ok(ProbeResult::new(ResultCode::L4Ok, "not refused"));
        }
        Ok(ProbeResult::new(ResultCode::L7Ok, ""))
    }
}

/// Time is over.
fn late(place: usize, came: &[u8]) -> ProbeResult {
    if came.is_empty() {
        let number = place + 1;
        return ProbeResult::new(
            ResultCode::L7Timeout,
            format!("step {number}: no answer in time"),
        );
    }
    unexpected(place, came)
}

fn unexpected(place: usize, came: &[u8]) -> ProbeResult {
    let detail = format!("step {}: does not match, after {}", place + 1, shown(came));
    ProbeResult::new(ResultCode::L7Content, detail)
}

fn closed(place: usize, came: &[u8]) -> ProbeResult {
    let detail = format!("step {}: connection closed after {}", place + 1, shown(came));
    ProbeResult::new(ResultCode::L7Response, detail)
}

/// The begin of what came, in quotes; `no answer` if nothing did.
fn shown(came: &[u8]) -> String {
    match came {
        [] => "no answer".into(),
        [..] => {
            let begin = came[..came.len().min(MOST_SHOWN)].escape_ascii();
            format!("\"{begin}\"{}", if came.len() > MOST_SHOWN { "…" } else { "" })
        }
    }
}
