//! One gRPC connection: HTTP/2 with bounds that no client of ours needs to exceed.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::sync::watch;
use tracing::debug;

use super::requests::{ConnectionRequests, GrpcServer, LONGEST_REQUEST};
use crate::api::transport::activity::ConnectionActivity;
use crate::api::transport::peer::AcceptedConnection;
use crate::api::transport::phase::{DaemonPhase, stopped};

/// Requests and event streams at a time on one connection.
const STREAMS: u32 = 128;
/// Cancelled requests that may wait to be noticed. A client may cancel all that it
/// has, and as many again, before the first is; four times as many are none of ours.
const CANCELLED: usize = 4 * STREAMS as usize;
/// Bytes of a request that may be in flight, and of all of a connection.
const WINDOW: u32 = LONGEST_REQUEST;
const CONNECTION_WINDOW: u32 = 4 * WINDOW;
/// Bytes of an answer that a connection holds for a client that does not read.
const UNREAD: usize = 32 << 10;
const FRAME: u32 = 16 << 10;
const HEADERS: u32 = 16 << 10;
/// A connection that was silent for this long gets an HTTP/2 ping, and is closed
/// after as long again without an answer.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// Serves a connection to its end. From [`DaemonPhase::Stopped`] on it takes no
/// further request.
pub(in crate::api) async fn serve(
    server: GrpcServer,
    stream: AcceptedConnection,
    connection: Arc<ConnectionActivity>,
    mut phase: watch::Receiver<DaemonPhase>,
) {
    let client = stream.client.clone();
    let peer = client.peer;
    let requests = ConnectionRequests { server, client, connection };
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_pending_accept_reset_streams(CANCELLED)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_frame_size(FRAME)
        .max_header_list_size(HEADERS)
        .max_send_buf_size(UNREAD)
        .keep_alive_interval(KEEPALIVE)
        .keep_alive_timeout(KEEPALIVE);
    let mut serving = pin!(builder.serve_connection(TokioIo::new(stream), requests));
    let served = tokio::select! {
        served = serving.as_mut() => served,
        () = stopped(&mut phase) => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = served {
        debug!(%peer, %error, "grpc-connection-failed");
    }
}
