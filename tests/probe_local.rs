//! Probes against peers inside the test's own process, which answer, hang,
//! refuse and break off at will.

mod probe_support;

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use probe_support::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UdpSocket};
use tokio::sync::oneshot;
use tokio_native_tls::native_tls::Identity;
use tokio_native_tls::{TlsAcceptor, native_tls};
use vpp_maglev::domain::config::Tls;
use vpp_maglev::domain::probe::Code;
use vpp_maglev::probe::{Probe, Shared};

/// Listens at `address` and serves one connection after the other.
async fn listen<F, S>(address: IpAddr, serve: F) -> SocketAddr
where
    F: Fn(TcpStream) -> S + 'static,
    S: Future<Output = ()> + 'static,
{
    let listener = TcpListener::bind((address, 0)).await.unwrap();
    let local = listener.local_addr().unwrap();
    tokio::task::spawn_local(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::task::spawn_local(serve(stream));
        }
    });
    local
}

/// Reads the head of a request and gives it back.
async fn request(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

/// A port where nobody listens: taken, and let go of.
async fn closed_port(address: IpAddr) -> SocketAddr {
    TcpListener::bind((address, 0)).await.unwrap().local_addr().unwrap()
}

/// Lets the probe's timeout pass without waiting for it. Called by a peer once
/// the probe is where the test wants it to be.
async fn let_time_run_out() {
    tokio::time::pause();
    tokio::time::advance(LONG).await;
}

/// Runs a test in one thread, where peers and probes take turns.
fn local(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, test);
}

#[test]
fn tcp_is_accepted_or_refused() {
    local(async {
        let shared = Shared::new();
        for address in [V4, V6] {
            let open = listen(address, |_| async {}).await;
            assert_found(tcp(open, None), address, &shared, "L4OK").await;
            let closed = closed_port(address).await;
            assert_found(tcp(closed, None), address, &shared, "L4CON connection refused").await;
        }
    });
}

#[test]
fn a_tcp_probe_closes_its_connection_in_order() {
    local(async {
        let (told, ended) = oneshot::channel();
        let told = std::cell::Cell::new(Some(told));
        let told = std::rc::Rc::new(told);
        let open = listen(V4, move |mut stream| {
            let told = told.clone();
            async move {
                let end = stream.read(&mut [0; 16]).await;
                told.take().unwrap().send(end.map_err(|error| error.kind())).unwrap();
            }
        })
        .await;
        assert_found(tcp(open, None), V4, &Shared::new(), "L4OK").await;
        // A reset would be an error here, and in the server's log.
        assert_eq!(ended.await.unwrap(), Ok(0));
    });
}

#[test]
fn a_connection_that_hangs_is_a_timeout_of_layer_4() {
    local(async {
        // A full backlog drops further SYNs.
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((V4, 0).into()).unwrap();
        let listener = socket.listen(1).unwrap();
        let full = listener.local_addr().unwrap();
        let mut held = Vec::new();
        let short = Duration::from_millis(200);
        loop {
            match tokio::time::timeout(short, TcpStream::connect(full)).await {
                Ok(stream) => held.push(stream.unwrap()),
                Err(_) => break,
            }
            assert!(held.len() < 16, "the backlog never fills");
        }
        let probe = Probe::prepare(&check(tcp(full, None), short), V4, &Shared::new()).unwrap();
        assert_eq!(probe.run().await.to_string(), "L4TOUT no connection within 200ms");
    });
}

#[test]
fn the_source_address_is_the_configured_one() {
    local(async {
        let shared = Shared::new();
        let open = listen(V4, |mut stream| async move {
            request(&mut stream).await;
            let from = stream.peer_addr().unwrap().ip();
            let answer = format!("HTTP/1.1 200 OK\r\n\r\n{from}");
            stream.write_all(answer.as_bytes()).await.unwrap();
        })
        .await;
        let mut from_elsewhere = check(http(open, 200..=200, Some(r"^127\.0\.0\.9$")), LONG);
        from_elsewhere.source_v4 = Some([127, 0, 0, 9].into());
        let probe = Probe::prepare(&from_elsewhere, V4, &shared).unwrap();
        assert_eq!(probe.run().await.to_string(), "L7OK 200 OK");

        // TEST-NET-1 (RFC 5737) is nobody's.
        for kind in [tcp(open, None), dns(open, false, "a.example", "A", "NOERROR")] {
            let mut foreign = check(kind, LONG);
            foreign.source_v4 = Some([192, 0, 2, 77].into());
            let finding = Probe::prepare(&foreign, V4, &shared).unwrap().run().await;
            assert_eq!(
                finding.to_string(),
                "SOCKERR source address 192.0.2.77 is not an address of this machine"
            );
        }
    });
}

#[test]
fn http_answers_are_found_to_be_what_they_are() {
    local(async {
        let shared = Shared::new();
        let big = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(20_000)).leak();
        for (answer, told) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nokay", "L7OK 200 OK"),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n2\r\nay\r\n0\r\n\r\n",
                "L7OK 200 OK",
            ),
            ("HTTP/1.1 200 OK\r\n\r\nokay", "L7OK 200 OK"),
            ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\nokay", "L7OK 200 OK"),
            (
                "HTTP/1.1 200 OK\r\n\r\nbad",
                "L7CNT status 200, but its body (3 bytes) does not match",
            ),
            ("HTTP/1.1 503 Service Unavailable\r\n\r\n", "L7STS 503 Service Unavailable"),
            (
                "HTTP/1.1 301 Moved Permanently\r\nLocation: /\r\n\r\n",
                "L7STS 301 Moved Permanently",
            ),
            ("220 mail.example ESMTP\r\n", "L7RSP not HTTP: invalid HTTP version"),
            ("", "L7RSP connection closed before the response"),
            ("HTTP/1.1 200", "L7RSP connection closed inside the headers"),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nokay",
                "L7RSP connection closed inside the body",
            ),
            (big, "L7RSP headers of more than 16 KiB"),
        ] {
            for bytewise in [false, true] {
                let piece = if bytewise { 1 } else { answer.len().max(1) };
                let server = listen(V6, move |mut stream| async move {
                    request(&mut stream).await;
                    stream.set_nodelay(true).unwrap();
                    for bytes in answer.as_bytes().chunks(piece) {
                        // The prober may have seen enough before the end.
                        if stream.write_all(bytes).await.is_err() {
                            return;
                        }
                        tokio::task::yield_now().await;
                    }
                })
                .await;
                assert_found(http(server, 200..=200, Some("^okay$")), V6, &shared, told).await;
            }
        }
    });
}

#[test]
fn the_request_is_what_servers_expect() {
    local(async {
        let server = listen(V6, |mut stream| async move {
            let request = request(&mut stream).await;
            let port = stream.local_addr().unwrap().port();
            let wanted = format!("GET / HTTP/1.1\r\nHost: [::1]:{port}\r\nUser-Agent: maglevd/");
            let status = if request.starts_with(&wanted) { 200 } else { 400 };
            let answer = format!("HTTP/1.1 {status} {request:?}\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
        })
        .await;
        assert_found(http(server, 200..=200, None), V6, &Shared::new(), "L7OK 200 OK").await;
    });
}

#[test]
fn a_reset_instead_of_an_answer_is_told() {
    local(async {
        let server = listen(V4, |mut stream| async move {
            // Closing with the request's last byte unread makes the kernel
            // reset the connection.
            stream.readable().await.unwrap();
            stream.read_u8().await.unwrap();
        })
        .await;
        let told = "L7RSP connection reset before the whole response";
        assert_found(http(server, 200..=200, None), V4, &Shared::new(), told).await;
    });
}

#[test]
fn an_answer_that_hangs_is_a_timeout_of_layer_7() {
    for sent in ["", "HTTP/1.1 200 OK\r\nX-Half: ", "HTTP/1.1 200 OK\r\n\r\nhalf"] {
        local(async {
            let server = listen(V4, move |mut stream| async move {
                request(&mut stream).await;
                stream.write_all(sent.as_bytes()).await.unwrap();
                let_time_run_out().await;
                // The probe lets go of the connection; until then it is held.
                let _ = stream.read(&mut [0; 1]).await;
            })
            .await;
            let told = "L7TOUT no whole answer within 30s";
            assert_found(http(server, 200..=200, Some("x")), V4, &Shared::new(), told).await;
        });
    }
}

#[test]
fn a_dropped_probe_closes_its_socket() {
    local(async {
        let (asked, was_asked) = oneshot::channel();
        let (ended, has_ended) = oneshot::channel();
        let signals = std::rc::Rc::new(std::cell::Cell::new(Some((asked, ended))));
        let server = listen(V4, move |mut stream| {
            let signals = signals.clone();
            async move {
                let (asked, ended) = signals.take().unwrap();
                request(&mut stream).await;
                asked.send(()).unwrap();
                let _ = ended.send(stream.read(&mut [0; 1]).await.map_err(|e| e.kind()));
            }
        })
        .await;
        let check = check(http(server, 200..=200, None), LONG);
        let probe = Probe::prepare(&check, V4, &Shared::new()).unwrap();
        tokio::select! {
            finding = probe.run() => panic!("nobody answered, and yet: {finding}"),
            asked = was_asked => asked.unwrap(),
        }
        let end = tokio::time::timeout(LONG, has_ended).await.unwrap().unwrap();
        assert_eq!(end, Ok(0));
    });
}

/// Serves TLS with a certificate of the test.
async fn listen_tls(certificates: &Certificates, name: &str, answer: &'static str) -> SocketAddr {
    let pem = certificates.read(&format!("{name}.pem"));
    let key = certificates.read(&format!("{name}.key"));
    let identity = Identity::from_pkcs8(&pem, &key).unwrap();
    let acceptor = TlsAcceptor::from(native_tls::TlsAcceptor::new(identity).unwrap());
    listen(V4, move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            let mut head = [0; 4096];
            if let Ok(1..) = stream.read(&mut head).await {
                // No farewell: the abrupt end of many an HTTP server.
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        }
    })
    .await
}

#[test]
fn certificates_are_verified_unless_told_otherwise() {
    let Some(certificates) = Certificates::make() else { return };
    local(async {
        let trusting = certificates.trusted();
        let answer = "HTTP/1.1 200 OK\r\n\r\nok";
        for (name, told) in [
            ("good", None),
            ("expired", Some("L6RSP certificate: certificate has expired")),
            ("wrong-name", Some("L6RSP certificate: hostname mismatch")),
            ("self-signed", Some("L6RSP certificate: self-signed certificate")),
        ] {
            let server = listen_tls(&certificates, name, answer).await;
            for (tls, told) in [(verified("localhost"), told), (unverified(), None)] {
                let to = told.unwrap_or("L6OK");
                assert_found(tcp(server, tls.clone()), V4, &trusting, to).await;
                let to = told.unwrap_or("L7OK 200 OK");
                let kind = https(server, tls, "/", 200..=200, Some("^ok$"));
                assert_found(kind, V4, &trusting, to).await;
            }
        }

        let server = listen_tls(&certificates, "good", answer).await;
        // The address is in the certificate too, and is the last resort.
        let nameless = Some(Tls { server_name: None, verify: true });
        assert_found(tcp(server, nameless), V4, &trusting, "L6OK").await;
        let unknown = "L6RSP certificate: unable to get local issuer certificate";
        let kind = tcp(server, verified("localhost"));
        assert_found(kind, V4, &Shared::new(), unknown).await;
    });
}

#[test]
fn a_failed_handshake_is_told_of_layer_6() {
    local(async {
        let shared = Shared::new();
        let plain = listen(V4, |mut stream| async move {
            stream.read_u8().await.unwrap();
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
            while let Ok(1..) = stream.read(&mut [0; 4096]).await {}
        })
        .await;
        let told = "L6RSP the backend does not speak TLS on this port (wrong version number)";
        assert_found(tcp(plain, unverified()), V4, &shared, told).await;

        let silent = listen(V4, |mut stream| async move {
            // Takes the whole ClientHello, lest its end be a reset.
            stream.readable().await.unwrap();
            assert!(stream.read(&mut [0; 65536]).await.unwrap() > 0);
        })
        .await;
        let told = "L6RSP connection closed in the TLS handshake";
        assert_found(tcp(silent, unverified()), V4, &shared, told).await;

        let resetting = listen(V4, |mut stream| async move {
            stream.read_u8().await.unwrap();
        })
        .await;
        let told = "L6RSP connection reset in the TLS handshake";
        assert_found(tcp(resetting, unverified()), V4, &shared, told).await;

        let hanging = listen(V4, |mut stream| async move {
            stream.read_u8().await.unwrap();
            let_time_run_out().await;
            while let Ok(1..) = stream.read(&mut [0; 4096]).await {}
        })
        .await;
        let told = "L6TOUT no TLS handshake within 30s";
        assert_found(tcp(hanging, unverified()), V4, &shared, told).await;
    });
}

/// Answers a DNS query with `rcode` and, if `with_record`, an address.
fn answer(query: &[u8], rcode: u8, with_record: bool) -> Vec<u8> {
    let mut answer = query.to_vec();
    answer[2] |= 0x80;
    answer[3] = rcode;
    if with_record {
        answer[7] = 1;
        answer.extend(b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x01");
    }
    answer
}

#[test]
fn dns_over_udp_waits_for_its_own_answer() {
    local(async {
        let shared = Shared::new();
        let server = UdpSocket::bind((V6, 0)).await.unwrap();
        let to = server.local_addr().unwrap();
        tokio::task::spawn_local(async move {
            let mut buffer = [0; 512];
            while let Ok((size, from)) = server.recv_from(&mut buffer).await {
                let query = &buffer[..size];
                // `a…` has a record, `b…` fails, `c…` is empty.
                let (rcode, with_record) = match query[13] {
                    b'a' => (0, true),
                    b'b' => (2, false),
                    _ => (0, false),
                };
                let mut stray = answer(query, 5, false);
                stray[0] ^= 0xff;
                server.send_to(&stray, from).await.unwrap();
                server.send_to(&answer(query, rcode, with_record), from).await.unwrap();
            }
        });
        for (query, told) in [
            ("a.example", "L7OK NOERROR"),
            ("b.example", "L7STS SERVFAIL"),
            ("c.example", "L7CNT NOERROR without a record for c.example. IN A"),
        ] {
            assert_found(dns(to, false, query, "A", "NOERROR"), V6, &shared, told).await;
        }
    });
}

#[test]
fn a_closed_udp_port_is_refused_and_a_silent_one_times_out() {
    local(async {
        let shared = Shared::new();
        let held = UdpSocket::bind((V4, 0)).await.unwrap();
        let to = held.local_addr().unwrap();
        tokio::task::spawn_local(async move {
            held.recv_from(&mut [0; 512]).await.unwrap();
            let_time_run_out().await;
        });
        let told = "L7TOUT no whole answer within 30s";
        assert_found(dns(to, false, "a.example", "A", "NOERROR"), V4, &shared, told).await;
    });
    local(async {
        let to = UdpSocket::bind((V4, 0)).await.unwrap().local_addr().unwrap();
        let told = "L4CON connection refused";
        assert_found(dns(to, false, "a.example", "A", "NOERROR"), V4, &Shared::new(), told).await;
    });
}

#[test]
fn dns_over_tcp_is_framed() {
    local(async {
        let shared = Shared::new();
        for (whole, told) in
            [(true, "L7OK NOERROR"), (false, "L7RSP connection closed inside the response")]
        {
            let server = listen(V4, move |mut stream| async move {
                let mut query = vec![0; usize::from(stream.read_u16().await.unwrap())];
                stream.read_exact(&mut query).await.unwrap();
                let answer = answer(&query, 0, true);
                stream.write_u16(u16::try_from(answer.len()).unwrap()).await.unwrap();
                let sent = if whole { answer.len() } else { 20 };
                stream.write_all(&answer[..sent]).await.unwrap();
            })
            .await;
            assert_found(dns(server, true, "a.example", "A", "NOERROR"), V4, &shared, told).await;
        }
    });
}

#[test]
fn one_probe_can_be_run_again_and_again() {
    local(async {
        let server = listen(V4, |mut stream| async move {
            request(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        })
        .await;
        let check = check(http(server, 200..=200, None), LONG);
        let probe = Probe::prepare(&check, V4, &Shared::new()).unwrap();
        for _ in 0..100 {
            assert_eq!(probe.run().await.code, Code::L7Ok);
        }
    });
}
