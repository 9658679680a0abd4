//! Frames cut anywhere, and h2 itself at the other end.

use h2::server;
use tokio::io::AsyncWriteExt;

use super::*;

const CLIENT: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags, 0, 0, 0, stream], payload].concat()
}

/// All that comes of `bytes` in parts of `step` bytes.
fn rewritten(bytes: &[u8], step: usize) -> io::Result<Vec<u8>> {
    let (mut rewriter, mut to) = (FrameRewriter::default(), VecDeque::new());
    for part in bytes.chunks(step) {
        rewriter.rewrite(part, &mut to)?;
    }
    Ok(to.into())
}

#[test]
fn frames_of_headers_are_written_anew_and_others_are_passed_on() {
    let settings = frame(4, 0, 0, &[0; 6]);
    let data = frame(0, 1, 1, &[7; 300]);
    let padded = [&[2, 0, 0, 0, 0, 9][..], b"\x83\x41\x02/x", &[0, 0]].concat();
    let sent = [
        CLIENT,
        &settings,
        &frame(HEADERS, END_STREAM | PADDED | PRIORITY, 1, &padded),
        &frame(CONTINUATION, 0, 1, b"\x86"),
        &frame(CONTINUATION, END_HEADERS, 1, b"\x44\x01/"),
        &data,
        // The authority by reference, and nothing else that the table holds.
        &frame(HEADERS, END_HEADERS, 3, b"\xbf\x83"),
    ]
    .concat();
    let expected = [
        CLIENT,
        &settings,
        &frame(HEADERS, END_STREAM | END_HEADERS, 1, b"\x83\x86\x04\x01/"),
        &data,
        &frame(HEADERS, END_HEADERS, 3, b"\x83"),
    ]
    .concat();
    for step in [1, 2, 7, 100, sent.len()] {
        assert_eq!(rewritten(&sent, step).unwrap(), expected, "{step}");
    }
}

#[test]
fn a_block_that_grows_is_cut_into_frames_that_every_peer_takes() {
    let value = [b'v'; 2000];
    let long = [&b"\x40\x01a\x7f\xd1\x0e"[..], &value].concat();
    let first = frame(HEADERS, END_HEADERS, 1, &long);
    let second = frame(HEADERS, END_HEADERS, 3, &[0xbe; 20]);
    let all = rewritten(&[CLIENT, &first, &second].concat(), 64).unwrap();
    let mut rest = &all[PREFACE..];
    let mut kinds = Vec::new();
    while let [a, b, c, kind, flags, ..] = *rest {
        let length = usize::try_from(u32::from_be_bytes([0, a, b, c])).unwrap();
        assert!(length <= FRAME);
        kinds.push((kind, flags & END_HEADERS != 0));
        rest = &rest[FRAME_HEAD + length..];
    }
    let expected = [(HEADERS, true), (HEADERS, false), (CONTINUATION, false), (CONTINUATION, true)];
    assert_eq!(kinds, expected);
}

#[test]
fn what_is_no_frame_of_headers_ends_the_connection() {
    for wrong in [
        frame(HEADERS, END_HEADERS | PADDED, 1, &[9, 1]),
        frame(HEADERS, END_HEADERS | PADDED, 1, &[]),
        frame(HEADERS, END_HEADERS | PRIORITY, 1, &[0; 4]),
        frame(HEADERS, END_HEADERS, 1, b"\xff"),
        frame(HEADERS, 0, 1, &[0; LONGEST_BLOCK + 1]),
    ] {
        rewritten(&[CLIENT, &wrong].concat(), 100).unwrap_err();
    }
    let mut endless = vec![CLIENT.to_vec(), frame(HEADERS, 0, 1, b"")];
    endless.extend((0..5).map(|_| frame(CONTINUATION, 0, 1, &[0x83; 16 << 10])));
    rewritten(&endless.concat(), 100).unwrap_err();
    // Out of order: h2 says what is wrong with it.
    let early = [CLIENT, &frame(CONTINUATION, END_HEADERS, 1, b"\x83")].concat();
    assert_eq!(rewritten(&early, 3).unwrap(), early);
}

/// h2's own client, whose blocks use the table and Huffman's code, and h2's server
/// behind the rewriter: everything but the authority arrives.
#[tokio::test]
async fn h2_reads_what_an_h2_client_wrote() {
    let (client, daemon) = tokio::io::duplex(256);
    let daemon = tokio::spawn(async move {
        let mut connection = server::handshake(WithoutAuthority::new(daemon)).await.unwrap();
        let mut seen = Vec::new();
        while let Some(request) = connection.accept().await {
            let (request, mut respond) = request.unwrap();
            assert_eq!(request.uri().authority(), None);
            let tag = request.headers()["x-tag"].to_str().unwrap().to_owned();
            seen.push(format!("{} {tag}", request.uri().path()));
            respond.send_response(hyper::Response::new(()), true).unwrap();
        }
        seen
    });
    let (mut requests, connection) = h2::client::handshake(client).await.unwrap();
    let connection = tokio::spawn(connection);
    let mut expected = Vec::new();
    for number in 0..200 {
        let tag = format!("{:040}", number / 3);
        let path = format!("/maglev.Maglev/{}", number % 7);
        let request = hyper::Request::post(format!("http://localhost{path}"));
        let request = request.header("x-tag", &tag).header("te", "trailers").body(()).unwrap();
        requests = requests.ready().await.unwrap();
        requests.send_request(request, true).unwrap().0.await.unwrap();
        expected.push(format!("{path} {tag}"));
    }
    drop(requests);
    connection.await.unwrap().unwrap();
    assert_eq!(daemon.await.unwrap(), expected);
}

#[tokio::test]
async fn the_end_of_the_client_is_the_end() {
    let (mut client, daemon) = tokio::io::duplex(64);
    client.write_all(&CLIENT[..9]).await.unwrap();
    drop(client);
    let mut read = Vec::new();
    let mut daemon = WithoutAuthority::new(daemon);
    tokio::io::AsyncReadExt::read_to_end(&mut daemon, &mut read).await.unwrap();
    assert!(read.is_empty());
}
