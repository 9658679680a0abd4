//! The question of a DNS check and the answer that passes, for every backend of
//! the check.

use hickory_resolver::proto::op::{Header, Message, MessageType, OpCode, Query};
use hickory_resolver::proto::rr::RecordType;
use hickory_resolver::proto::serialize::binary::{BinDecodable, BinDecoder};

use super::rcode::{self, NOERROR};
use super::records::{has_record, notation};
use crate::domain::config::DnsExchange;
use crate::domain::dns;
use crate::domain::health::probe_result::{ProbeResult, ResultCode};
use crate::pattern::Pattern;
use crate::probe::error::PrepareError;
use crate::probe::name::dns_name;

const MALFORMED: &str = "the response's records are malformed";

/// Characters of records that a result repeats.
const MAX_RECORDS: usize = 100;

#[derive(Debug)]
pub(crate) struct DnsQuestion {
    query: Query,
    /// The message behind its length, with id 0.
    pub(super) message: Vec<u8>,
    rcode: u8,
    /// One record must match it.
    answer: Option<Pattern>,
}

impl DnsQuestion {
    pub(crate) fn prepare(exchange: &DnsExchange) -> Result<Self, PrepareError> {
        let bad_query = || PrepareError::Query { query: exchange.query.clone() };
        let mut name = dns_name(&exchange.query).ok_or_else(bad_query)?;
        name.set_fqdn(true);
        let record = dns::record_type(&exchange.record)
            .map(RecordType::from)
            .ok_or_else(|| PrepareError::Record { record: exchange.record.clone() })?;
        let rcode = (0..)
            .zip(dns::RCODES)
            .find_map(|(number, name)| (name == exchange.rcode).then_some(number))
            .ok_or_else(|| PrepareError::Rcode { rcode: exchange.rcode.clone() })?;
        let query = Query::query(name, record);
        let mut message = Message::new(0, MessageType::Query, OpCode::Query);
        message.metadata.recursion_desired = true;
        message.add_query(query.clone());
        let body = message.to_vec().map_err(|_| bad_query())?;
        let length = u16::try_from(body.len()).unwrap_or(u16::MAX);
        let message = [&length.to_be_bytes()[..], &body].concat();
        let answer = exchange.answer.as_deref().map(Pattern::new).transpose();
        let answer = answer.map_err(PrepareError::Answer)?;
        Ok(Self { query, message, rcode, answer })
    }

    /// The result of an answer; `None` if it answers some other query.
    pub(super) fn judge(&self, id: u16, bytes: &[u8]) -> Option<ProbeResult> {
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
            return Some(ProbeResult::new(ResultCode::L7Status, rcode::name(rcode)));
        }
        // What was cut off was there: a truncated answer counts by its code.
        if rcode == NOERROR && !header.truncation {
            let answers = header.counts.answers;
            match has_record(&mut decoder, answers, self.query.query_type()) {
                Ok(true) => {}
                Ok(false) => {
                    let what = if answers == 0 { "" } else { ", and only others such as an alias" };
                    let text = format!("NOERROR without a record for {}{what}", self.query);
                    return Some(ProbeResult::new(ResultCode::L7Content, text));
                }
                Err(_) => return garbage(MALFORMED),
            }
        }
        if let Some(wanted) = &self.answer {
            let Ok(message) = Message::from_vec(bytes) else {
                return garbage(MALFORMED);
            };
            let records: Vec<_> =
                message.answers.iter().map(|record| notation(&record.data)).collect();
            if !records.iter().any(|record| wanted.is_match(record.as_bytes())) {
                return Some(ProbeResult::new(ResultCode::L7Content, mismatch(&records)));
            }
        }
        Some(ProbeResult::new(ResultCode::L7Ok, rcode::name(rcode)))
    }
}

/// The records that do not match, shortened: they are the server's text.
fn mismatch(records: &[String]) -> String {
    let all = records.join(", ");
    let shown = all.chars().filter(|c| !c.is_control()).take(MAX_RECORDS);
    format!("NOERROR, but none of its records matches: {}", shown.collect::<String>())
}
