//! The servers: each takes flows out of GRE, answers every line with its name,
//! and answers its health check as it is told to.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};

use super::configuration::{HEALTH_PORT, PORT};
use super::gre::decapsulate;
use super::namespaces::{enter, server};

/// Lines after which a connection is one of those that are held.
const HELD: usize = 4;
/// A client that is silent for longer has gone.
const SILENCE: Duration = Duration::from_secs(90);
/// IPPROTO_RAW: what is sent has its header (raw(7)).
const RAW: i32 = 255;
const GRE: i32 = 47;

/// One of them. It lasts as long as this process.
pub(crate) struct Server(Arc<Shared>);

#[derive(Default)]
struct Shared {
    is_ill: AtomicBool,
    run: AtomicUsize,
    /// Of this run. What broke in an earlier one stays open for a while.
    held: AtomicUsize,
}

impl Server {
    /// Starts it in its namespace.
    pub(crate) fn start(index: usize) -> Self {
        let shared = Arc::<Shared>::default();
        let name = server(index);
        inside(&name, decapsulate_all);
        let health = shared.clone();
        inside(&name, move || serve(HEALTH_PORT, move |stream| answer_check(&stream, &health)));
        let (line, lines) = (format!("{name}\n"), shared.clone());
        inside(&name, move || serve(PORT, move |stream| answer_lines(&stream, &line, &lines)));
        Self(shared)
    }

    /// Whether its health check answers 503.
    pub(crate) fn set_ill(&self, is_ill: bool) {
        self.0.is_ill.store(is_ill, Ordering::Relaxed);
    }

    /// Those who connect from now on are the clients of another run.
    pub(crate) fn begin_run(&self) {
        self.0.run.fetch_add(1, Ordering::Relaxed);
        self.0.held.store(0, Ordering::Relaxed);
    }

    /// Connections of this run that are held to it at present.
    pub(crate) fn held(&self) -> usize {
        self.0.held.load(Ordering::Relaxed)
    }
}

fn inside(name: &str, run: impl FnOnce() + Send + 'static) {
    let name = name.to_owned();
    thread::spawn(move || {
        enter(&name);
        run();
    });
}

/// Hands on to this host what comes to it in GRE: the VIP is its address too.
fn decapsulate_all() {
    let mut tunnel = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::from(GRE))).unwrap();
    let host = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::from(RAW))).unwrap();
    let mut buffer = vec![0; 65536];
    loop {
        let length = tunnel.read(&mut buffer).unwrap();
        match decapsulate(&buffer[..length]) {
            Ok(inner) => {
                let to = SocketAddrV4::new(inner.destination, 0).into();
                if let Err(error) = host.send_to(inner.packet, &to) {
                    eprintln!("what was decapsulated for {}: {error}", inner.destination);
                }
            }
            Err(error) => eprintln!("what came to decapsulate: {error}"),
        }
    }
}

/// Each connection has a thread.
fn serve(port: u16, answer: impl Fn(TcpStream) + Clone + Send + 'static) {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).unwrap();
    for stream in listener.incoming() {
        let answer = answer.clone();
        let stream = stream.unwrap();
        stream.set_read_timeout(Some(SILENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        thread::spawn(move || answer(stream));
    }
}

fn answer_lines(mut stream: &TcpStream, name: &str, shared: &Shared) {
    let lines = BufReader::new(stream).lines().map_while(Result::ok);
    let run = shared.run.load(Ordering::Relaxed);
    let is_present = || shared.run.load(Ordering::Relaxed) == run;
    let mut count = 0;
    for _ in lines {
        count += 1;
        if count == HELD && is_present() {
            shared.held.fetch_add(1, Ordering::Relaxed);
        }
        if stream.write_all(name.as_bytes()).is_err() {
            break;
        }
    }
    if count >= HELD && is_present() {
        shared.held.fetch_sub(1, Ordering::Relaxed);
    }
}

fn answer_check(mut stream: &TcpStream, shared: &Shared) {
    let request = BufReader::new(stream).lines().map_while(Result::ok);
    // An empty line ends it.
    if request.take_while(|line| !line.is_empty()).count() == 0 {
        return;
    }
    let status = match shared.is_ill.load(Ordering::Relaxed) {
        true => "503 Service Unavailable",
        false => "200 OK",
    };
    // The prober may have had enough.
    let _ = write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}
