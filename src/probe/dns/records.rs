//! The records of an answer: which of them count, and how they are written.

use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::proto::serialize::binary::{BinDecodable, BinDecoder, DecodeError};

/// Whether one of the next `count` records is of this type. A server that has an
/// alias and no record behind it has no data of the type (RFC 2308, 2.2). The
/// records' data is not looked at.
pub(super) fn has_record(
    decoder: &mut BinDecoder<'_>,
    count: u16,
    wanted: RecordType,
) -> Result<bool, DecodeError> {
    let mut found = false;
    for _ in 0..count {
        Name::read(decoder)?;
        let kind = RecordType::from(decoder.read_u16()?.unverified());
        // Class and time to live.
        decoder.read_slice(6)?;
        let length = usize::from(decoder.read_u16()?.unverified());
        decoder.read_slice(length)?;
        found |= kind == wanted || wanted == RecordType::ANY;
    }
    Ok(found)
}

/// A record's data as in a zone file (RFC 1035, 5.1; RFC 3597, 5 for types that have
/// no notation of their own).
pub(super) fn notation(data: &RData) -> String {
    match data {
        RData::TXT(text) => {
            let strings: Vec<_> = text.txt_data.iter().map(|string| quoted(string)).collect();
            strings.join(" ")
        }
        RData::HINFO(host) => format!("{} {}", quoted(&host.cpu), quoted(&host.os)),
        RData::CAA(rule) => format!("{} {} {}", rule.flags(), rule.tag, quoted(&rule.value)),
        RData::NAPTR(rule) => format!(
            "{} {} {} {} {} {}",
            rule.order,
            rule.preference,
            quoted(&rule.flags),
            quoted(&rule.services),
            quoted(&rule.regexp),
            rule.replacement
        ),
        RData::NULL(bytes) | RData::Unknown { rdata: bytes, .. } => {
            let digits: String = bytes.anything.iter().map(|byte| format!("{byte:02X}")).collect();
            format!("\\# {} {digits}", bytes.anything.len()).trim_end().to_owned()
        }
        other => other.to_string(),
    }
}

/// A character string in quotes.
fn quoted(bytes: &[u8]) -> String {
    let mut text = String::from("\"");
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => text.extend(['\\', char::from(byte)]),
            b' '..=b'~' => text.push(char::from(byte)),
            _ => text.push_str(&format!("\\{byte:03}")),
        }
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use hickory_resolver::proto::rr::rdata::{A, CAA, HINFO, NAPTR, NULL, TXT};

    use super::*;

    #[test]
    fn data_is_written_as_in_a_zone_file() {
        let name = || Name::from_ascii("a.example.").unwrap();
        let text = |strings: &[&[u8]]| RData::TXT(TXT::from_bytes(strings.to_vec()));
        let naptr = |regexp: &[u8]| {
            let (flags, services) = ((*b"u").into(), (*b"E2U+sip").into());
            NAPTR::new(1, 2, flags, services, regexp.into(), name())
        };
        let unknown = |bytes: &[u8]| RData::Unknown {
            code: RecordType::Unknown(65_280),
            rdata: if bytes.is_empty() { NULL::new() } else { NULL::with(bytes.to_vec()) },
        };
        let mut issue =
            CAA::new_issue(false, Some(Name::from_ascii("ca.example").unwrap()), vec![]);
        issue.value = b"ca.example; a=\"b\"".to_vec();
        for (data, expected) in [
            (text(&[b"v=spf1 -all"]), r#""v=spf1 -all""#),
            (text(&[b"one", b"", b"two; three"]), r#""one" "" "two; three""#),
            (text(&[b"say \"hi\"\\\n\xff"]), r#""say \"hi\"\\\010\255""#),
            (RData::HINFO(HINFO::new("INTEL 386".into(), "Unix".into())), r#""INTEL 386" "Unix""#),
            (RData::CAA(issue), r#"0 issue "ca.example; a=\"b\"""#),
            (
                RData::NAPTR(naptr(br"!^.*$!sip:\1@a!")),
                r#"1 2 "u" "E2U+sip" "!^.*$!sip:\\1@a!" a.example."#,
            ),
            (unknown(&[10, 0, 0, 255]), r"\# 4 0A0000FF"),
            (unknown(&[192, 0, 2, 1]), r"\# 4 C0000201"),
            (text(&[b"one", b"two"]), r#""one" "two""#),
            (unknown(&[]), r"\# 0"),
            (RData::A(A::new(192, 0, 2, 1)), "192.0.2.1"),
        ] {
            assert_eq!(notation(&data), expected);
        }
        let documented = include_str!("../../../docs/healthchecks.md");
        for example in [r#"`"v=spf1 -all"`"#, r#"`"one" "two"`"#, r"`\# 4 C0000201`"] {
            assert!(documented.contains(example), "{example}");
        }
    }
}
