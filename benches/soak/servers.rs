//! One HTTP server on every address of loopback. Which backends are ill, and
//! how, follows from the address that a probe came to.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use fastrand::Rng;
use socket2::{Domain, Socket, Type};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::scene::Scene;

const WELL: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
const BAD: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno";

/// Backends that fall ill at every turn.
const ILL_EACH_TURN: usize = 8;
/// The longest that one is ill.
const LONGEST: u64 = 60;

#[derive(Clone, Copy)]
enum Illness {
    Bad,
    Closes,
    Hangs,
}

type Ill = Arc<Mutex<BTreeMap<IpAddr, (Illness, Instant)>>>;

/// The servers, on a thread of their own.
pub(super) struct Servers {
    port: u16,
    ill: Ill,
}

impl Servers {
    pub(super) fn start() -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        // Nobody but this machine reaches it.
        socket.bind_device(Some(b"lo")).unwrap();
        socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)).into()).unwrap();
        socket.listen(4096).unwrap();
        socket.set_nonblocking(true).unwrap();
        let port = socket.local_addr().unwrap().as_socket().unwrap().port();
        let ill = Ill::default();
        let known = Arc::clone(&ill);
        std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::from_std(socket.into()).unwrap();
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    tokio::spawn(answer(stream, Arc::clone(&known)));
                }
            });
        });
        Self { port, ill }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Some heal, and some fall ill.
    pub(super) fn turn(&self, scene: &Scene, rng: &mut Rng) {
        let mut ill = self.ill.lock().unwrap();
        ill.retain(|_, (_, until)| *until > Instant::now());
        for _ in 0..ILL_EACH_TURN {
            let illness = rng.choice([Illness::Bad, Illness::Closes, Illness::Hangs]).unwrap();
            let until = Instant::now() + Duration::from_secs(rng.u64(1..=LONGEST));
            ill.insert(scene.any_address(rng), (illness, until));
        }
    }
}

async fn answer(mut stream: TcpStream, ill: Ill) {
    let Ok(address) = stream.local_addr() else { return };
    let illness = ill.lock().unwrap().get(&address.ip()).map(|(illness, _)| *illness);
    let mut request = [0; 2048];
    // A prober that aborts has ended.
    let _ = stream.read(&mut request).await;
    let response = match illness {
        None => WELL,
        Some(Illness::Bad) => BAD,
        Some(Illness::Closes) => return,
        Some(Illness::Hangs) => {
            // Until the prober gives up.
            let _ = stream.read(&mut request).await;
            return;
        }
    };
    let _ = stream.write_all(response).await;
}
