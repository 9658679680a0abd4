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

use std::rc::Rc;

use super::datagrams;
use super::dial::Target;
use super::error::PrepareError;
use super::exchange::{ExchangeAnswer, exchange};
use super::fault::{Layer, ProbeFault};
use super::resources::ThreadResources;
use crate::domain::config::DnsExchange;
use crate::domain::health::probe_result::{ProbeResult, ResultCode};
use question::DnsQuestion;

/// The longest query: length, header, name, type and class.
const MAX_QUERY: usize = 2 + 12 + 255 + 4;

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
        let socket = datagrams::open(&self.target).await?;
        *layer = Layer::Exchange;
        socket.send(&framed[2..]).await?;
        datagrams::receive(&socket, |bytes| self.question.judge(id, bytes)).await
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
