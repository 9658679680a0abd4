//! A VIP with servers behind it, as far as a client can see: each connection belongs
//! to one of several names, answers each line with it, and can be moved or reset.

use std::net::SocketAddr;
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What the servers do; a change applies to open connections too.
#[derive(Clone, Copy)]
pub(crate) struct Behaviour {
    /// New connections belong to these names in turn.
    pub(crate) names: &'static [&'static str],
    /// Every connection answers with this name instead.
    pub(crate) moved_to: Option<&'static str>,
    /// Lines are read, and not answered.
    pub(crate) is_silent: bool,
    /// A change resets every connection.
    pub(crate) resets: u32,
}

impl Behaviour {
    pub(crate) fn of(names: &'static [&'static str]) -> Self {
        Self { names, moved_to: None, is_silent: false, resets: 0 }
    }
}

/// Such a VIP.
pub(crate) struct LineServer {
    pub(crate) address: SocketAddr,
    behaviour: watch::Sender<Behaviour>,
    accepting: Option<JoinHandle<()>>,
}

impl LineServer {
    pub(crate) async fn start(names: &'static [&'static str]) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").await.unwrap(), names)
    }

    pub(crate) fn on(listener: TcpListener, names: &'static [&'static str]) -> Self {
        let (behaviour, _) = watch::channel(Behaviour::of(names));
        let address = listener.local_addr().unwrap();
        let mut server = Self { address, behaviour, accepting: None };
        server.accept(listener);
        server
    }

    fn accept(&mut self, listener: TcpListener) {
        let behaviour = self.behaviour.subscribe();
        self.accepting = Some(tokio::spawn(async move {
            let mut number = 0;
            while let Ok((stream, _)) = listener.accept().await {
                let names = behaviour.borrow().names;
                tokio::spawn(serve(stream, names[number % names.len()], behaviour.clone()));
                number += 1;
            }
        }));
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Behaviour)) {
        self.behaviour.send_modify(change);
    }

    /// Refuses new connections; those that are open stay.
    pub(crate) async fn refuse(&mut self) {
        let accepting = self.accepting.take().unwrap();
        accepting.abort();
        assert!(accepting.await.unwrap_err().is_cancelled());
    }

    /// Accepts them again.
    pub(crate) async fn welcome(&mut self) {
        self.accept(TcpListener::bind(self.address).await.unwrap());
    }
}

impl Drop for LineServer {
    fn drop(&mut self) {
        if let Some(accepting) = &self.accepting {
            accepting.abort();
        }
    }
}

async fn serve(stream: TcpStream, name: &str, mut behaviour: watch::Receiver<Behaviour>) {
    let (present, resets) = (behaviour.clone(), behaviour.borrow().resets);
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    loop {
        tokio::select! {
            read = stream.read_line(&mut line) => match read {
                Ok(0) | Err(_) => return,
                Ok(_) => {
                    line.clear();
                    let Behaviour { moved_to, is_silent, .. } = *present.borrow();
                    let answer = format!("{}\n", moved_to.unwrap_or(name));
                    if !is_silent && stream.write_all(answer.as_bytes()).await.is_err() {
                        return;
                    }
                }
            },
            is_reset = async { behaviour.wait_for(|now| now.resets != resets).await.is_ok() } => {
                if is_reset {
                    SockRef::from(stream.get_ref()).set_linger(Some(Duration::ZERO)).unwrap();
                }
                return;
            }
        }
    }
}

/// A UDP server that answers each datagram with a name, until it is dropped.
pub(crate) struct DatagramServer {
    pub(crate) address: SocketAddr,
    task: JoinHandle<()>,
}

impl DatagramServer {
    pub(crate) async fn start(name: &'static str) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let task = tokio::spawn(async move {
            let mut space = vec![0; 65536];
            while let Ok((_, peer)) = socket.recv_from(&mut space).await {
                // A client that is gone needs no answer.
                let _ = socket.send_to(name.as_bytes(), peer).await;
            }
        });
        Self { address, task }
    }
}

impl Drop for DatagramServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}
