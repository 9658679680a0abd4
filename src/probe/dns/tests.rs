//! Queries and answers as bytes, without sockets.

use std::net::Ipv4Addr;

use hickory_resolver::proto::op::{Message, OpCode, Query, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, CNAME};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};

use super::*;

fn exchange(query: &str, record: &str, rcode: &str) -> DnsExchange {
    DnsExchange {
        query: query.into(),
        record: record.into(),
        tcp: false,
        rcode: rcode.into(),
        answer: None,
    }
}

fn question(rcode: &str) -> DnsQuestion {
    DnsQuestion::prepare(&exchange("www.Example.org", "A", rcode)).unwrap()
}

/// A response to [`question`] with `records` records.
fn response(id: u16, name: &str, rcode: ResponseCode, records: u8) -> Message {
    let name = Name::from_ascii(name).unwrap();
    let mut message = Message::response(id, OpCode::Query);
    message.metadata.response_code = rcode;
    message.add_query(Query::query(name.clone(), RecordType::A));
    for last in 0..records {
        let address = A(Ipv4Addr::new(192, 0, 2, last));
        message.add_answer(Record::from_rdata(name.clone(), 60, RData::A(address)));
    }
    message
}

#[test]
fn the_query_is_a_plain_one() {
    let question = DnsQuestion::prepare(&exchange("a.example", "AAAA", "NOERROR")).unwrap();
    let expected = b"\0\x1b\0\0\x01\0\0\x01\0\0\0\0\0\0\x01a\x07example\0\0\x1c\0\x01";
    assert_eq!(question.message, expected);
    let longest = [63, 63, 63, 61].map(|size| "a".repeat(size)).join(".");
    let question = DnsQuestion::prepare(&exchange(&longest, "A", "NOERROR")).unwrap();
    assert_eq!(question.message.len(), MAX_QUERY);
}

#[test]
fn answers_are_told_apart() {
    use ResponseCode::*;
    let truncated = |records| {
        let mut message = response(7, "www.example.org.", NoError, records);
        message.metadata.truncation = true;
        message
    };
    let two_questions = {
        let mut message = response(7, "www.example.org.", NoError, 1);
        message.add_query(message.queries[0].clone());
        message
    };
    let no_question = |rcode| {
        let mut message = response(7, "www.example.org.", rcode, 0);
        message.queries.clear();
        message
    };
    let plain = |name, rcode, records| response(7, name, rcode, records);
    let www = "www.example.org.";
    for (expected, message, text) in [
        ("NOERROR", plain(www, NoError, 1), Some("L7OK NOERROR")),
        ("NOERROR", plain("WWW.eXample.ORG.", NoError, 2), Some("L7OK NOERROR")),
        (
            "NOERROR",
            plain(www, NoError, 0),
            Some("L7CNT NOERROR without a record for www.Example.org. IN A"),
        ),
        ("NOERROR", truncated(0), Some("L7OK NOERROR")),
        ("NOERROR", plain(www, ServFail, 0), Some("L7STS SERVFAIL")),
        ("NOERROR", plain(www, Unknown(11), 0), Some("L7STS RCODE11")),
        ("NXDOMAIN", plain(www, NXDomain, 0), Some("L7OK NXDOMAIN")),
        ("NXDOMAIN", plain(www, NoError, 1), Some("L7STS NOERROR")),
        ("REFUSED", no_question(Refused), Some("L7OK REFUSED")),
        ("NOERROR", no_question(FormErr), Some("L7STS FORMERR")),
        ("NOERROR", no_question(NoError), Some("L7RSP the response does not have one question")),
        ("NOERROR", two_questions, Some("L7RSP the response does not have one question")),
        (
            "NOERROR",
            plain("other.example.org.", NoError, 1),
            Some("L7RSP the response is to another question"),
        ),
        ("NOERROR", response(8, www, NoError, 1), None),
    ] {
        let found = question(expected).judge(7, &message.to_vec().unwrap());
        assert_eq!(found.map(|result| result.to_string()).as_deref(), text, "{message:?}");
    }
}

#[test]
fn a_record_can_be_asked_to_match() {
    let www = "www.example.org.";
    let judged = |pattern: &str, message: &Message| {
        let exchange =
            DnsExchange { answer: Some(pattern.into()), ..exchange(www, "A", "NOERROR") };
        let bytes = message.to_vec().unwrap();
        DnsQuestion::prepare(&exchange).unwrap().judge(7, &bytes).unwrap().to_string()
    };
    let mut two = response(7, www, ResponseCode::NoError, 0);
    for last in [1, 2] {
        let data = RData::A(Ipv4Addr::new(192, 0, 2, last).into());
        two.add_answer(Record::from_rdata(Name::from_ascii(www).unwrap(), 60, data));
    }
    for (pattern, text) in [
        (r"^192\.0\.2\.2$", "L7OK NOERROR"),
        ("^192", "L7OK NOERROR"),
        (r"\.3$", "L7CNT NOERROR, but none of its records matches: 192.0.2.1, 192.0.2.2"),
    ] {
        assert_eq!(judged(pattern, &two), text, "{pattern}");
    }
    let none = response(7, www, ResponseCode::NoError, 0);
    assert!(judged("", &none).starts_with("L7CNT NOERROR without a record"));
    // What was cut off is not known.
    two.metadata.truncation = true;
    assert!(judged("3$", &two).starts_with("L7CNT NOERROR, but none"));
    let mut bytes = two.to_vec().unwrap();
    bytes.truncate(bytes.len() - 3);
    let exchange = DnsExchange { answer: Some("1$".into()), ..exchange(www, "A", "NOERROR") };
    let found = DnsQuestion::prepare(&exchange).unwrap().judge(7, &bytes).unwrap();
    assert_eq!(found.to_string(), "L7RSP the response's records are malformed");
}

#[test]
fn an_alias_alone_is_no_record_of_another_type() {
    let www = "www.example.org.";
    let name = || Name::from_ascii(www).unwrap();
    let alias = || {
        let target = Name::from_ascii("target.example.org.").unwrap();
        Record::from_rdata(name(), 60, RData::CNAME(CNAME(target)))
    };
    let judged = |record: &str, message: &Message| {
        let question = DnsQuestion::prepare(&exchange(www, record, "NOERROR")).unwrap();
        question.judge(7, &message.to_vec().unwrap()).unwrap().to_string()
    };
    let mut message = response(7, www, ResponseCode::NoError, 0);
    message.add_answer(alias());
    let alone = "L7CNT NOERROR without a record for www.example.org. IN A, \
                 and only others such as an alias";
    assert_eq!(judged("A", &message), alone);
    let mut with_address = message.clone();
    let address = A(Ipv4Addr::new(192, 0, 2, 1));
    with_address.add_answer(Record::from_rdata(name(), 60, RData::A(address)));
    assert_eq!(judged("A", &with_address), "L7OK NOERROR");
    // What was cut off may be the address.
    message.metadata.truncation = true;
    assert_eq!(judged("A", &message), "L7OK NOERROR");
    message.metadata.truncation = false;
    for record in ["CNAME", "ANY"] {
        message.queries = vec![Query::query(name(), record.parse().unwrap())];
        assert_eq!(judged(record, &message), "L7OK NOERROR", "{record}");
    }
}

#[test]
fn what_is_no_response_is_garbage() {
    let question = question("NOERROR");
    let mut echoed = question.message[2..].to_vec();
    for (bytes, text) in [
        (&b"nope"[..], "L7RSP the answer is not a DNS message"),
        (&echoed.clone(), "L7RSP the answer is not a response to a query"),
        (
            {
                echoed[2] |= 0x80;
                &echoed[..20]
            },
            "L7RSP the response's question is malformed",
        ),
    ] {
        assert_eq!(question.judge(0, bytes).unwrap().to_string(), text);
    }
}

#[test]
fn a_tcp_answer_may_come_in_any_pieces() {
    let question = question("NOERROR");
    let body = response(7, "www.example.org.", ResponseCode::NoError, 3).to_vec().unwrap();
    let length = u16::try_from(body.len()).unwrap();
    let framed = [&length.to_be_bytes()[..], &body].concat();
    for cut in 1..framed.len() {
        let mut answer = TcpAnswer { question: &question, id: 7, kept: Vec::new() };
        assert_eq!(answer.take(&framed[..cut]), None);
        assert_eq!(answer.take(&framed[cut..]).unwrap().to_string(), "L7OK NOERROR");

        let mut answer = TcpAnswer { question: &question, id: 7, kept: Vec::new() };
        answer.take(&framed[..cut]);
        assert_eq!(answer.end().to_string(), "L7RSP connection closed inside the response");
    }
    let mut answer = TcpAnswer { question: &question, id: 8, kept: Vec::new() };
    let text = answer.take(&framed).unwrap().to_string();
    assert_eq!(text, "L7RSP the response has another query's id");
}

#[test]
fn a_check_that_cannot_be_asked_is_refused() {
    let refused = |query: &str, record, rcode| {
        DnsQuestion::prepare(&exchange(query, record, rcode)).unwrap_err().to_string()
    };
    assert!(refused(&"a".repeat(64), "A", "NOERROR").contains("is not a domain name"));
    assert!(refused("a.example", "BOGUS", "NOERROR").contains("\"BOGUS\" is not a record type"));
    assert!(refused("a.example", "A", "BADVERS").contains("is not one of NOERROR, FORMERR"));
    for (name, number) in [("A", 1), ("AAAA", 28), ("TYPE65280", 65280), ("ANY", 255)] {
        let question = DnsQuestion::prepare(&exchange("a.example", name, "NOERROR")).unwrap();
        let asked = question.message.iter().rev().nth(3).zip(question.message.iter().rev().nth(2));
        let asked = asked.map(|(high, low)| u16::from_be_bytes([*high, *low]));
        assert_eq!(asked, Some(number), "{name}");
    }
    for name in ["-a.test", "a_b.test", "xn--a.test", "."] {
        DnsQuestion::prepare(&exchange(name, "A", "NOERROR")).expect(name);
    }
}
