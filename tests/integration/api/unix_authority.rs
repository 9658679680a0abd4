//! What gRPC libraries send as `:authority` over a Unix socket, where there is none:
//! each has its own idea.

use crate::support::TestBed;
use crate::support::raw_http2::{RawFrame, RawHttp2, call};
use tokio::net::UnixStream;

#[tokio::test]
async fn every_authority_is_answered_over_a_unix_socket() {
    let bed = TestBed::new(&["a"]);
    let path = bed.dir().join("grpc.sock");
    let mut command = bed.command();
    command.arg("--grpc-addr").arg(format!("unix:{}", path.display()));
    let daemon = bed.run(&mut command).await;
    let plain = path.display().to_string();
    let encoded = plain.replace('/', "%2F");
    for authority in [Some("localhost"), Some(&*plain), Some(&*encoded), Some(""), None] {
        let mut raw = RawHttp2::open(UnixStream::connect(&path).await.unwrap()).await;
        for stream in [1, 3] {
            raw.send(&call(stream, "ListBackends", authority)).await;
            let frames = raw.until_end_of(stream).await;
            let data = frames.iter().find(|frame| frame.kind == RawFrame::DATA);
            let data = data.unwrap_or_else(|| panic!("{authority:?}: {frames:?}"));
            // One name of one byte.
            assert_eq!(data.payload, b"\0\0\0\0\x03\x0a\x01a", "{authority:?}");
        }
    }
    daemon.terminate().await;
}
