//! HTTP servers on loopback: one for all backends that are always well, one
//! for the backend that flips.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use socket2::{Domain, Socket, Type};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const WELL: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
const ILL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno";

/// The servers, on a thread of their own.
pub(super) struct Backends {
    ports: (u16, u16),
    flips: Arc<AtomicBool>,
}

impl Backends {
    pub(super) fn start() -> Self {
        let (steady, flipping) = (listen(), listen());
        let port = |socket: &Socket| socket.local_addr().unwrap().as_socket().unwrap().port();
        let ports = (port(&steady), port(&flipping));
        let flips = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&flips);
        std::thread::spawn(move || {
            step_back();
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                tokio::spawn(serve(flipping, told));
                serve(steady, Arc::default()).await;
            });
        });
        Self { ports, flips }
    }

    /// Of the steady backends, and of the one that flips.
    pub(super) fn ports(&self) -> (u16, u16) {
        self.ports
    }

    /// Whether the one flips, or is always well.
    pub(super) fn flip(&self, flips: bool) {
        self.flips.store(flips, Relaxed);
    }
}

/// Has the present thread give way: it stands for other machines, and the cores
/// are for what is measured.
pub(super) fn step_back() {
    rustix::process::setpriority_process(None, 10).unwrap();
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

async fn serve(socket: Socket, flips: Arc<AtomicBool>) {
    let listener = TcpListener::from_std(socket.into()).unwrap();
    let mut well = true;
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        well = !flips.load(Relaxed) || !well;
        tokio::spawn(answer(stream, if well { WELL } else { ILL }));
    }
}

async fn answer(mut stream: TcpStream, response: &'static [u8]) {
    let mut request = [0; 2048];
    // A prober that breaks off has ended.
    let _ = stream.read(&mut request).await;
    let _ = stream.write_all(response).await;
}
