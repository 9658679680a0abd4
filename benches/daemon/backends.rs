//! HTTP servers on loopback: one for all backends that are always well, one
//! for the backend that flips.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::support::DEADLINE;
use super::support::process::give_way;

const WELL: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
const ILL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno";

/// The servers, on a thread of their own.
pub(super) struct Backends {
    ports: (u16, u16),
    flips: Arc<AtomicBool>,
    /// Of the one that flips.
    answers: watch::Receiver<Answers>,
}

/// The answers of the backend that flips.
#[derive(Clone, Copy, Default)]
struct Answers {
    count: u64,
    /// When the last one was given, if it was a failure.
    failed: Option<Instant>,
}

impl Backends {
    /// One of them fails `fall` times in turn, and passes once.
    pub(super) fn start(fall: u32) -> Self {
        let (steady, flipping) = (listen(), listen());
        let port = |socket: &Socket| socket.local_addr().unwrap().as_socket().unwrap().port();
        let ports = (port(&steady), port(&flipping));
        let flips = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&flips);
        let (answered, answers) = watch::channel(Answers::default());
        std::thread::spawn(move || {
            give_way();
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                tokio::spawn(serve(flipping, fall, asked, answered));
                serve(steady, fall, Arc::default(), watch::Sender::default()).await;
            });
        });
        Self { ports, flips, answers }
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
        let mut answers = self.answers.clone();
        let enough = answers.borrow().count + count;
        let wait = answers.wait_for(|answers| answers.count >= enough);
        tokio::time::timeout(DEADLINE, wait).await.unwrap().unwrap();
    }

    /// Returns the time since the last answer of the one that flips, if it was a failure.
    #[allow(dead_code, reason = "one benchmark measures it")]
    pub(super) fn since_failure(&self) -> impl Fn() -> Option<Duration> + Send + 'static {
        let answers = self.answers.clone();
        move || answers.borrow().failed.map(|failed| failed.elapsed())
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

async fn serve(socket: Socket, fall: u32, flips: Arc<AtomicBool>, answers: watch::Sender<Answers>) {
    let listener = TcpListener::from_std(socket.into()).unwrap();
    let mut turn = 0;
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let well = !flips.load(Relaxed) || turn == 0;
        turn = (turn + 1) % (fall + 1);
        answers.send_modify(|answers| {
            let failed = (!well).then(Instant::now);
            *answers = Answers { count: answers.count + 1, failed };
        });
        tokio::spawn(answer(stream, if well { WELL } else { ILL }));
    }
}

async fn answer(mut stream: TcpStream, response: &'static [u8]) {
    let mut request = [0; 2048];
    // A prober that aborts has ended.
    let _ = stream.read(&mut request).await;
    let _ = stream.write_all(response).await;
}
