//! The bytes of requests.

use std::fs;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use crate::domain::config::{HeaderValue, HttpExchange, RequestHeader};
use crate::probe::http::spec::HttpExchangeSpec;
use crate::probe::http::{HTTP_PORT, HTTPS_PORT};

#[test]
fn the_request_names_the_host() {
    let v4 = IpAddr::from([192, 0, 2, 1]);
    let v6 = IpAddr::V6(Ipv6Addr::LOCALHOST);
    for (address, port, tls, host, header) in [
        (v4, 80, false, None, "192.0.2.1"),
        (v4, 8080, false, None, "192.0.2.1:8080"),
        (v4, 80, true, None, "192.0.2.1:80"),
        (v4, 443, true, None, "192.0.2.1"),
        (v6, 80, false, None, "[::1]"),
        (v6, 8080, false, None, "[::1]:8080"),
        (v6, 8080, false, Some("www.example.org"), "www.example.org"),
    ] {
        let peer = SocketAddr::new(address, port);
        let exchange = HttpExchange {
            host: host.map(str::to_owned),
            ..HttpExchange::get("/healthz?full=1", 200..=200)
        };
        let usual_port = if tls { HTTPS_PORT } else { HTTP_PORT };
        let request = HttpExchangeSpec::prepare(&exchange).unwrap().request(peer, usual_port);
        let request = String::from_utf8(request.unwrap()).unwrap();
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(
            request,
            format!(
                "GET /healthz?full=1 HTTP/1.1\r\nHost: {header}\r\n\
                 User-Agent: maglevd/{version}\r\nAccept: */*\r\n\
                 Accept-Encoding: identity\r\nConnection: close\r\n\r\n"
            )
        );
    }
}

#[test]
fn nothing_can_be_smuggled_into_the_request() {
    for (path, host) in [
        ("", None),
        ("healthz", None),
        ("/a b", None),
        ("/a\r\nX: y", None),
        ("/ä", None),
        ("/", Some("")),
        ("/", Some("a\r\nX: y")),
    ] {
        let exchange =
            HttpExchange { host: host.map(str::to_owned), ..HttpExchange::get(path, 200..=200) };
        assert!(HttpExchangeSpec::prepare(&exchange).is_err(), "{path:?} {host:?}");
    }
    let plain = || HttpExchange::get("/", 200..=200);
    let header = |name: &str, value: &str| {
        let value = HeaderValue::Text(value.into());
        HttpExchange { headers: vec![RequestHeader { name: name.into(), value }], ..plain() }
    };
    assert!(HttpExchangeSpec::prepare(&header("X-Probe", "a b")).is_ok());
    for exchange in [
        header("X\r\nY", "a"),
        header("X", "a\r\nY: b"),
        header("Host", "a"),
        header("Content-Length", "1"),
        HttpExchange { method: "GET / HTTP/1.1\r\nX:".into(), ..plain() },
    ] {
        assert!(HttpExchangeSpec::prepare(&exchange).is_err(), "{exchange:?}");
    }
}

fn text_header(name: &str, value: &str) -> RequestHeader {
    RequestHeader { name: name.into(), value: HeaderValue::Text(value.into()) }
}

/// What is sent to 192.0.2.1:80.
fn sent(exchange: &HttpExchange) -> String {
    let peer = SocketAddr::from(([192, 0, 2, 1], 80));
    let request = HttpExchangeSpec::prepare(exchange).unwrap().request(peer, HTTP_PORT);
    String::from_utf8(request.unwrap()).unwrap()
}

#[test]
fn a_header_takes_the_place_of_the_usual_one() {
    let headers = vec![
        text_header("x-probe", "a"),
        text_header("accept", "text/plain"),
        text_header("X-Probe", "b"),
    ];
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        sent(&HttpExchange { headers, ..HttpExchange::get("/", 200..=200) }),
        format!(
            "GET / HTTP/1.1\r\nHost: 192.0.2.1\r\nUser-Agent: maglevd/{version}\r\n\
             Accept-Encoding: identity\r\nConnection: close\r\n\
             x-probe: a\r\naccept: text/plain\r\nX-Probe: b\r\n\r\n"
        )
    );
}

#[test]
fn a_body_has_its_length_and_methods_with_one_say_that_there_is_none() {
    let request = |method: &str, content: Option<&str>| {
        let (method, content) = (method.into(), content.map(str::to_owned));
        sent(&HttpExchange { method, content, ..HttpExchange::get("/", 200..=200) })
    };
    assert!(request("POST", Some("{}é")).ends_with("\r\nContent-Length: 4\r\n\r\n{}é"));
    assert!(request("GET", Some("q")).ends_with("\r\nContent-Length: 1\r\n\r\nq"));
    assert!(request("PUT", None).ends_with("\r\nContent-Length: 0\r\n\r\n"));
    for method in ["GET", "HEAD", "OPTIONS", "DELETE"] {
        let request = request(method, None);
        assert!(request.starts_with(&format!("{method} / HTTP/1.1\r\n")), "{request}");
        assert!(!request.contains("Content-Length"), "{request}");
    }
}

#[tokio::test]
async fn values_in_files_are_sent_and_stand_in_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).display().to_string();
    let file = |name: &str, path: &str| {
        let value = HeaderValue::File(at(path));
        RequestHeader { name: name.into(), value }
    };
    fs::write(at("token"), "Bearer hunter2\n").unwrap();
    fs::write(at("key"), "k3y").unwrap();
    let headers =
        vec![file("Authorization", "token"), text_header("X-Probe", "a"), file("X-Key", "key")];
    let exchange = HttpExchange { headers, ..HttpExchange::get("/", 200..=200) };
    let spec = HttpExchangeSpec::prepare(&exchange).unwrap();
    let peer = SocketAddr::from(([192, 0, 2, 1], 80));
    assert!(spec.request(peer, HTTP_PORT).is_none());
    let request = spec.request_with_files(peer, HTTP_PORT).await.unwrap();
    let request = String::from_utf8(request).unwrap();
    let fields = "\r\nAuthorization: Bearer hunter2\r\nX-Probe: a\r\nX-Key: k3y\r\n\r\n";
    assert!(request.ends_with(fields), "{request}");
    let described = format!("{spec:?} {exchange:?}");
    assert!(!described.contains("hunter2") && !described.contains("k3y"), "{described}");

    // What cannot be sent is named by its file, and not repeated.
    fs::write(at("token"), "Bearer hunter2\r\nX-Evil: 1").unwrap();
    let spec = HttpExchangeSpec::prepare(&exchange).unwrap();
    let fault = spec.request_with_files(peer, HTTP_PORT).await.unwrap_err();
    let fault = fault.result_in(crate::probe::fault::Layer::Exchange).to_string();
    let expected = "holds no value of a header: write one line into it";
    assert_eq!(fault, format!("SOCKERR {} {expected}", at("token")));
}
