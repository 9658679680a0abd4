//! Names, record types and response codes of the DNS. The configuration is checked
//! with these functions and requests are made with them, so that what is accepted
//! can be asked for.

/// The labels of a name, with or without the final dot; none for the root.
///
/// A label may have any letter, digit, `-` or `_` anywhere: the DNS itself carries
/// whatever there is (RFC 2181, section 11), and names such as `_dmarc`, `a_b` or
/// `xn--a` are to be asked for as they are.
#[must_use]
pub fn labels(name: &str) -> Option<Vec<&str>> {
    let usable = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let is_label = |label: &&str| (1..=63).contains(&label.len()) && label.bytes().all(usable);
    if name == "." {
        return Some(Vec::new());
    }
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.len() > 253 {
        return None;
    }
    name.split('.').map(Some).map(|label| label.filter(is_label)).collect()
}

/// Whether a server can have the name: it is not the root, and not a mistyped IPv4
/// address.
#[must_use]
pub fn is_host_name(name: &str) -> bool {
    labels(name).is_some_and(|labels| {
        labels.last().is_some_and(|last| !last.bytes().all(|byte| byte.is_ascii_digit()))
    })
}

/// Record types by name, those that can be asked for (IANA, "Resource Record (RR)
/// TYPEs"). Any other is written as `TYPE` and its number (RFC 3597).
pub const RECORD_TYPES: [(&str, u16); 38] = [
    ("A", 1),
    ("AAAA", 28),
    ("AFSDB", 18),
    ("ANY", 255),
    ("CAA", 257),
    ("CDNSKEY", 60),
    ("CDS", 59),
    ("CERT", 37),
    ("CNAME", 5),
    ("CSYNC", 62),
    ("DHCID", 49),
    ("DNAME", 39),
    ("DNSKEY", 48),
    ("DS", 43),
    ("EUI48", 108),
    ("EUI64", 109),
    ("HINFO", 13),
    ("HTTPS", 65),
    ("KX", 36),
    ("LOC", 29),
    ("MX", 15),
    ("NAPTR", 35),
    ("NS", 2),
    ("NSEC", 47),
    ("NSEC3", 50),
    ("NSEC3PARAM", 51),
    ("OPENPGPKEY", 61),
    ("PTR", 12),
    ("RP", 17),
    ("RRSIG", 46),
    ("SMIMEA", 53),
    ("SOA", 6),
    ("SRV", 33),
    ("SSHFP", 44),
    ("SVCB", 64),
    ("TLSA", 52),
    ("TXT", 16),
    ("URI", 256),
];

/// Types that no plain question has: SIG(0)'s 0, OPT, and TKEY, TSIG, IXFR and AXFR.
const NOT_ASKED_FOR: [u16; 6] = [0, 41, 249, 250, 251, 252];

/// The number of a record type that can be asked for, written in any case.
#[must_use]
pub fn record_type(name: &str) -> Option<u16> {
    let known = RECORD_TYPES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    let by_number = || {
        let (word, digits) = name.split_at_checked(4)?;
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
        let number = digits.parse().ok().filter(|_| is_number)?;
        (word.eq_ignore_ascii_case("TYPE") && !NOT_ASKED_FOR.contains(&number)).then_some(number)
    };
    known.map(|(_, number)| *number).or_else(by_number)
}

/// The response codes of a header, by number (IANA, "DNS RCODEs"). A query without
/// EDNS is answered with one of them.
pub const RCODES: [&str; 11] = [
    "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET",
    "NXRRSET", "NOTAUTH", "NOTZONE",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_labels_of_1_to_63_and_253_characters_in_all() {
        for (name, expected) in [
            (".", Some(&[][..])),
            ("a", Some(&["a"])),
            ("www.example.org", Some(&["www", "example", "org"])),
            ("www.example.org.", Some(&["www", "example", "org"])),
            ("_dmarc.a_b.-c-.xn--a", Some(&["_dmarc", "a_b", "-c-", "xn--a"])),
            ("10.in-addr.arpa", Some(&["10", "in-addr", "arpa"])),
            ("", None),
            ("..", None),
            ("a..b", None),
            (".a", None),
            ("a b", None),
            ("*.example.org", None),
            ("bücher.example", None),
            ("a/b", None),
        ] {
            assert_eq!(labels(name).as_deref(), expected, "{name:?}");
        }
        let label = "a".repeat(63);
        assert!(labels(&label).is_some() && labels(&format!("{label}a")).is_none());
        let longest = [63, 63, 63, 61].map(|size| "a".repeat(size)).join(".");
        assert!(labels(&longest).is_some() && labels(&format!("{longest}.")).is_some());
        assert_eq!(labels(&format!("{longest}a")), None);
    }

    #[test]
    fn a_host_has_a_name_that_is_no_mistyped_address() {
        for name in ["a", "a.example.", "1.example", "a_b.test", "-a.test", "1-2"] {
            assert!(is_host_name(name), "{name}");
        }
        for name in [".", "", "192.0.2.300", "7", "a.1", "2001:db8::1"] {
            assert!(!is_host_name(name), "{name}");
        }
    }

    #[test]
    fn a_record_type_is_a_name_or_a_number() {
        for (name, number) in [
            ("A", Some(1)),
            ("aaaa", Some(28)),
            ("TYPE257", Some(257)),
            ("type65280", Some(65280)),
            ("TYPE1", Some(1)),
            ("TYPE", None),
            ("TYPE0", None),
            ("TYPE41", None),
            ("TYPE252", None),
            ("TYPE65536", None),
            ("TYPE+1", None),
            ("TYPÉ1", None),
            ("AXFR", None),
            ("BOGUS", None),
            ("", None),
        ] {
            assert_eq!(record_type(name), number, "{name}");
        }
        assert!(RECORD_TYPES.is_sorted_by(|a, b| a.0 < b.0), "a name twice, or out of order");
        let mut numbers = RECORD_TYPES.map(|(_, number)| number);
        numbers.sort_unstable();
        assert!(numbers.is_sorted_by(|a, b| a < b), "a number twice");
    }
}
