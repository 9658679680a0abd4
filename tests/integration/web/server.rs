//! The built maglev-web as a child process.

use std::process::{Command, Stdio};

use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use super::http::{Answer, Asked, Lines};
use crate::support::{Daemon, ReadyDaemon, TestBed, soon};

/// A running maglev-web, on a port of its own.
pub(super) struct WebServer {
    process: Daemon,
    pub(super) address: String,
    _dir: tempfile::TempDir,
}

/// maglev-web without anything of the environment that it heeds.
pub(super) fn maglev_web() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_maglev-web"));
    let heeded = std::env::vars_os().map(|(name, _)| name);
    for name in heeded.filter(|name| name.to_str().is_some_and(|it| it.starts_with("MAGLEV_"))) {
        command.env_remove(name);
    }
    command.stdin(Stdio::null());
    command
}

/// A file of users: ann operates, bob views, each with the password `NAME's password`;
/// eve, who operates, has none.
pub(super) fn users(dir: &std::path::Path) -> String {
    let path = dir.join("users").to_str().unwrap().to_owned();
    for (name, role) in [("ann", "operator"), ("bob", "viewer")] {
        set_password(&path, name, role, &format!("{name}'s password"));
    }
    let mut command = maglev_web();
    command.args(["passwd", "--users", &path, "--role", "operator", "--no-password", "eve"]);
    assert!(command.status().unwrap().success());
    path
}

pub(super) fn set_password(users: &str, name: &str, role: &str, password: &str) {
    use std::io::Write;
    let mut command = maglev_web();
    command.args(["passwd", "--users", users, "--role", role, name]).stdin(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(format!("{password}\n").as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

/// Who is logged in: what goes with each request.
#[derive(Clone, Debug)]
pub(super) struct LoggedIn {
    pub(super) cookie: String,
    pub(super) token: String,
}

impl LoggedIn {
    pub(super) fn with(&self, asked: Asked) -> Asked {
        asked.header("Cookie", &self.cookie).header("X-Maglev-Token", &self.token)
    }
}

impl WebServer {
    /// For the daemons `lb0`, `lb1`, …
    pub(super) async fn start(daemons: &[&Daemon], flags: &[&str]) -> Self {
        let servers = daemons.iter().enumerate();
        let servers = servers.map(|(number, daemon)| format!("lb{number}={}", daemon.address()));
        Self::start_for(&servers.collect::<Vec<_>>().join(","), flags).await
    }

    pub(super) async fn start_for(servers: &str, flags: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut command = maglev_web();
        command.args(["--server", servers, "--listen", "127.0.0.1:0", "--log-format", "json"]);
        let mut process = Daemon::spawn(command.args(flags));
        let record = process.logged("web-listening").await;
        let address = record["address"].as_str().unwrap().to_owned();
        Self { process, address, _dir: dir }
    }

    pub(super) async fn logged(&mut self, msg: &str) -> Value {
        self.process.logged(msg).await
    }

    pub(super) async fn logged_as(&mut self, what: &str, which: impl Fn(&Value) -> bool) -> Value {
        self.process.logged_as(what, which).await
    }

    pub(super) fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    pub(super) async fn terminate(self) {
        self.process.terminate().await;
    }

    pub(super) async fn connect(&self) -> TcpStream {
        soon(TcpStream::connect(&self.address)).await.expect("a connection").unwrap()
    }

    pub(super) async fn ask(&self, asked: Asked) -> Answer {
        asked.over(self.connect().await).await
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.ask(Asked::get(path)).await
    }

    pub(super) async fn events(&self, path: &str) -> Lines {
        let (status, lines) = Asked::get(path).stream(self.connect().await).await;
        assert_eq!(status, 200);
        lines
    }

    pub(super) async fn state(&self) -> Value {
        self.get("/api/state").await.json()
    }

    /// The stream of one who is logged in.
    pub(super) async fn events_as(&self, who: &LoggedIn) -> Lines {
        let asked = who.with(Asked::get("/api/events"));
        let (status, lines) = asked.stream(self.connect().await).await;
        assert_eq!(status, 200);
        lines
    }

    /// The state once it is so: asked again at each event.
    pub(super) async fn state_when(&self, what: &str, so: impl Fn(&Value) -> bool) -> Value {
        let mut events = self.events("/api/events").await;
        let reached = async {
            loop {
                let state = self.state().await;
                if so(&state) {
                    return state;
                }
                if events.next().await.is_none_or(|event| event.kind == "reset") {
                    events = self.events("/api/events").await;
                }
            }
        };
        soon(reached).await.unwrap_or_else(|| panic!("never: {what}"))
    }

    /// The state once every daemon was read.
    pub(super) async fn ready(&self) -> Value {
        self.state_when("all daemons are up", |state| {
            let daemons = state["daemons"].as_array().unwrap();
            daemons.iter().all(|daemon| daemon["connection"]["state"] == "up")
        })
        .await
    }

    pub(super) async fn log_in(&self, name: &str) -> LoggedIn {
        let answer = self.try_log_in(name, &format!("{name}'s password")).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let token = answer.json()["token"].as_str().unwrap().to_owned();
        LoggedIn { cookie: answer.cookie().unwrap(), token }
    }

    pub(super) async fn try_log_in(&self, name: &str, password: &str) -> Answer {
        let body = json!({ "name": name, "password": password });
        self.ask(Asked::post("/api/login", &body)).await
    }
}

/// A daemon that is ready, with a web server for it whose users are [`users`].
pub(super) struct WebBed {
    pub(super) daemon: ReadyDaemon,
    pub(super) web: WebServer,
    pub(super) users: String,
    _dir: tempfile::TempDir,
}

impl WebBed {
    pub(super) async fn start(flags: &[&str]) -> Self {
        let daemon = ReadyDaemon::start().await;
        let dir = tempfile::tempdir().unwrap();
        let users = users(dir.path());
        let flags = [&["--users", users.as_str()][..], flags].concat();
        let web = WebServer::start(&[&daemon.daemon], &flags).await;
        Self { daemon, web, users, _dir: dir }
    }
}

/// A daemon without a dataplane, whose backends are `a` and `b`.
pub(super) async fn plain_daemon() -> (TestBed, Daemon) {
    let bed = TestBed::new(&["a", "b"]).pools(&["a b"]);
    let daemon = bed.start().await;
    daemon.all(&["a", "b"], "up").await;
    (bed, daemon)
}
