//! The tasks beside the server: one for each client that reads its frames, and
//! one for as long as a client has no room for its replies.

use std::io::ErrorKind;
use std::sync::Arc;

use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tracing::warn;

use super::clients::Serial;
use crate::vpp::wire::FrameBuffer;
use crate::vpp::wire::frame::MAX_BODY;

/// Bytes taken from a client in one read.
const READ: usize = 64 << 10;

/// Something that a client did.
pub(super) enum ClientEvent {
    /// It sent these messages.
    Bodies(Serial, Vec<Vec<u8>>),
    /// It has room for the output that waits.
    Room(Serial),
    /// It closed, or (`failed`) its connection broke.
    Ended { client: Serial, failed: bool },
}

/// Reads from a client until it ends.
pub(super) fn start(
    client: Serial,
    stream: Arc<UnixStream>,
    events: mpsc::Sender<ClientEvent>,
) -> AbortHandle {
    tokio::spawn(read(client, stream, events)).abort_handle()
}

async fn read(client: Serial, stream: Arc<UnixStream>, events: mpsc::Sender<ClientEvent>) {
    let mut frames = FrameBuffer::new(MAX_BODY);
    let mut bytes = vec![0; READ];
    let failed = loop {
        if stream.readable().await.is_err() {
            break true;
        }
        match stream.try_read(&mut bytes) {
            Ok(0) => break false,
            Ok(length) => frames.push(&bytes[..length]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
            Err(_) => break true,
        }
        let mut bodies = Vec::new();
        let is_broken = loop {
            match frames.next_body() {
                Ok(Some(body)) => bodies.push(body.to_vec()),
                Ok(None) => break false,
                Err(error) => {
                    // VPP would wait for all those bytes.
                    warn!(%error, "vpp-embedded-frame-too-long");
                    break true;
                }
            }
        };
        if !bodies.is_empty() && events.send(ClientEvent::Bodies(client, bodies)).await.is_err() {
            return;
        }
        if is_broken {
            break true;
        }
    };
    // It fails when the server is gone, which then closes the connection.
    let _ = events.send(ClientEvent::Ended { client, failed }).await;
}

/// Sends an event to the server when a client has room again.
pub(super) fn wait_for_room(
    client: Serial,
    stream: Arc<UnixStream>,
    events: mpsc::Sender<ClientEvent>,
) {
    tokio::spawn(async move {
        // An error shows at the next write.
        let _ = stream.writable().await;
        let _ = events.send(ClientEvent::Room(client)).await;
    });
}
