//! What an HTTP request is made of, and the name that TLS asks for. The configuration
//! is checked with these functions and requests are made with them, so that what is
//! accepted can be sent.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use super::dns::is_host_name;

/// Whether the text can stand in a request line as it is. Anything else could end the
/// line and begin a header.
#[must_use]
pub fn is_path(text: &str) -> bool {
    text.starts_with('/') && is_visible(text)
}

/// Whether the text can be a `Host` header: a host and, if need be, a port
/// (RFC 9110, section 7.2), so nothing of a URL's other parts.
#[must_use]
pub fn is_host(text: &str) -> bool {
    !text.is_empty() && is_visible(text) && !text.contains(['/', '?', '#', '@', '\\'])
}

fn is_visible(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Whether a status precedes the answer, and is not one (RFC 9110, section 15.2). 101
/// is the last of a connection.
#[must_use]
pub fn is_interim(status: u16) -> bool {
    (100..200).contains(&status) && status != 101
}

/// Whether an answer with this status never has a body (RFC 9112, section 6.3).
#[must_use]
pub fn has_no_body(status: u16) -> bool {
    matches!(status, 100..200 | 204 | 304)
}

/// Reads `200` or `200-299`. One code at least must be the status of an answer.
#[must_use]
pub fn response_codes(text: &str) -> Option<RangeInclusive<u16>> {
    let code = |text: &str| {
        let digits = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|code| digits && (100..=599).contains(code))
    };
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let range = code(first)?..=code(last)?;
    range.clone().any(|code| !is_interim(code)).then_some(range)
}

/// The name that is asked for in a TLS handshake and that the certificate must have:
/// a host name, without a final dot (RFC 6066, section 3), or an address.
#[must_use]
pub fn server_name(text: &str) -> Option<&str> {
    if text.parse::<IpAddr>().is_ok() {
        return Some(text);
    }
    is_host_name(text).then(|| text.strip_suffix('.').unwrap_or(text))
}

/// The name or address of a `Host` header, without port and brackets.
#[must_use]
pub fn without_port(host: &str) -> &str {
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split(']').next().unwrap_or(rest);
    }
    match host.split_once(':') {
        // More than one colon: an IPv6 address without brackets.
        Some((name, port)) if !port.contains(':') => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn response_codes_are_those_that_an_answer_can_have() {
        for (text, codes) in [
            ("200", Some(200..=200)),
            ("101", Some(101..=101)),
            ("599", Some(599..=599)),
            ("200-299", Some(200..=299)),
            ("100-399", Some(100..=399)),
            ("100-101", Some(100..=101)),
            ("100", None),
            ("103", None),
            ("102-199", None),
            ("299-200", None),
            ("99", None),
            ("600", None),
            ("0200", None),
            ("+20", None),
            ("2xx", None),
            ("200-", None),
            ("-200", None),
            ("", None),
        ] {
            assert_eq!(response_codes(text), codes, "{text:?}");
        }
    }

    #[test]
    fn a_server_name_is_a_host_name_or_an_address() {
        for (text, name) in [
            ("www.example.org", Some("www.example.org")),
            ("www.example.org.", Some("www.example.org")),
            ("a_b.example", Some("a_b.example")),
            ("192.0.2.1", Some("192.0.2.1")),
            ("2001:db8::1", Some("2001:db8::1")),
            ("*.example.org", None),
            (".example.org", None),
            ("www.example.org:443", None),
            ("[2001:db8::1]", None),
            ("192.0.2.300", None),
            ("bücher.example", None),
            ("a b", None),
            ("a\0b", None),
            (".", None),
            ("", None),
        ] {
            assert_eq!(server_name(text), name, "{text:?}");
        }
    }

    #[test]
    fn a_host_loses_its_port_and_brackets() {
        for (host, name) in [
            ("b.example", "b.example"),
            ("b.example.:8443", "b.example."),
            ("[2001:db8::1]:8443", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
        ] {
            assert_eq!(without_port(host), name);
        }
    }

    #[test]
    fn a_host_header_has_nothing_else_of_a_url() {
        for host in ["a.example", "a.example:8080", "[::1]:80", "*.example.org", "a_b", "%41.test"]
        {
            assert!(is_host(host), "{host}");
        }
        for host in ["", "a b", "a\r\nb", "http://a.example/", "a.example/x", "u@a", "a?b", "ä"] {
            assert!(!is_host(host), "{host:?}");
        }
    }
}
