//! HAProxy and our prober ask backends that answer by one sequence, each check
//! the next result, and must come to the same verdicts in the same effect.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use crate::support::probe::*;
use crate::support::wait::{DEADLINE, eventually};
use actix::prelude::*;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, UdpSocket};
use vpp_maglev::actors::prober::{
    Answered, CertificateSeen, Damped, NoteWitness, ProbeTransport, Prober, Stop, Suspected,
    Transitioned, TrendChanged,
};
use vpp_maglev::domain::controller::{ControllerEffect, ControllerState};
use vpp_maglev::domain::evidence::doubts::Suspicion;
use vpp_maglev::domain::health::State;
use vpp_maglev::domain::health::doubt::Doubt;
use vpp_maglev::domain::prober_id::ProberId;
use vpp_maglev::probe::ThreadResources;

/// How many sequences are played.
const SEQUENCES: usize = 60;

/// Results of each.
const LENGTH: usize = 20;

/// What a backend answers, and how it is judged.
struct Sequence {
    results: Vec<bool>,
    rise: usize,
    fall: usize,
}

impl Sequence {
    fn random(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        // Runs of one result, as long as it takes to matter.
        let (mut results, mut result) = (Vec::new(), random.bool());
        while results.len() < LENGTH {
            results.extend(std::iter::repeat_n(result, random.usize(1..=4)));
            result = !result;
        }
        Self { results, rise: random.usize(1..=4), fall: random.usize(1..=4) }
    }
}

/// Serves the sequence, then failures; `played` counts.
async fn serve(sequence: &Sequence) -> (SocketAddr, Rc<Cell<usize>>) {
    let played = Rc::new(Cell::new(0));
    let (results, count) = (Rc::new(sequence.results.clone()), Rc::clone(&played));
    let address = listen(V4, move |mut stream| {
        let (results, count) = (Rc::clone(&results), Rc::clone(&count));
        async move {
            request(&mut stream).await;
            let pass = results.get(count.get()).copied().unwrap_or(false);
            count.set(count.get() + 1);
            let status = if pass { "200 OK" } else { "503 Service Unavailable" };
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
            let _ = stream.write_all(head.as_bytes()).await;
        }
    })
    .await;
    (address, played)
}

/// Waits until each sequence was played out and the result after it asked for,
/// so that every verdict before that is known.
async fn played_out(sequences: &[Sequence], played: &[Rc<Cell<usize>>]) {
    let is_over = |(sequence, played): (&Sequence, &Rc<Cell<usize>>)| {
        played.get() > sequence.results.len() + sequence.fall
    };
    eventually("all sequences are played", DEADLINE, async || {
        sequences.iter().zip(played).all(is_over)
    })
    .await;
}

/// A process, ended with this.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// HAProxy's verdicts, one text of `U` and `D` a sequence.
async fn by_haproxy(sequences: &[Sequence]) -> Vec<String> {
    let log = UdpSocket::bind((V4, 0)).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    // Without a frontend HAProxy sees nothing to do, and ends.
    let mut config = format!(
        "global\n log {} local0\ndefaults\n mode http\n log global\n timeout connect 5s\n \
         timeout client 5s\n timeout server 5s\n timeout check 5s\n option httpchk GET /\n\
         frontend idle\n bind unix@{}\n",
        log.local_addr().unwrap(),
        directory.path().join("idle.sock").display()
    );
    let mut played = Vec::new();
    for (number, sequence) in sequences.iter().enumerate() {
        let (address, count) = serve(sequence).await;
        played.push(count);
        let Sequence { rise, fall, .. } = sequence;
        let _ = write!(
            config,
            "backend b{number}\n server s {address} check rise {rise} fall {fall} \
             inter 120ms fastinter 100ms downinter 110ms\n"
        );
    }
    let path = directory.path().join("haproxy.cfg");
    std::fs::write(&path, config).unwrap();
    let mut command = Command::new("haproxy");
    command.arg("-db").arg("-f").arg(&path).stdout(Stdio::null()).stderr(Stdio::null());
    let _haproxy = Process(command.spawn().unwrap());

    let mut logged = BTreeMap::new();
    let mut buffer = [0; 2048];
    let mut over = std::pin::pin!(played_out(sequences, &played));
    // Read as it comes, so that none is lost.
    loop {
        tokio::select! {
            () = &mut over => break,
            size = log.recv(&mut buffer) => note(&buffer[..size.unwrap()], &mut logged),
        }
    }
    while let Ok(size) = log.try_recv(&mut buffer) {
        note(&buffer[..size], &mut logged);
    }
    (0..sequences.len()).map(|number| logged.remove(&number).unwrap_or_default()).collect()
}

/// Takes `Server bN/s is UP, reason: …` out of a line of the log.
fn note(line: &[u8], logged: &mut BTreeMap<usize, String>) {
    let line = String::from_utf8_lossy(line);
    let Some((_, rest)) = line.split_once("Server b") else { return };
    let Some((number, rest)) = rest.split_once("/s is ") else { return };
    let flip = if rest.starts_with("UP") { 'U' } else { 'D' };
    logged.entry(number.parse().unwrap()).or_default().push(flip);
}

/// Receives what probers send to the Controller.
#[derive(Default)]
struct Recorder {
    verdicts: BTreeMap<String, String>,
    probers: BTreeMap<String, Addr<Prober>>,
}

impl Actor for Recorder {
    type Context = Context<Self>;
}

impl Handler<Transitioned> for Recorder {
    type Result = ();

    fn handle(&mut self, logged: Transitioned, _: &mut Self::Context) {
        let verdicts = self.verdicts.entry(logged.backend.to_string()).or_default();
        match (logged.transition.from, logged.transition.to) {
            // HAProxy takes a server for up until it knows better.
            (State::Unknown, State::Up) => {}
            (_, State::Up) => verdicts.push('U'),
            (_, State::Down) => verdicts.push('D'),
            (_, other) => panic!("a probed backend became {other}"),
        }
    }
}

/// Where a verdict needs a witness, there is one: HAProxy believes every failure.
impl Handler<Suspected> for Recorder {
    type Result = ();

    fn handle(&mut self, suspected: Suspected, _: &mut Self::Context) {
        if let Suspicion::Doubted(Doubt { id, .. }) = suspected.suspicion {
            let (by, began) = (ProberId::default(), Instant::now());
            let prober = &self.probers[suspected.backend.as_str()];
            prober.do_send(NoteWitness { doubt: Some(id), by, began });
        }
    }
}

impl Handler<TrendChanged> for Recorder {
    type Result = ();

    fn handle(&mut self, _: TrendChanged, _: &mut Self::Context) {}
}

impl Handler<Damped> for Recorder {
    type Result = ();

    fn handle(&mut self, _: Damped, _: &mut Self::Context) {}
}

impl Handler<CertificateSeen> for Recorder {
    type Result = ();

    fn handle(&mut self, _: CertificateSeen, _: &mut Self::Context) {}
}

impl Handler<Answered> for Recorder {
    type Result = ();

    fn handle(&mut self, answered: Answered, _: &mut Self::Context) {
        panic!("nobody was asked: {answered:?}");
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct Record(String, Addr<Prober>);

impl Handler<Record> for Recorder {
    type Result = ();

    fn handle(&mut self, Record(backend, prober): Record, _: &mut Self::Context) {
        self.probers.insert(backend, prober);
    }
}

#[derive(Message)]
#[rtype(result = "BTreeMap<String, String>")]
struct GetVerdicts;

impl Handler<GetVerdicts> for Recorder {
    type Result = MessageResult<GetVerdicts>;

    fn handle(&mut self, _: GetVerdicts, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.verdicts.clone())
    }
}

/// Our verdicts, likewise.
async fn by_prober(sequences: &[Sequence]) -> Vec<String> {
    let (mut checks, mut backends, mut played) = (String::new(), String::new(), Vec::new());
    for (number, sequence) in sequences.iter().enumerate() {
        let (address, count) = serve(sequence).await;
        played.push(count);
        let (Sequence { rise, fall, .. }, port) = (sequence, address.port());
        let _ = writeln!(
            checks,
            "    c{number}: {{ type: http, port: {port}, interval: 120ms, fast-interval: 100ms, \
             down-interval: 110ms, timeout: 5s, rise: {rise}, fall: {fall} }}"
        );
        let _ =
            writeln!(backends, "    b{number}: {{ address: 127.0.0.1, healthcheck: c{number} }}");
    }
    let text = format!(
        "maglev:\n  vpp:\n    lb: {{ ipv4-src-address: 192.0.2.1, ipv6-src-address: '2001:db8::1' }}\n  \
         healthchecks:\n{checks}  backends:\n{backends}"
    );
    let config = vpp_maglev::config::parse(&text).unwrap().config;
    let (_, effects) = ControllerState::new(Arc::new(config), SystemTime::now());
    let recorder = Recorder::default().start();
    let shared = ThreadResources::new();
    let mut probers = Vec::new();
    for effect in effects {
        if let ControllerEffect::StartProber { id, backend, settings } = effect {
            let (to, name) = ((&recorder).into(), backend.to_string());
            let transport = ProbeTransport::Network(shared.clone());
            let prober = Prober::new(id, backend, settings, transport, to).start();
            recorder.send(Record(name, prober.clone())).await.unwrap();
            probers.push(prober);
        }
    }
    assert_eq!(probers.len(), sequences.len());
    played_out(sequences, &played).await;
    for prober in probers {
        prober.send(Stop).await.unwrap();
    }
    let mut verdicts = recorder.send(GetVerdicts).await.unwrap();
    (0..sequences.len()).map(|n| verdicts.remove(&format!("b{n}")).unwrap_or_default()).collect()
}

#[actix_rt::test]
async fn verdicts_are_haproxys() {
    if !is_installed("haproxy") {
        return;
    }
    let seed = fastrand::u64(..);
    let sequences: Vec<_> =
        (0..SEQUENCES as u64).map(|number| Sequence::random(seed.wrapping_add(number))).collect();
    let (theirs, ours) = tokio::join!(by_haproxy(&sequences), by_prober(&sequences));
    for (number, sequence) in sequences.iter().enumerate() {
        let results: String = sequence.results.iter().map(|r| if *r { '+' } else { '-' }).collect();
        let (rise, fall) = (sequence.rise, sequence.fall);
        assert_eq!(
            ours[number], theirs[number],
            "seed {seed}, rise {rise} fall {fall}, results {results}"
        );
    }
    let flips: usize = ours.iter().map(String::len).sum();
    assert!(flips > SEQUENCES, "{flips} flips are too few to tell anything");
}

/// A backend that never answers, and a prober that is stopped meanwhile.
#[actix_rt::test]
async fn a_prober_that_is_stopped_leaves_no_socket_open() {
    use tokio::io::AsyncReadExt;
    let listener = TcpListener::bind((V4, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let text = format!(
        "maglev: {{ vpp: {{ lb: {{ ipv4-src-address: 192.0.2.1, ipv6-src-address: '2001:db8::1' }} }}, \
         healthchecks: {{ web: {{ type: http, port: {port}, interval: 100ms, timeout: 30s }} }}, \
         backends: {{ b: {{ address: 127.0.0.1, healthcheck: web }} }} }}"
    );
    let config = vpp_maglev::config::parse(&text).unwrap().config;
    let (_, effects) = ControllerState::new(Arc::new(config), SystemTime::now());
    let Some(ControllerEffect::StartProber { id, backend, settings }) = effects.into_iter().next()
    else {
        panic!("a prober is started");
    };
    let to = (&Recorder::default().start()).into();
    let transport = ProbeTransport::Network(ThreadResources::new());
    let prober = Prober::new(id, backend, settings, transport, to).start();
    let (mut stream, _) = listener.accept().await.unwrap();
    request(&mut stream).await;
    prober.send(Stop).await.unwrap();
    // The peer sees the end long before the timeout of the probe.
    let end = tokio::time::timeout(Duration::from_secs(10), stream.read_u8()).await;
    assert!(end.expect("the socket is closed at once").is_err());
}
