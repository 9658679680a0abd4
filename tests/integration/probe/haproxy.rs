//! HAProxy and our prober ask backends that answer by one script, each check
//! the next result, and must come to the same verdicts in the same order.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::support::probe::*;
use actix::prelude::*;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, UdpSocket};
use vpp_maglev::actors::prober::Transitioned;
use vpp_maglev::actors::prober::{ProbeTransport, Prober, Stop};
use vpp_maglev::domain::controller::{ControllerEffect, ControllerState};
use vpp_maglev::domain::health::State;
use vpp_maglev::probe::ThreadResources;

/// How many scripts are played.
const SCRIPTS: usize = 60;

/// Results of each.
const LENGTH: usize = 20;

/// What a backend answers, and how it is judged.
struct Script {
    results: Vec<bool>,
    rise: usize,
    fall: usize,
}

impl Script {
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

/// Serves the script, then failures; `played` counts.
async fn serve(script: &Script) -> (SocketAddr, Rc<Cell<usize>>) {
    let played = Rc::new(Cell::new(0));
    let (results, count) = (Rc::new(script.results.clone()), Rc::clone(&played));
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

/// Waits until each script was played out and the result after it asked for,
/// so that every verdict before is told.
async fn played_out(scripts: &[Script], played: &[Rc<Cell<usize>>]) {
    let done = async {
        while scripts
            .iter()
            .zip(played)
            .any(|(script, played)| played.get() <= script.results.len() + script.fall)
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let played_out = tokio::time::timeout(LONG, done).await;
    assert!(played_out.is_ok(), "played only {played:?} of {LENGTH} and more");
}

/// A process, ended with this.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// HAProxy's verdicts, one text of `U` and `D` a script.
async fn by_haproxy(scripts: &[Script]) -> Vec<String> {
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
    for (number, script) in scripts.iter().enumerate() {
        let (address, count) = serve(script).await;
        played.push(count);
        let Script { rise, fall, .. } = script;
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

    let mut told = BTreeMap::new();
    let mut buffer = [0; 2048];
    let mut over = std::pin::pin!(played_out(scripts, &played));
    // Read as it comes, so that none is lost.
    loop {
        tokio::select! {
            () = &mut over => break,
            size = log.recv(&mut buffer) => note(&buffer[..size.unwrap()], &mut told),
        }
    }
    while let Ok(size) = log.try_recv(&mut buffer) {
        note(&buffer[..size], &mut told);
    }
    (0..scripts.len()).map(|number| told.remove(&number).unwrap_or_default()).collect()
}

/// Takes `Server bN/s is UP, reason: …` out of a line of the log.
fn note(line: &[u8], told: &mut BTreeMap<usize, String>) {
    let line = String::from_utf8_lossy(line);
    let Some((_, rest)) = line.split_once("Server b") else { return };
    let Some((number, rest)) = rest.split_once("/s is ") else { return };
    let flip = if rest.starts_with("UP") { 'U' } else { 'D' };
    told.entry(number.parse().unwrap()).or_default().push(flip);
}

/// Hears what probers tell the Controller.
#[derive(Default)]
struct Ear(BTreeMap<String, String>);

impl Actor for Ear {
    type Context = Context<Self>;
}

impl Handler<Transitioned> for Ear {
    type Result = ();

    fn handle(&mut self, told: Transitioned, _: &mut Self::Context) {
        let heard = self.0.entry(told.backend.to_string()).or_default();
        match (told.transition.from, told.transition.to) {
            // HAProxy takes a server for up until it knows better.
            (State::Unknown, State::Up) => {}
            (_, State::Up) => heard.push('U'),
            (_, State::Down) => heard.push('D'),
            (_, other) => panic!("a probed backend became {other}"),
        }
    }
}

#[derive(Message)]
#[rtype(result = "BTreeMap<String, String>")]
struct Heard;

impl Handler<Heard> for Ear {
    type Result = MessageResult<Heard>;

    fn handle(&mut self, _: Heard, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.0.clone())
    }
}

/// Our verdicts, likewise.
async fn by_prober(scripts: &[Script]) -> Vec<String> {
    let (mut checks, mut backends, mut played) = (String::new(), String::new(), Vec::new());
    for (number, script) in scripts.iter().enumerate() {
        let (address, count) = serve(script).await;
        played.push(count);
        let (Script { rise, fall, .. }, port) = (script, address.port());
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
    let (_, orders) = ControllerState::new(Arc::new(config), SystemTime::now());
    let ear = Ear::default().start();
    let shared = ThreadResources::new();
    let mut probers = Vec::new();
    for order in orders {
        if let ControllerEffect::StartProber { id, backend, settings } = order {
            let to = ear.clone().recipient();
            probers.push(
                Prober::new(id, backend, settings, ProbeTransport::Network(shared.clone()), to)
                    .start(),
            );
        }
    }
    assert_eq!(probers.len(), scripts.len());
    played_out(scripts, &played).await;
    for prober in probers {
        prober.send(Stop).await.unwrap();
    }
    let mut heard = ear.send(Heard).await.unwrap();
    (0..scripts.len()).map(|n| heard.remove(&format!("b{n}")).unwrap_or_default()).collect()
}

#[actix_rt::test]
async fn verdicts_are_haproxys() {
    if !is_installed("haproxy") {
        return;
    }
    let seed = fastrand::u64(..);
    let scripts: Vec<_> =
        (0..SCRIPTS as u64).map(|number| Script::random(seed.wrapping_add(number))).collect();
    let (theirs, ours) = tokio::join!(by_haproxy(&scripts), by_prober(&scripts));
    for (number, script) in scripts.iter().enumerate() {
        let results: String = script.results.iter().map(|r| if *r { '+' } else { '-' }).collect();
        let (rise, fall) = (script.rise, script.fall);
        assert_eq!(
            ours[number], theirs[number],
            "seed {seed}, rise {rise} fall {fall}, results {results}"
        );
    }
    let flips: usize = ours.iter().map(String::len).sum();
    assert!(flips > SCRIPTS, "{flips} flips are too few to tell anything");
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
    let (_, orders) = ControllerState::new(Arc::new(config), SystemTime::now());
    let Some(ControllerEffect::StartProber { id, backend, settings }) = orders.into_iter().next()
    else {
        panic!("a prober is started");
    };
    let to = Ear::default().start().recipient();
    let prober =
        Prober::new(id, backend, settings, ProbeTransport::Network(ThreadResources::new()), to)
            .start();
    let (mut stream, _) = listener.accept().await.unwrap();
    request(&mut stream).await;
    prober.send(Stop).await.unwrap();
    // The peer sees the end long before the timeout of the probe.
    let end = tokio::time::timeout(Duration::from_secs(10), stream.read_u8()).await;
    assert!(end.expect("the socket is closed at once").is_err());
}
