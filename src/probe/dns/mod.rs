//! `dns`: a query over UDP or TCP (RFC 1035) is answered with the expected
//! response code and, where that is NOERROR, with at least one record of the type.
//!
//! The query carries no EDNS option, so the code is one of the header's, and
//! a UDP answer is 512 bytes at most.

pub(super) mod question;
mod rcode;
mod records;
#[cfg(test)]
mod tests;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::rc::Rc;

use tokio::io::Interest;
use tokio::net::UdpSocket;

use super::dial::Target;
use super::error::PrepareError;
use super::exchange::{ExchangeAnswer, exchange};
use super::fault::{Layer, ProbeFault};
use super::open::open_in;
use super::resources::ThreadResources;
use crate::domain::config::DnsExchange;
use crate::domain::health::probe_result::{ProbeResult, ResultCode};
use question::DnsQuestion;

/// The longest query: length, header, name, type and class.
const MAX_QUERY: usize = 2 + 12 + 255 + 4;

/// More than a UDP answer without EDNS may have.
const MAX_DATAGRAM: usize = 4096;

/// A DNS exchange, prepared.
#[derive(Debug)]
pub(super) struct DnsProbe {
    target: Target,
    tcp: bool,
    question: Rc<DnsQuestion>,
}

impl DnsProbe {
    pub(super) fn prepare(
        target: Target,
        exchange: &DnsExchange,
        resources: &ThreadResources,
    ) -> Result<Self, PrepareError> {
        let question = resources.dns_questions().get(exchange, DnsQuestion::prepare)?;
        Ok(Self { target, tcp: exchange.tcp, question })
    }

    pub(super) async fn attempt(&self, layer: &mut Layer) -> Result<ProbeResult, ProbeFault> {
        let id = fastrand::u16(..);
        let mut space = [0; MAX_QUERY];
        let framed = &mut space[..self.question.message.len()];
        framed.copy_from_slice(&self.question.message);
        framed[2..4].copy_from_slice(&id.to_be_bytes());
        if self.tcp {
            let mut stream = self.target.connect().await?;
            *layer = Layer::Exchange;
            let mut answer = TcpAnswer { question: &self.question, id, kept: Vec::new() };
            return Ok(exchange(&mut stream, framed, &mut answer).await?);
        }
        let socket = self.open().await?;
        *layer = Layer::Exchange;
        socket.send(&framed[2..]).await?;
        loop {
            // An ICMP error makes the socket ready for errors only.
            let ready = socket.ready(Interest::READABLE | Interest::ERROR).await?;
            if ready.is_error() {
                if let Some(error) = socket.take_error()? {
                    return Err(error.into());
                }
                // It was taken already: wait for the next.
                let taken = || Err::<(), _>(io::ErrorKind::WouldBlock.into());
                let _ = socket.try_io(Interest::ERROR, taken);
            }
            if let Some(result) = self.receive(&socket, id)? {
                return Ok(result);
            }
        }
    }

    /// A fresh socket has a fresh port, which together with the id keeps forged
    /// and late answers out.
    async fn open(&self) -> Result<UdpSocket, ProbeFault> {
        let unspecified = match self.target.peer {
            SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        let local = SocketAddr::new(self.target.source.unwrap_or(unspecified), 0);
        let open = move || {
            let socket = std::net::UdpSocket::bind(local)?;
            socket.set_nonblocking(true)?;
            Ok(socket)
        };
        let opened = open_in(self.target.namespace.as_ref(), open).await?;
        let opened = opened.and_then(UdpSocket::from_std);
        let socket = opened.map_err(|error| match self.target.source {
            // Opening and binding are one call: an error that binding cannot cause
            // is the socket's.
            Some(source)
                if matches!(
                    error.kind(),
                    io::ErrorKind::AddrNotAvailable | io::ErrorKind::AddrInUse
                ) =>
            {
                ProbeFault::Bind(source, error)
            }
            _ => ProbeFault::Open(error),
        })?;
        socket.connect(self.target.peer).await?;
        Ok(socket)
    }

    /// Takes one datagram. The buffer is on the stack of the call, so that no
    /// waiting probe holds one.
    fn receive(&self, socket: &UdpSocket, id: u16) -> io::Result<Option<ProbeResult>> {
        let mut buffer = [0; MAX_DATAGRAM];
        match socket.try_recv(&mut buffer) {
            Ok(size) => Ok(self.question.judge(id, &buffer[..size])),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// An answer over TCP, behind its length in two bytes (RFC 1035, 4.2.2).
struct TcpAnswer<'a> {
    question: &'a DnsQuestion,
    id: u16,
    kept: Vec<u8>,
}

impl ExchangeAnswer for TcpAnswer<'_> {
    type Outcome = ProbeResult;

    fn take(&mut self, bytes: &[u8]) -> Option<ProbeResult> {
        self.kept.extend_from_slice(bytes);
        let (length, rest) = self.kept.split_first_chunk()?;
        let message = rest.get(..usize::from(u16::from_be_bytes(*length)))?;
        // Only answers to this query can be on the connection.
        Some(self.question.judge(self.id, message).unwrap_or_else(|| {
            ProbeResult::new(ResultCode::L7Response, "the response has another query's id")
        }))
    }

    fn end(&mut self) -> ProbeResult {
        ProbeResult::new(
            ResultCode::L7Response,
            match self.kept.is_empty() {
                true => "connection closed before the response",
                false => "connection closed inside the response",
            },
        )
    }
}
