//! Whether a request comes from the page itself, or from another site that has the
//! browser send it. Browsers say where a request comes from in headers that no script
//! can set (Fetch Metadata; the Fetch standard's `Origin`). The token in each POST is
//! the second lock, and `SameSite` of the cookie the third.

use std::net::{Ipv4Addr, Ipv6Addr};

use thiserror::Error;

/// The headers that say where a request comes from and where it goes to.
#[derive(Clone, Copy, Debug, Default)]
pub struct OriginHeaders<'a> {
    /// `Sec-Fetch-Site`.
    pub fetch_site: Option<&'a str>,
    /// `Origin`.
    pub origin: Option<&'a str>,
    /// `Host`, or the authority of HTTP/2.
    pub host: Option<&'a str>,
}

/// Why a request is not believed to come from the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Forgery {
    #[error("the request comes from another site")]
    OtherSite,
    #[error("the request's Origin is not the Host that it was sent to")]
    OtherOrigin,
    #[error("the token of the session is missing or wrong")]
    Token,
    #[error("the name in the Host header is not one of this server's")]
    OtherHost,
}

/// Checks where a POST comes from. A client that is no browser sends neither header,
/// and has no cookie that another site could use.
///
/// # Errors
/// It comes from elsewhere.
pub fn check_origin(headers: OriginHeaders<'_>) -> Result<(), Forgery> {
    match (headers.fetch_site, headers.origin) {
        (Some("same-origin"), _) | (None, None) => Ok(()),
        (Some(_), _) => Err(Forgery::OtherSite),
        (None, Some(origin)) => {
            let of_origin = origin.split_once("://").map(|(_, authority)| authority);
            let is_same = of_origin.zip(headers.host).is_some_and(|(origin, host)| {
                with_no_default_port(origin).eq_ignore_ascii_case(with_no_default_port(host))
            });
            if is_same { Ok(()) } else { Err(Forgery::OtherOrigin) }
        }
    }
}

fn with_no_default_port(authority: &str) -> &str {
    authority.strip_suffix(":443").or(authority.strip_suffix(":80")).unwrap_or(authority)
}

/// Checks that a page that needs no login is asked for by an address, by `localhost` or
/// by one of `names`: by another name, a site could have its own name lead here and read
/// what only this machine may (DNS rebinding).
///
/// # Errors
/// It is another name.
pub fn check_host(host: Option<&str>, names: &[String]) -> Result<(), Forgery> {
    let Some(host) = host else { return Ok(()) };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    let is_address = match bare {
        Some(name) => name.parse::<Ipv6Addr>().is_ok(),
        None => name.parse::<Ipv4Addr>().is_ok(),
    };
    let is_known = |known: &str| name.trim_end_matches('.').eq_ignore_ascii_case(known);
    if is_address || is_known("localhost") || names.iter().any(|known| is_known(known)) {
        return Ok(());
    }
    Err(Forgery::OtherHost)
}

/// Whether two secrets are equal, in a time that does not say where they differ.
#[must_use]
pub fn is_same_secret(one: &[u8], other: &[u8]) -> bool {
    let differences = one.iter().zip(other).fold(0, |all, (one, other)| all | (one ^ other));
    one.len() == other.len() && differences == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_of_another_site_is_forged() {
        let check =
            |fetch_site, origin, host| check_origin(OriginHeaders { fetch_site, origin, host });
        let host = Some("lb.example:9080");
        for (site, origin, expected) in [
            (Some("same-origin"), Some("https://lb.example:9080"), Ok(())),
            // Behind a proxy that sends another Host.
            (Some("same-origin"), Some("https://other.example"), Ok(())),
            (Some("cross-site"), None, Err(Forgery::OtherSite)),
            (Some("same-site"), Some("http://lb.example:9080"), Err(Forgery::OtherSite)),
            (Some("none"), None, Err(Forgery::OtherSite)),
            (None, Some("http://lb.example:9080"), Ok(())),
            (None, Some("http://LB.example:9080"), Ok(())),
            (None, Some("http://lb.example"), Err(Forgery::OtherOrigin)),
            (None, Some("https://evil.example"), Err(Forgery::OtherOrigin)),
            (None, Some("null"), Err(Forgery::OtherOrigin)),
            (None, None, Ok(())),
        ] {
            assert_eq!(check(site, origin, host), expected, "{site:?} {origin:?}");
        }
        assert_eq!(check(None, Some("https://lb.example"), Some("lb.example:443")), Ok(()));
        assert_eq!(check(None, Some("https://lb.example"), None), Err(Forgery::OtherOrigin));
    }

    #[test]
    fn a_page_without_a_login_is_asked_for_by_a_known_name() {
        let names = ["lb1.example".to_owned()];
        for host in [
            None,
            Some("127.0.0.1"),
            Some("127.0.0.1:9080"),
            Some("[::1]:9080"),
            Some("[::1]"),
            Some("localhost:9080"),
            Some("LB1.example."),
            Some("lb1.example:80"),
        ] {
            assert_eq!(check_host(host, &names), Ok(()), "{host:?}");
        }
        for host in ["evil.example", "evil.example:9080", "127.0.0.1.evil.example", "", "[x]:1"] {
            assert_eq!(check_host(Some(host), &names), Err(Forgery::OtherHost), "{host}");
        }
    }

    #[test]
    fn secrets_are_compared_whole() {
        assert!(is_same_secret(b"abc", b"abc"));
        for other in [&b"abd"[..], b"ab", b"abcd", b""] {
            assert!(!is_same_secret(b"abc", other));
        }
    }
}
