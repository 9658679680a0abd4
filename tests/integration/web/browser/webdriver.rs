//! A client of WebDriver (W3C) as chromedriver speaks it: JSON over HTTP on
//! loopback. One browser a test, with a profile of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, getuid, kill_process_group};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};

use crate::support::probe::skipped;
use crate::support::wait::DEADLINE;

/// Names of the browser's program, the likelier first.
const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// A browser without a window. It ends when this is dropped.
pub(super) struct WebDriver {
    driver: Child,
    address: SocketAddr,
    session: String,
    profile: TempDir,
}

/// What a command was answered with in place of a value.
#[derive(Debug)]
pub(super) struct WebDriverError {
    /// As the standard names it: `no such element`, `script timeout`.
    pub(super) error: String,
    pub(super) message: String,
}

impl WebDriver {
    /// `None`, and a line that says so, where there is no Chromium;
    /// `MAGLEV_TEST_CHROMIUM` makes that a failure.
    pub(super) async fn start() -> Option<Self> {
        let found = BROWSERS.into_iter().find(|program| runs(program));
        let Some(program) = found.filter(|_| runs("chromedriver")) else {
            let why = "chromium and chromedriver are not here (Debian packages chromium, chromium-driver)";
            assert!(std::env::var_os("MAGLEV_TEST_CHROMIUM").is_none(), "{why}");
            skipped(why);
            return None;
        };
        let profile = tempfile::tempdir().unwrap();
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .env("TMPDIR", profile.path())
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let port = port(driver.stdout.take().unwrap());
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let mut browser = Self { driver, address, session: String::new(), profile };
        let options = json!({
            "binary": which(program),
            "args": arguments(browser.profile.path().to_str().unwrap()),
        });
        let capabilities = json!({ "alwaysMatch": {
            "goog:chromeOptions": options,
            "goog:loggingPrefs": { "browser": "ALL" },
            "timeouts": { "script": DEADLINE.as_millis(), "pageLoad": DEADLINE.as_millis() },
        }});
        let wanted = json!({ "capabilities": capabilities });
        let session = browser.send("POST", "/session", &wanted).await.unwrap();
        session["sessionId"].as_str().unwrap().clone_into(&mut browser.session);
        Some(browser)
    }

    /// What a command of the session answers.
    pub(super) async fn command(&self, path: &str, body: &Value) -> Result<Value, WebDriverError> {
        self.send("POST", &format!("/session/{}/{path}", self.session), body).await
    }

    /// The same of a command without a body.
    pub(super) async fn read(&self, path: &str) -> Result<Value, WebDriverError> {
        self.send("GET", &format!("/session/{}/{path}", self.session), &Value::Null).await
    }

    async fn send(&self, method: &str, path: &str, body: &Value) -> Result<Value, WebDriverError> {
        let exchange = async {
            let stream = tokio::net::TcpStream::connect(self.address).await?;
            let mut stream = tokio::io::BufReader::new(stream);
            stream.write_all(request(method, path, body).as_bytes()).await?;
            let mut length = 0;
            loop {
                let mut line = String::new();
                stream.read_line(&mut line).await?;
                if line.trim_end().is_empty() {
                    break;
                }
                length = content_length(&line).unwrap_or(length);
            }
            let mut body = vec![0; length];
            // Chromedriver leaves the connection open.
            stream.read_exact(&mut body).await?;
            Ok::<_, std::io::Error>(body)
        };
        // A script may take as long as anything may.
        let answer = tokio::time::timeout(DEADLINE * 2, exchange).await;
        let answer = answer.unwrap_or_else(|_| panic!("no answer to {method} {path} in time"));
        let body = String::from_utf8(answer.unwrap()).unwrap();
        let value = serde_json::from_str::<Value>(&body).unwrap()["value"].take();
        match (value["error"].as_str(), value["message"].as_str()) {
            (Some(error), Some(message)) => {
                Err(WebDriverError { error: error.into(), message: message.into() })
            }
            _ => Ok(value),
        }
    }
}

impl Drop for WebDriver {
    fn drop(&mut self) {
        // It closes its browser before it answers; whatever is left goes with the group.
        let quit = request("DELETE", &format!("/session/{}", self.session), &Value::Null);
        if let Ok(mut stream) = TcpStream::connect(self.address) {
            let _ = stream.set_read_timeout(Some(DEADLINE));
            let _ = stream.write_all(quit.as_bytes());
            let _ = stream.read(&mut [0; 1]);
        }
        let _ = kill_process_group(Pid::from_child(&self.driver), Signal::KILL);
        let _ = self.driver.wait();
    }
}

fn content_length(line: &str) -> Option<usize> {
    let (name, value) = line.split_once(':')?;
    name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
}

fn request(method: &str, path: &str, body: &Value) -> String {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn arguments(profile: &str) -> Vec<String> {
    let mut arguments: Vec<_> = [
        "--headless=new",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        "--force-prefers-reduced-motion",
        "--window-size=1280,900",
    ]
    .map(str::to_owned)
    .into();
    arguments.push(format!("--user-data-dir={profile}/profile"));
    if getuid().is_root() {
        // Its sandbox refuses to be root's, as in a container.
        arguments.push("--no-sandbox".into());
    }
    arguments
}

/// The port that it says it has chosen. What it says later is read and dropped.
fn port(stdout: impl Read + Send + 'static) -> u16 {
    let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
    let started = lines.find_map(|line| {
        let (_, port) = line.split_once("started successfully on port ")?;
        port.trim_end_matches('.').parse().ok()
    });
    std::thread::spawn(move || lines.for_each(drop));
    started.expect("chromedriver says its port")
}

fn runs(program: &str) -> bool {
    let version = Command::new(program).arg("--version").stdin(Stdio::null()).output();
    version.is_ok_and(|output| output.status.success())
}

/// Where it is: chromedriver takes a path alone.
fn which(program: &str) -> String {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|dir| dir.join(program)).find(|it| it.exists());
    found.expect("it has just been run").to_str().unwrap().to_owned()
}
