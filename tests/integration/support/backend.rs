//! HTTP servers on loopback that the daemon probes and tests stop.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};

use socket2::{Domain, Socket, Type};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// A server with an address of its own that answers every request with `ok`.
pub(crate) struct Backend {
    pub(crate) name: &'static str,
    pub(crate) address: SocketAddr,
    /// Bound and never listening: keeps the port while the server is stopped.
    _place: Socket,
    serving: Option<JoinHandle<()>>,
    requests: watch::Sender<u64>,
}

impl Backend {
    /// A backend that serves.
    pub(crate) fn start(name: &'static str) -> Self {
        let mut backend = Self::stopped(name);
        backend.serve();
        backend
    }

    /// A backend that refuses connections until [`serve`](Self::serve).
    pub(crate) fn stopped(name: &'static str) -> Self {
        let place = bind(SocketAddr::new(next_address(), 0));
        let address = place.local_addr().unwrap().as_socket().unwrap();
        let (requests, _) = watch::channel(0);
        Self { name, address, _place: place, serving: None, requests }
    }

    pub(crate) fn ip(&self) -> IpAddr {
        self.address.ip()
    }

    /// Opens its socket.
    pub(crate) fn serve(&mut self) {
        let socket = bind(self.address);
        socket.listen(1024).unwrap();
        socket.set_nonblocking(true).unwrap();
        let listener = TcpListener::from_std(socket.into()).unwrap();
        let requests = self.requests.clone();
        self.serving = Some(tokio::spawn(async move {
            let mut clients = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                while clients.try_join_next().is_some() {}
                clients.spawn(answer(stream, requests.clone()));
            }
        }));
    }

    /// Closes its socket: once this returns, connections are refused.
    pub(crate) async fn stop(&mut self) {
        if let Some(serving) = self.serving.take() {
            serving.abort();
            assert!(serving.await.unwrap_err().is_cancelled());
        }
    }

    /// Requests as they come, as a number that rises.
    pub(crate) fn requests(&self) -> watch::Receiver<u64> {
        self.requests.subscribe()
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        if let Some(serving) = &self.serving {
            serving.abort();
        }
    }
}

/// Gives every backend an address that no other has, and every test program
/// addresses that no other program has at the time. The last number has three
/// digits, so that no address begins another.
fn next_address() -> IpAddr {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    /// Addresses that share their first three numbers.
    const BLOCK: u32 = 155;
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let [.., high, low] = std::process::id().to_be_bytes();
    let [block, last] = [number / BLOCK, 100 + number % BLOCK].map(|n| u8::try_from(n).unwrap());
    assert!(block < 8, "a test program has used up its addresses");
    Ipv4Addr::new(127, 64 + 16 * block + high % 16, low, last).into()
}

fn bind(address: SocketAddr) -> Socket {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).unwrap();
    socket.set_reuse_address(true).unwrap();
    socket.bind(&address.into()).unwrap();
    socket
}

async fn answer(mut stream: TcpStream, requests: watch::Sender<u64>) {
    let mut request = [0; 2048];
    // A prober that aborts has had its answer already.
    let _ = stream.read(&mut request).await;
    requests.send_modify(|count| *count += 1);
    let ok = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
    let _ = stream.write_all(ok).await;
}
