//! What an HTTP request is made of, and the name that TLS asks for. The configuration
//! is checked with these functions and requests are made with them, so that what is
//! accepted can be sent.

use std::net::IpAddr;

use super::dns::is_host_name;

/// The method of a check that names none.
pub const GET: &str = "GET";

/// The method whose answers have no body.
pub const HEAD: &str = "HEAD";

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

/// The headers that a check's request has of its own: they are given by other keys, or
/// say how the request itself is to be read.
const RESERVED: [&str; 5] = ["host", "content-length", "transfer-encoding", "expect", "trailer"];

/// Whether the text can be a method, other than one that asks for a tunnel.
#[must_use]
pub fn is_method(text: &str) -> bool {
    is_token(text) && text != "CONNECT"
}

/// Whether the text can be the name of a header that a check sends.
#[must_use]
pub fn is_header_name(text: &str) -> bool {
    is_token(text)
}

/// Whether requests have this header anyway, or can have none such.
#[must_use]
pub fn is_reserved(name: &str) -> bool {
    RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(name))
}

/// Whether a header is about the connection, which HTTP/2 has none of (RFC 9113,
/// section 8.2.2).
#[must_use]
pub fn is_of_connection(name: &str) -> bool {
    let known = ["connection", "keep-alive", "proxy-connection", "upgrade", "te"];
    known.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Whether the bytes can be the value of a header (RFC 9110, section 5.5): no line end
/// among them, which could begin another, and no space around them.
#[must_use]
pub fn is_header_value(bytes: &[u8]) -> bool {
    let is_field = |byte: &u8| matches!(byte, b'\t' | b' '..=b'~' | 0x80..);
    bytes.iter().all(is_field) && bytes.trim_ascii() == bytes
}

/// RFC 9110, section 5.6.2.
fn is_token(text: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_token)
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
    fn nothing_of_a_request_ends_its_line() {
        for good in ["GET", "HEAD", "POST", "M-SEARCH", "get"] {
            assert!(is_method(good), "{good}");
        }
        for bad in ["", "CONNECT", "GET ", "GET / HTTP/1.1\r\nX:", "GÉT", "a:b", "(a)"] {
            assert!(!is_method(bad), "{bad:?}");
        }
        assert!(is_header_name("X-Forwarded_For.1"));
        assert!(!is_header_name("X:") && !is_header_name("X Y") && !is_header_name("X\r\nY"));
        for good in ["", "a", "a b\tc", "größe", "\"x\""] {
            assert!(is_header_value(good.as_bytes()), "{good}");
        }
        for bad in [" a", "a ", "a\tb\t", "a\r\nX: y", "a\nb", "a\0b", "a\x7fb", "a\n"] {
            assert!(!is_header_value(bad.as_bytes()), "{bad:?}");
        }
        for name in ["Host", "content-length", "Transfer-Encoding"] {
            assert!(is_reserved(name), "{name}");
        }
        assert!(!is_reserved("Connection") && !is_reserved("X-Host"));
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
