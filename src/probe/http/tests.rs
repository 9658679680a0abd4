//! The response reader and the request, without sockets.

mod request;

use std::future::poll_fn;
use std::ops::RangeInclusive;
use std::pin::pin;
use std::task::Poll;

use proptest::prelude::*;

use super::body::MAX_BODY;
use super::response::MAX_HEAD;
use super::spec::Expected;
use super::*;
use crate::domain::health::probe_result::ResultCode;
use crate::pattern::Pattern;
use crate::probe::exchange::ExchangeAnswer;

fn expecting(codes: RangeInclusive<u16>, body: Option<&str>) -> Expected {
    let body = body.map(|pattern| Pattern::new(pattern).unwrap());
    Expected { codes: codes.into(), is_head: false, header: None, body }
}

/// Reads `pieces` and then the end of the connection.
fn read<'a>(expected: &Expected, pieces: impl IntoIterator<Item = &'a [u8]>) -> ProbeResult {
    let mut response = HttpResponse::new(expected);
    for piece in pieces {
        if let Some(answer) = response.take(piece) {
            return judge(expected, answer);
        }
    }
    judge(expected, response.end())
}

fn judge(expected: &Expected, answer: HttpAnswer) -> ProbeResult {
    match (answer.verdict, &expected.body) {
        (HttpVerdict::Known(result), _) => result,
        (HttpVerdict::Match { status, body }, Some(pattern)) => {
            judge_body(status, body.len(), pattern.is_match(&body))
        }
        (HttpVerdict::Match { .. }, None) => panic!("there is nothing to match"),
    }
}

/// Responses with the result when `200-299` and a body of `^ok$` are
/// expected.
fn responses() -> Vec<(Vec<u8>, &'static str)> {
    let mut all: Vec<(Vec<u8>, &'static str)> = [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "L7OK 200 OK"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more", "L7OK 200 OK"),
        ("HTTP/1.0 200 OK\r\n\r\nok", "L7OK 200 OK"),
        ("HTTP/1.1 299\r\n\r\nok", "L7OK 299"),
        ("HTTP/1.1 200 OK\ncontent-length: 2\n\nok", "L7OK 200 OK"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1;x=y\r\nk\r\n0\r\n\r\n", "L7OK 200 OK"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: identity, Chunked\r\nContent-Length: 9\r\n\r\n02\r\nok\r\n0\r\nTrailer: x\r\n\r\n", "L7OK 200 OK"),
        // As HAProxy and browsers take it.
        ("HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\tc\r\nContent-Length:\r\n 2\r\n\r\nok", "L7OK 200 OK"),
        ("HTTP/1.1  200  OK\r\nContent-Length: 2\r\n\r\nok", "L7OK 200 OK"),
        ("HTTP/1.1\t200\tOK\r\nContent-Length: 2\r\n\r\nok", "L7OK 200 OK"),
        ("HTTP/1.1 200OK\r\nContent-Length: 2\r\n\r\nok", "L7OK 200 OK"),
        ("HTTP/1.1 200 O\x01K\r\nContent-Length: 2\r\n\r\nok", "L7OK 200 OK"),
        ("\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "L7OK 200 OK"),
        ("HTTP/1.2 200 OK\r\nContent-Length: 2\r\n\r\nok", "L7OK 200 OK"),
        ("HTTP/2 200 OK\r\nContent-Length: 2\r\n\r\nok", "L7OK 200 OK"),
        ("http/1.1 200 ok\r\ncontent-length: 2\r\n\r\nok", "L7OK 200 OK"),
        ("HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok", "L7OK 200 OK"),
        ("HTTP/1.1 200 OK\r\nBad Name: x\r\nno colon\r\n: x\r\nContent-Length: 2\r\n\r\nok", "L7OK 200 OK"),
        ("HTTP/1.1 200 OK\r\n X: x\r\n Content-Length: 9\r\nContent-Length: 2\r\n\r\nok", "L7OK 200 OK"),
        ("HTTP/1.1 200 OK\r\nName: \0\x01\x7f\u{ff}\r\nX: a\rb\r\nContent-Length: 2\r\n\r\nok", "L7OK 200 OK"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\nok\n0\n\n", "L7OK 200 OK"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2 \r\nok\r\n0\r\n\r\n", "L7OK 200 OK"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked,\r\n\r\n2\r\nok\r\n0\r\n\r\n", "L7OK 200 OK"),
        // A character set is no coding.
        ("HTTP/1.1 200 OK\r\nContent-Encoding: utf-8\r\nContent-Length: 2\r\n\r\nok", "L7OK 200 OK"),
        ("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok", "L7CNT status 200, but its body is compressed (gzip) though that was not asked for, and cannot be matched: have the server send it as it is"),
        ("HTTP/1.1 200 OK\r\nContent-Encoding: identity,\r\n BR\r\n\r\nok", "L7CNT status 200, but its body is compressed (br) though that was not asked for, and cannot be matched: have the server send it as it is"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", "L7CNT status 200, but its body is compressed (gzip) though that was not asked for, and cannot be matched: have the server send it as it is"),
        ("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n", "L7CNT status 200, but its body (0 bytes) does not match"),
        ("HTTP/1.1 503 No\r\nContent-Encoding: gzip\r\n\r\nok", "L7STS 503 No"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nok", "L7OK 200 OK"),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok", "L7OK 200 OK"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno", "L7CNT status 200, but its body (2 bytes) does not match"),
        ("HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok", "L7CNT status 204, but its body (0 bytes) does not match"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "L7CNT status 200, but its body (0 bytes) does not match"),
        ("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\nok", "L7STS 503 Service Unavailable"),
        ("HTTP/1.1 503\r\nContent-Length: nonsense\r\n\r\nok", "L7STS 503"),
        ("HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n", "L7STS 302 Found"),
        ("HTTP/1.1 101 Switching Protocols\r\n\r\n", "L7STS 101 Switching Protocols"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no", "L7RSP connection closed inside the body"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", "L7RSP connection closed inside the body"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nokay\r\n0\r\n\r\n", "L7RSP body is not in chunks as announced"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\nok\r\n", "L7RSP body is not in chunks as announced"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nok\r\n", "L7RSP body is not in chunks as announced"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n11111111111111111\r\n", "L7RSP body is not in chunks as announced"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok", "L7RSP body of unknown length: two different Content-Lengths, 2 and 3"),
        ("HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok", "L7RSP body of unknown length: Content-Length \"-2\" is not a number"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nok", "L7RSP body of unknown length: Content-Length \"99999999999999999999\" is not a number"),
        ("HTTP/1.1 200 OK\r\nContent-Le", "L7RSP connection closed inside the headers"),
        ("HTTP/1.1 100 Continue\r\n\r\n", "L7RSP connection closed inside the headers"),
        ("", "L7RSP connection closed before the response"),
        ("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", "L7RSP not HTTP: the answer begins with \"SSH-2.0-OpenSSH_9.2p1 Debian-2\""),
        ("-ERR unknown", "L7RSP not HTTP: the answer begins with \"-ERR unknown\""),
        ("J\x00\x00\x005.5.5-\"", "L7RSP not HTTP: the answer begins with \"J\\x00\""),
        ("HTTP/\r\n\r\n", "L7RSP not HTTP: the answer begins with \"HTTP/\""),
        ("HTTP/1.1 2000 OK\r\n\r\n", "L7RSP the status line has no status of three digits: \"HTTP/1.1 2000 OK\""),
        ("HTTP/1.1 20 \"OK\"\r\n\r\n", "L7RSP the status line has no status of three digits: \"HTTP/1.1 20 \\\"OK\\\"\""),
        ("HTTP/1.1\r\nServer: x\r\n\r\n", "L7RSP the status line has no status of three digits: \"HTTP/1.1\""),
        ("HTTP/1.1200 OK\r\n\r\n", "L7RSP the status line has no status of three digits: \"HTTP/1.1200 OK\""),
    ]
    .into_iter()
    .map(|(bytes, text)| (bytes.as_bytes().to_vec(), text))
    .collect();

    let endless = |field: &str| [b"HTTP/1.1 200 OK\r\n", field.repeat(9000).as_bytes()].concat();
    all.push((endless("X-A: b\r\n"), "L7RSP headers of more than 16 KiB"));
    let long = [b"HTTP/1.1 200 OK\r\nX: ", "a".repeat(MAX_HEAD).as_bytes()].concat();
    all.push((long, "L7RSP headers of more than 16 KiB"));
    let hints = "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(1000).into_bytes();
    all.push((hints, "L7RSP headers of more than 16 KiB"));
    let reason = format!("HTTP/1.1 500 {}\r\n\r\n", "no".repeat(500)).into_bytes();
    all.push((
        reason,
        "L7STS 500 nononononononononononononononononononononononononononononononono",
    ));
    // `^ok$` would match the first 64 KiB only if they were cut wrongly.
    let body = [b"HTTP/1.1 200 OK\r\n\r\n", "x".repeat(2 * MAX_BODY).as_bytes()].concat();
    all.push((body, "L7CNT status 200, but its body (65536 bytes) does not match"));
    let chunk = format!("8000\r\n{}\r\n", "y".repeat(0x8000)).repeat(3);
    let chunks = ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", &chunk].concat();
    all.push((chunks.into_bytes(), "L7CNT status 200, but its body (65536 bytes) does not match"));
    all
}

#[test]
fn each_response_has_its_result() {
    let expected = expecting(200..=299, Some("^ok$"));
    for (response, text) in responses() {
        let start = String::from_utf8_lossy(&response[..response.len().min(120)]).into_owned();
        assert_eq!(read(&expected, [&response[..]]).to_string(), text, "{start}");
    }
}

#[test]
fn the_head_may_be_as_long_as_the_limit_and_no_longer() {
    let expected = expecting(200..=200, None);
    let with_head = |size: usize| {
        let mut head = b"HTTP/1.1 200 OK\r\nX: ".to_vec();
        head.resize(size - 4, b'a');
        head.extend_from_slice(b"\r\n\r\n");
        head
    };
    assert_eq!(read(&expected, [&with_head(MAX_HEAD)[..]]).code, ResultCode::L7Ok);
    assert_eq!(read(&expected, [&with_head(MAX_HEAD + 1)[..]]).code, ResultCode::L7Response);
}

#[test]
fn without_a_pattern_the_body_is_not_waited_for() {
    let expected = expecting(200..=200, None);
    let mut response = HttpResponse::new(&expected);
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n";
    let answer = response.take(head).unwrap();
    assert!(judge(&expected, answer).passed());
}

/// Whether something is still to be read of a response that has come so far, and
/// how much.
fn unread(expected: &Expected, response: &str) -> Option<UnreadMessage> {
    HttpResponse::new(expected).take(response.as_bytes()).unwrap().unread
}

#[test]
fn a_short_message_is_read_to_its_end_and_a_long_one_is_not() {
    let (status, body) = (expecting(200..=299, None), expecting(200..=299, Some("ok")));
    for (expected, response, rest) in [
        (&status, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", "okay"),
        (&status, "HTTP/1.1 503 No\r\nContent-Length: 4\r\n\r\nok", "ay"),
        (&body, "HTTP/1.1 503 No\r\nContent-Length: 4\r\n\r\nok", "ay"),
        (
            &status,
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\no",
            "k\r\n0\r\nA: b\r\n\r\n",
        ),
        // The body is known with its last chunk, and the message has not ended.
        (&body, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n", "\r\n"),
    ] {
        let mut unread = unread(expected, response).unwrap();
        let (last, before) = rest.as_bytes().split_last().unwrap();
        assert!(before.iter().all(|byte| !unread.take(&[*byte])), "{response:?}");
        assert!(unread.take(&[*last]), "{response:?}");
    }
    for (expected, response) in [
        (&status, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nokay"),
        (&status, "HTTP/1.1 204 No Content\r\n\r\n"),
        (&status, "HTTP/1.1 200 OK\r\nContent-Length: 65537\r\n\r\n"),
        (&status, "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"),
        (&status, "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"),
        (&body, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
    ] {
        assert!(unread(expected, response).is_none(), "{response:?}");
    }
    // One without an end is left after as much as a short one may have.
    let mut endless = unread(&status, "HTTP/1.1 200 OK\r\n\r\n").unwrap();
    assert!(!endless.take(&[0; MAX_BODY - 1]) && endless.take(&[0]));
}

#[test]
fn a_body_that_is_not_utf8_is_matched_too() {
    let expected = expecting(200..=200, Some("ready$"));
    assert!(read(&expected, [&b"HTTP/1.1 200 OK\r\n\r\n\xff\xfe ready"[..]]).passed());
}

proptest! {
    #[test]
    fn the_result_does_not_depend_on_how_the_response_is_cut(
        which in 0..responses().len(),
        mut cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..40),
        bytewise in any::<bool>(),
    ) {
        let (response, text) = responses().swap_remove(which);
        let expected = expecting(200..=299, Some("^ok$"));
        let mut at: Vec<usize> =
            cuts.drain(..).map(|cut| cut.index(response.len() + 1)).collect();
        if bytewise {
            // The interesting places are near the start.
            at.extend(0..response.len().min(400));
        }
        at.extend([0, response.len()]);
        at.sort_unstable();
        at.dedup();
        let pieces = at.windows(2).map(|pair| &response[pair[0]..pair[1]]);
        prop_assert_eq!(read(&expected, pieces).to_string(), text);
    }

    #[test]
    fn any_bytes_have_a_result_however_they_are_cut(
        head in prop::sample::select(vec![
            "", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        ]),
        tail in prop::collection::vec(
            prop::sample::select(b"\r\n\t :;,0a1fFzHTP/.\0\xff".to_vec()), 0..60),
        cut in any::<prop::sample::Index>(),
    ) {
        let response = [head.as_bytes(), &tail].concat();
        let expected = expecting(200..=299, Some("a"));
        let whole = (!response.is_empty()).then_some(&response[..]);
        let whole = read(&expected, whole);
        let (first, second) = response.split_at(cut.index(response.len() + 1));
        let pieces = [first, second].into_iter().filter(|piece| !piece.is_empty());
        prop_assert_eq!(whole, read(&expected, pieces));
    }
}

/// The only thread for blocking work is taken, so that what is given to one waits.
#[test]
fn a_long_body_is_matched_on_another_thread() {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.max_blocking_threads(1).build().unwrap();
    let exchange = HttpExchange { body: Some("^a*$".into()), ..HttpExchange::get("/", 200..=200) };
    let target = Target::new([192, 0, 2, 1].into(), std::num::NonZeroU16::MIN, None);
    let probe = HttpProbe::prepare(target, None, &exchange, &ThreadResources::new()).unwrap();
    let judge = |size| {
        let verdict = HttpVerdict::Match { status: 200, body: vec![b'a'; size] };
        judge_verdict(&probe.spec.expected, verdict)
    };
    runtime.block_on(async {
        let (release, released) = std::sync::mpsc::channel::<()>();
        let occupied = spawn_blocking(move || released.recv());
        let mut long = pin!(judge(MATCHED_HERE + 1));
        let first = poll_fn(|context| Poll::Ready(long.as_mut().poll(context).is_pending())).await;
        assert!(first, "it is matched here, where other probes wait for it");
        assert_eq!(judge(MATCHED_HERE).await.unwrap().to_string(), "L7OK 200 OK");
        drop(release);
        occupied.await.unwrap().unwrap_err();
        assert_eq!(long.await.unwrap().to_string(), "L7OK 200 OK");
    });
}
