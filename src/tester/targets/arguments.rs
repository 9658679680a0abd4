//! VIPs of the command line: `[SCHEME://]HOST:PORT[/PATH]`.

use std::net::{IpAddr, SocketAddr};

use super::target::{TargetKind, VipTarget, chosen};
use crate::tester::error::TesterError;
use crate::tester::options::TesterOptions;

/// A VIP, taken apart.
#[derive(Debug, PartialEq, Eq)]
struct VipWords<'a> {
    scheme: Option<TargetKind>,
    host: &'a str,
    port: Option<u16>,
    path: Option<&'a str>,
}

/// The target that a text means; a name is looked up.
///
/// # Errors
/// It means none.
pub(super) async fn parse(text: &str, options: &TesterOptions) -> Result<VipTarget, TesterError> {
    let wrong = |why: String| TesterError::Vip { text: text.to_owned(), why };
    let words = split(text).map_err(|why| wrong(why.into()))?;
    let kind = words.scheme.or(chosen(options.probe.kind));
    let port = match (words.port, kind) {
        (Some(port), _) => port,
        (None, Some(TargetKind::Http)) => 80,
        (None, Some(TargetKind::Https)) => 443,
        _ => return Err(wrong("it has no port".into())),
    };
    let (ip, name) = match words.host.parse::<IpAddr>() {
        Ok(ip) => (ip, None),
        Err(_) => {
            let found = tokio::net::lookup_host((words.host, port)).await;
            let found = found.map_err(|error| wrong(format!("it cannot be looked up: {error}")))?;
            let first = found.map(|address| address.ip()).next();
            (first.ok_or_else(|| wrong("it has no address".into()))?, Some(words.host.to_owned()))
        }
    };
    Ok(VipTarget {
        name: text.to_owned(),
        address: SocketAddr::new(ip, port),
        kind: kind.unwrap_or(TargetKind::of_port(port)),
        host: options.probe.host.clone().or(name),
        uri: words.path.map_or_else(|| options.probe.uri.clone(), str::to_owned),
        expected: None,
    })
}

fn split(text: &str) -> Result<VipWords<'_>, &'static str> {
    let (scheme, rest) = match text.split_once("://") {
        None => (None, text),
        Some((word, rest)) => {
            let known = TargetKind::from_word(word);
            (Some(known.ok_or("the scheme is tcp, tls, http, https or udp")?), rest)
        }
    };
    let (authority, path) = match rest.find('/') {
        None => (rest, None),
        Some(at) => (&rest[..at], Some(&rest[at..])),
    };
    if path.is_some() && !scheme.is_some_and(TargetKind::is_http) {
        return Err("only http:// and https:// have a path");
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(bracketed) => {
            let (host, behind) = bracketed.split_once(']').ok_or("a ] is missing")?;
            (host, behind.strip_prefix(':'))
        }
        None if authority.matches(':').count() > 1 => {
            return Err("an IPv6 address stands in brackets: [2001:db8::80]:443");
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let number = |port: &str| port.parse().ok().filter(|port| *port > 0);
    let port = port.map(|port| number(port).ok_or("a port is a number from 1 to 65535"));
    if host.is_empty() {
        return Err("it has no address");
    }
    Ok(VipWords { scheme, host, port: port.transpose()?, path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vip_is_scheme_host_port_and_path() {
        let words = |scheme, host, port, path| Ok(VipWords { scheme, host, port, path });
        for (text, expected) in [
            ("192.0.2.80:80", words(None, "192.0.2.80", Some(80), None)),
            ("[2001:db8::80]:443", words(None, "2001:db8::80", Some(443), None)),
            ("tcp://vip.example:7", words(Some(TargetKind::Tcp), "vip.example", Some(7), None)),
            ("http://[::1]/x/y?z", words(Some(TargetKind::Http), "::1", None, Some("/x/y?z"))),
            ("udp://a:0", Err("a port is a number from 1 to 65535")),
            ("ftp://a:1", Err("the scheme is tcp, tls, http, https or udp")),
            ("2001:db8::80:443", Err("an IPv6 address stands in brackets: [2001:db8::80]:443")),
            ("[::1:80", Err("a ] is missing")),
            ("a:1/x", Err("only http:// and https:// have a path")),
            (":80", Err("it has no address")),
        ] {
            assert_eq!(split(text), expected, "{text}");
        }
    }
}
