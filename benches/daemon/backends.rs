//! HTTP servers on loopback: one for all backends that are always well, one
//! for the backend that flips.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use socket2::{Domain, Socket, Type};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::support::DEADLINE;
use super::support::process::give_way;

const WELL: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
const ILL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno";

/// `fall` of the backend that flips. It fails as often in turn, and passes once. As with
/// `fall: 3` by default, others have passed between its first failure and the deciding one,
/// so that nobody has to be asked.
pub(super) const FALL: u32 = 2;

/// The servers, on a thread of their own.
pub(super) struct Backends {
    ports: (u16, u16),
    flips: Arc<AtomicBool>,
    /// Probes of the one that flips.
    probes: watch::Receiver<u64>,
}

impl Backends {
    pub(super) fn start() -> Self {
        let (steady, flipping) = (listen(), listen());
        let port = |socket: &Socket| socket.local_addr().unwrap().as_socket().unwrap().port();
        let ports = (port(&steady), port(&flipping));
        let flips = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&flips);
        let (counter, probes) = watch::channel(0);
        std::thread::spawn(move || {
            give_way();
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                tokio::spawn(serve(flipping, asked, counter));
                serve(steady, Arc::default(), watch::Sender::default()).await;
            });
        });
        Self { ports, flips, probes }
    }

    /// Of the steady backends, and of the one that flips.
    pub(super) fn ports(&self) -> (u16, u16) {
        self.ports
    }

    /// Whether the one flips, or is always well.
    pub(super) fn flip(&self, flips: bool) {
        self.flips.store(flips, Relaxed);
    }

    /// Waits for so many probes of the one that flips.
    #[allow(dead_code, reason = "one benchmark waits for them")]
    pub(super) async fn probes(&self, count: u64) {
        let mut probes = self.probes.clone();
        let enough = *probes.borrow() + count;
        let wait = probes.wait_for(|probes| *probes >= enough);
        tokio::time::timeout(DEADLINE, wait).await.unwrap().unwrap();
    }
}

/// A socket that takes connections to every address of loopback, and to no
/// other.
fn listen() -> Socket {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind_device(Some(b"lo")).unwrap();
    socket.bind(&std::net::SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)).into()).unwrap();
    socket.listen(4096).unwrap();
    socket.set_nonblocking(true).unwrap();
    socket
}

async fn serve(socket: Socket, flips: Arc<AtomicBool>, probes: watch::Sender<u64>) {
    let listener = TcpListener::from_std(socket.into()).unwrap();
    let mut turn = 0;
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        probes.send_modify(|count| *count += 1);
        let well = !flips.load(Relaxed) || turn == 0;
        turn = (turn + 1) % (FALL + 1);
        tokio::spawn(answer(stream, if well { WELL } else { ILL }));
    }
}

async fn answer(mut stream: TcpStream, response: &'static [u8]) {
    let mut request = [0; 2048];
    // A prober that aborts has ended.
    let _ = stream.read(&mut request).await;
    let _ = stream.write_all(response).await;
}
