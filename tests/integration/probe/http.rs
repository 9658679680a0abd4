//! HTTP probes against peers inside the test's own process, which answer, hang
//! and abort at will. `src/probe/http/tests.rs` has the answers in detail.

use crate::support::probe::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;
use vpp_maglev::domain::health::probe_result::ResultCode;
use vpp_maglev::probe::{Probe, ThreadResources};

#[test]
fn http_answers_are_found_to_be_what_they_are() {
    local(async {
        let shared = ThreadResources::new();
        let big = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(20_000)).leak();
        for (answer, expected) in [
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
            (
                "220 mail.example ESMTP\r\n",
                "L7RSP not HTTP: the answer begins with \"220 mail.example ESMTP\"",
            ),
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
                assert_found(http(server, 200..=200, Some("^okay$")), V6, &shared, expected).await;
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
            let fields = "Accept: */*\r\nAccept-Encoding: identity\r\n";
            let is_wanted = request.starts_with(&wanted) && request.contains(fields);
            let status = if is_wanted { 200 } else { 406 };
            let answer = format!("HTTP/1.1 {status} {request:?}\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
        })
        .await;
        assert_found(http(server, 200..=200, None), V6, &ThreadResources::new(), "L7OK 200 OK")
            .await;
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
        let expected = "L7RSP connection reset before the whole response";
        assert_found(http(server, 200..=200, None), V4, &ThreadResources::new(), expected).await;
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
            let expected = "L7TOUT no whole answer within 30s";
            assert_found(http(server, 200..=200, Some("x")), V4, &ThreadResources::new(), expected)
                .await;
        });
    }
}

#[test]
fn a_server_that_sends_its_body_late_gets_no_broken_pipe() {
    for (head, body, expected) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", "okay", "L7OK 200 OK"),
        ("HTTP/1.1 503 No\r\nContent-Length: 4\r\n\r\n", "okay", "L7STS 503 No"),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            "4\r\nokay\r\n0\r\n\r\n",
            "L7OK 200 OK",
        ),
    ] {
        local(async move {
            let (verdict, is_known) = oneshot::channel();
            let (end, has_ended) = oneshot::channel();
            let once = std::rc::Rc::new(std::cell::Cell::new(Some((is_known, end))));
            let server = listen(V4, move |mut stream| {
                let (is_known, end) = once.take().unwrap();
                async move {
                    request(&mut stream).await;
                    stream.set_nodelay(true).unwrap();
                    stream.write_all(head.as_bytes()).await.unwrap();
                    is_known.await.unwrap();
                    for byte in body.as_bytes() {
                        stream.write_all(&[*byte]).await.unwrap();
                        tokio::task::yield_now().await;
                    }
                    let _ = end.send(stream.read(&mut [0; 1]).await.map_err(|e| e.kind()));
                }
            })
            .await;
            let shared = ThreadResources::new();
            // The verdict does not wait for the body.
            assert_found(http(server, 200..=299, None), V4, &shared, expected).await;
            assert_eq!(shared.slots().stats().in_flight, 1, "the rest is read in a slot");
            verdict.send(()).unwrap();
            let end = tokio::time::timeout(LONG, has_ended).await.unwrap().unwrap();
            assert_eq!(end, Ok(0), "{head:?}");
            assert_eq!(shared.slots().stats().in_flight, 0);
        });
    }
}

#[test]
fn a_body_that_never_comes_is_left_when_the_time_is_over() {
    local(async {
        let (end, has_ended) = oneshot::channel();
        let once = std::rc::Rc::new(std::cell::Cell::new(Some(end)));
        let server = listen(V4, move |mut stream| {
            let end = once.take().unwrap();
            async move {
                request(&mut stream).await;
                let head = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n";
                stream.write_all(head.as_bytes()).await.unwrap();
                let _ = end.send(stream.read(&mut [0; 1]).await.map_err(|e| e.kind()));
            }
        })
        .await;
        let shared = ThreadResources::new();
        assert_found(http(server, 200..=299, None), V4, &shared, "L7OK 200 OK").await;
        let_time_run_out().await;
        assert_eq!(has_ended.await.unwrap(), Ok(0));
    });
}

#[test]
fn a_long_body_is_matched_beside_other_probes() {
    local(async {
        let body = "ready\n".repeat(10_000);
        let server = listen(V4, move |mut stream| {
            let body = body.clone();
            async move {
                request(&mut stream).await;
                let _ = stream.write_all(format!("HTTP/1.1 200 OK\r\n\r\n{body}").as_bytes()).await;
            }
        })
        .await;
        let shared = ThreadResources::new();
        for (pattern, expected) in [
            (r"\A(ready\n)+\z", "L7OK 200 OK"),
            ("^(Ready)+$", "L7CNT status 200, but its body (60000 bytes) does not match"),
        ] {
            assert_found(http(server, 200..=299, Some(pattern)), V4, &shared, expected).await;
        }
    });
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
        let probe = Probe::prepare(&check, V4, &ThreadResources::new()).unwrap();
        tokio::select! {
            result = probe.run() => panic!("nobody answered, and yet: {result}"),
            asked = was_asked => asked.unwrap(),
        }
        let end = tokio::time::timeout(LONG, has_ended).await.unwrap().unwrap();
        assert_eq!(end, Ok(0));
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
        let probe = Probe::prepare(&check, V4, &ThreadResources::new()).unwrap();
        for _ in 0..100 {
            assert_eq!(probe.run().await.code, ResultCode::L7Ok);
        }
    });
}
