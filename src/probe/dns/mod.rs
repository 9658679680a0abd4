//! `dns`: a query over UDP or TCP (RFC 1035) is answered with the expected
//! response code and, where that is NOERROR, with at least one record.
//!
//! The query carries no EDNS option, so the code is one of the header's, and
//! a UDP answer is 512 bytes at most.

use std::borrow::Cow;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::rc::Rc;
use std::str::FromStr;

use hickory_resolver::proto::op::{Header, Message, MessageType, OpCode, Query};
use hickory_resolver::proto::rr::{Name, RecordType};
use hickory_resolver::proto::serialize::binary::{BinDecodable, BinDecoder};
use regex::Regex;
use tokio::io::Interest;
use tokio::net::UdpSocket;

use super::dial::Target;
use super::exchange::{ExchangeAnswer, exchange};
use super::fault::{Layer, ProbeFault};
use super::namespace::open_in;
use super::{PrepareError, ThreadResources};
use crate::domain::config::DnsExchange;
use crate::domain::health::probe_result::{ProbeResult, ResultCode};

/// The names of response codes, by number (IANA, "DNS RCODEs").
pub(super) const RCODES: [&str; 11] = [
    "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET",
    "NXRRSET", "NOTAUTH", "NOTZONE",
];

/// The code that is followed by records.
const NOERROR: u8 = 0;

/// Characters of records that are told.
const MAX_TOLD: usize = 100;

/// The longest query: length, header, name, type and class.
const MAX_QUERY: usize = 2 + 12 + 255 + 4;

/// More than a UDP answer without EDNS may have.
const MAX_DATAGRAM: usize = 4096;

/// A DNS exchange, prepared.
#[derive(Debug)]
pub(super) struct Dns {
    target: Target,
    tcp: bool,
    question: Rc<DnsQuestion>,
}

/// What is asked, and the answer that passes, for every backend of a check.
#[derive(Debug)]
pub(super) struct DnsQuestion {
    query: Query,
    /// The message behind its length, with id 0.
    message: Vec<u8>,
    rcode: u8,
    /// What a record must look like.
    answer: Option<Regex>,
}

impl Dns {
    pub(super) fn prepare(
        target: Target,
        exchange: &DnsExchange,
        shared: &ThreadResources,
    ) -> Result<Self, PrepareError> {
        let question = shared.dns_questions().get(exchange, DnsQuestion::prepare)?;
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
            let mut answer = Framed { question: &self.question, id, kept: Vec::new() };
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
                // Somebody took it before us: wait for the next.
                let taken = || Err::<(), _>(io::ErrorKind::WouldBlock.into());
                let _ = socket.try_io(Interest::ERROR, taken);
            }
            if let Some(finding) = self.receive(&socket, id)? {
                return Ok(finding);
            }
        }
    }

    /// A fresh socket has a fresh port, which together with the id keeps
    /// strangers and late answers out.
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
            // Opening and binding are one call: what binding cannot cause is
            // told of the socket.
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

    /// Takes one datagram, with a buffer that no waiting probe holds.
    fn receive(&self, socket: &UdpSocket, id: u16) -> io::Result<Option<ProbeResult>> {
        let mut buffer = [0; MAX_DATAGRAM];
        match socket.try_recv(&mut buffer) {
            Ok(size) => Ok(self.question.judge(id, &buffer[..size])),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl DnsQuestion {
    fn prepare(exchange: &DnsExchange) -> Result<Self, PrepareError> {
        let bad_query = |source| PrepareError::Query { query: exchange.query.clone(), source };
        let mut name = Name::from_ascii(&exchange.query).map_err(bad_query)?;
        name.set_fqdn(true);
        let record = record_type(&exchange.record)
            .ok_or_else(|| PrepareError::Record { record: exchange.record.clone() })?;
        let rcode = (0..)
            .zip(RCODES)
            .find_map(|(number, name)| (name == exchange.rcode).then_some(number))
            .ok_or_else(|| PrepareError::Rcode { rcode: exchange.rcode.clone() })?;
        let query = Query::query(name, record);
        let mut message = Message::new(0, MessageType::Query, OpCode::Query);
        message.metadata.recursion_desired = true;
        message.add_query(query.clone());
        let body = message.to_vec().map_err(bad_query)?;
        let length = u16::try_from(body.len()).unwrap_or(u16::MAX);
        let message = [&length.to_be_bytes()[..], &body].concat();
        let answer = exchange.answer.as_deref().map(Regex::new).transpose();
        let answer = answer.map_err(|source| PrepareError::Answer(Box::new(source)))?;
        Ok(Self { query, message, rcode, answer })
    }

    /// The finding of an answer; `None` if it answers some other query.
    fn judge(&self, id: u16, bytes: &[u8]) -> Option<ProbeResult> {
        let garbage = |what| Some(ProbeResult::new(ResultCode::L7Response, what));
        let mut decoder = BinDecoder::new(bytes);
        let Ok(header) = Header::read(&mut decoder) else {
            return garbage("the answer is not a DNS message");
        };
        if header.id != id {
            return None;
        }
        if header.message_type != MessageType::Response || header.op_code != OpCode::Query {
            return garbage("the answer is not a response to a query");
        }
        let rcode = header.response_code.low();
        match header.counts.queries {
            // Servers that could not, or would not, read the question.
            0 if rcode != NOERROR => {}
            1 => match Query::read(&mut decoder) {
                Ok(query) if query == self.query => {}
                Ok(_) => return garbage("the response is to another question"),
                Err(_) => return garbage("the response's question is malformed"),
            },
            _ => return garbage("the response does not have one question"),
        }
        if rcode != self.rcode {
            return Some(ProbeResult::new(ResultCode::L7Status, rcode_name(rcode)));
        }
        // What was cut off was there: a truncated answer counts by its code.
        if rcode == NOERROR && header.counts.answers == 0 && !header.truncation {
            return Some(ProbeResult::new(
                ResultCode::L7Content,
                format!("NOERROR without a record for {}", self.query),
            ));
        }
        if let Some(wanted) = &self.answer {
            let Ok(message) = Message::from_vec(bytes) else {
                return garbage("the response's records are malformed");
            };
            let records: Vec<_> =
                message.answers.iter().map(|record| record.data.to_string()).collect();
            if !records.iter().any(|record| wanted.is_match(record)) {
                return Some(ProbeResult::new(ResultCode::L7Content, mismatch(&records)));
            }
        }
        Some(ProbeResult::new(ResultCode::L7Ok, rcode_name(rcode)))
    }
}

/// Tells the records that were not as expected, shortened: they are the
/// server's words.
fn mismatch(records: &[String]) -> String {
    let all = records.join(", ");
    let told = all.chars().filter(|c| !c.is_control()).take(MAX_TOLD);
    format!("NOERROR, but none of its records matches: {}", told.collect::<String>())
}

/// A record type by its name or as `TYPE` and a number (RFC 3597).
fn record_type(name: &str) -> Option<RecordType> {
    match name.strip_prefix("TYPE").and_then(|number| number.parse::<u16>().ok()) {
        Some(number) => Some(RecordType::from(number)),
        None => RecordType::from_str(name).ok(),
    }
}

fn rcode_name(rcode: u8) -> Cow<'static, str> {
    match RCODES.get(usize::from(rcode)) {
        Some(name) => (*name).into(),
        None => format!("RCODE{rcode}").into(),
    }
}

/// An answer over TCP, behind its length in two bytes (RFC 1035, 4.2.2).
struct Framed<'a> {
    question: &'a DnsQuestion,
    id: u16,
    kept: Vec<u8>,
}

impl ExchangeAnswer for Framed<'_> {
    fn take(&mut self, bytes: &[u8]) -> Option<ProbeResult> {
        self.kept.extend_from_slice(bytes);
        let (length, rest) = self.kept.split_first_chunk()?;
        let message = rest.get(..usize::from(u16::from_be_bytes(*length)))?;
        // The connection is ours alone: no stranger's answer can be on it.
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

#[cfg(test)]
mod tests;
