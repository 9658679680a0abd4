//! Watchers of backends that count what they receive, each on a connection of
//! its own, and one that does not read.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::Duration;

use h2::RecvStream;
use h2::client::{SendRequest, handshake};
use prost::Message;
use prost::bytes::{BufMut, Bytes, BytesMut};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tonic::codegen::http::Request;
use vpp_maglev::pb::WatchRequest;

use super::daemon::PAUSED;
use super::support::eventually;

/// Backends that there are, each sent once at the beginning.
const PRESENT: usize = PAUSED + 2;
/// Without news for so long, nothing more comes.
const QUIET: Duration = Duration::from_secs(2);

/// The watchers, on a thread of their own.
pub(super) struct Readers {
    count: usize,
    begun: Arc<AtomicUsize>,
    stop: watch::Sender<bool>,
    thread: JoinHandle<Vec<Counted>>,
}

/// What one received.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Counted {
    events: usize,
    missed: usize,
}

/// What all received.
pub(super) struct Outcome {
    pub(super) readers: usize,
    /// Of each.
    pub(super) events: usize,
    pub(super) lost: usize,
    pub(super) equal: bool,
}

impl Readers {
    pub(super) fn start(address: &str, count: usize) -> Self {
        let (stop, stopped) = watch::channel(false);
        let begun = Arc::new(AtomicUsize::new(0));
        let (address, beginning) = (address.to_owned(), Arc::clone(&begun));
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let idle = subscribe(&address).await;
                let mut readers = Vec::new();
                for _ in 0..count {
                    let stream = subscribe(&address).await;
                    let begun = Arc::clone(&beginning);
                    readers.push(tokio::spawn(read(stream, begun, stopped.clone())));
                }
                let mut counted = Vec::new();
                for reader in readers {
                    counted.push(reader.await.unwrap());
                }
                drop(idle);
                counted
            })
        });
        Self { count, begun, stop, thread }
    }

    /// Waits until all have received the present state.
    pub(super) fn begun(&self) {
        eventually("all watchers have the present state", || {
            self.begun.load(Relaxed) >= self.count
        });
    }

    /// Waits until nothing more comes.
    pub(super) async fn end(self) -> Outcome {
        self.stop.send_replace(true);
        let counted = tokio::task::spawn_blocking(|| self.thread.join().unwrap()).await.unwrap();
        let (readers, first) = (counted.len(), counted[0]);
        let lost = counted.iter().map(|counted| counted.missed).sum();
        let equal = counted.iter().all(|counted| *counted == first);
        Outcome { readers, events: first.events, lost, equal }
    }
}

/// A stream, and what keeps its connection open.
type Stream = (RecvStream, SendRequest<Bytes>);

async fn subscribe(address: &str) -> Stream {
    let socket = TcpStream::connect(address).await.unwrap();
    socket.set_nodelay(true).unwrap();
    let (mut sender, connection) = handshake(socket).await.unwrap();
    tokio::spawn(async move {
        // It ends with the daemon.
        let _ = connection.await;
    });
    let (no, yes) = (Some(false), Some(true));
    let wanted = WatchRequest {
        log: no,
        backend: yes,
        frontend: no,
        dataplane: no,
        ..WatchRequest::default()
    };
    let mut body = BytesMut::new();
    body.put_u8(0);
    body.put_u32(wanted.encoded_len() as u32);
    wanted.encode(&mut body).unwrap();
    let request = Request::post(format!("http://{address}/maglev.Maglev/WatchEvents"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(())
        .unwrap();
    let (response, mut send) = sender.send_request(request, false).unwrap();
    send.send_data(body.freeze(), true).unwrap();
    let response = response.await.unwrap();
    assert_eq!(response.status(), 200);
    (response.into_body(), sender)
}

async fn read(
    (mut stream, _sender): Stream,
    begun: Arc<AtomicUsize>,
    mut stopped: watch::Receiver<bool>,
) -> Counted {
    let mut counted = Counted::default();
    let mut frames = Frames::default();
    loop {
        let stopping = *stopped.borrow_and_update();
        let data = tokio::select! {
            data = stream.data() => data.unwrap().unwrap(),
            _ = stopped.changed(), if !stopping => continue,
            () = tokio::time::sleep(QUIET), if stopping => return counted,
        };
        stream.flow_control().release_capacity(data.len()).unwrap();
        let before = counted.events;
        frames.take(&data, |tag| match tag {
            // Fields of the oneof: 2 is a backend's, 5 is what was missed.
            0x12 => counted.events += 1,
            0x2a => counted.missed += 1,
            tag => panic!("an event that was not asked for: {tag:#x}"),
        });
        if before < PRESENT && counted.events >= PRESENT {
            begun.fetch_add(1, Relaxed);
        }
    }
}

/// Finds gRPC's messages in what comes.
#[derive(Default)]
struct Frames {
    /// The head of a message that came in part, and how much of it.
    head: [u8; 5],
    have: usize,
    /// What is left of a message's body, and whether its first byte is next.
    body: usize,
    first: bool,
}

impl Frames {
    /// Hands the first byte of every message to `message`.
    fn take(&mut self, mut data: &[u8], mut message: impl FnMut(u8)) {
        while !data.is_empty() {
            if self.body > 0 {
                if std::mem::take(&mut self.first) {
                    message(data[0]);
                }
                let length = self.body.min(data.len());
                self.body -= length;
                data = &data[length..];
                continue;
            }
            self.head[self.have] = data[0];
            self.have += 1;
            data = &data[1..];
            if self.have == self.head.len() {
                let [compressed, length @ ..] = self.head;
                assert_eq!(compressed, 0);
                self.body = u32::from_be_bytes(length) as usize;
                (self.have, self.first) = (0, true);
            }
        }
    }
}
