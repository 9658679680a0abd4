//! A client of HTTP/1.1 that says what it is told to say, over whatever carries bytes.

use std::collections::BTreeMap;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};

use crate::support::soon;

pub(super) trait Carrier: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Carrier for T {}

#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// By their names in small letters.
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The code of an error.
    pub(super) fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }

    /// The cookie that is set, without its attributes.
    pub(super) fn cookie(&self) -> Option<String> {
        Some(self.headers.get("set-cookie")?.split(';').next().unwrap().to_owned())
    }
}

/// A request as it is sent.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    method: &'static str,
    path: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Asked {
    pub(super) fn get(path: &str) -> Self {
        Self { method: "GET", path: path.into(), ..Self::default() }.header("Host", "127.0.0.1")
    }

    pub(super) fn post(path: &str, body: &Value) -> Self {
        let asked = Self { method: "POST", path: path.into(), ..Self::default() };
        let asked = asked.header("Host", "127.0.0.1").header("Content-Type", "application/json");
        Self { body: body.to_string(), ..asked }
    }

    /// With another value of a header, or with one more.
    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(super) async fn over(&self, carrier: impl Carrier) -> Answer {
        let asked = self.clone().header("Connection", "close");
        let mut reader = asked.send(carrier).await;
        let answer = soon(async {
            let (status, headers) = head(&mut reader).await;
            let mut body = Vec::new();
            reader.read_to_end(&mut body).await.unwrap();
            Answer { status, headers, body: String::from_utf8(body).unwrap() }
        });
        answer.await.unwrap_or_else(|| panic!("no answer to {} {}", self.method, self.path))
    }

    /// Sends it, and gives the answer's head and what comes as lines.
    pub(super) async fn stream(&self, carrier: impl Carrier + 'static) -> (u16, Lines) {
        let carrier: Box<dyn Carrier> = Box::new(carrier);
        let mut reader = self.send(carrier).await;
        let (status, _) = soon(head(&mut reader)).await.expect("an answer");
        (status, Lines { reader })
    }

    async fn send<C: Carrier>(&self, mut carrier: C) -> BufReader<C> {
        let mut text = format!("{} {} HTTP/1.1\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str(&format!("Content-Length: {}\r\n\r\n{}", self.body.len(), self.body));
        carrier.write_all(text.as_bytes()).await.unwrap();
        BufReader::new(carrier)
    }
}

async fn head(reader: &mut (impl AsyncBufReadExt + Unpin)) -> (u16, BTreeMap<String, String>) {
    let mut status = String::new();
    reader.read_line(&mut status).await.unwrap();
    let status = status.split(' ').nth(1).unwrap_or_else(|| panic!("no head: {status:?}"));
    let status = status.parse().unwrap();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).await.unwrap();
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    (status, headers)
}

/// What comes of a stream of events.
pub(super) struct Lines {
    reader: BufReader<Box<dyn Carrier>>,
}

/// One event of it.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) id: Option<String>,
    pub(super) kind: String,
    pub(super) data: Value,
}

impl Lines {
    /// The next event; `None`: the stream has ended.
    pub(super) async fn next(&mut self) -> Option<Event> {
        let (mut id, mut kind) = (None, String::new());
        loop {
            let mut line = String::new();
            let read = soon(self.reader.read_line(&mut line)).await.expect("an event");
            // Between chunks there are lines with their lengths; that of the last is 0.
            let is_end = matches!(read, Ok(0) | Err(_)) || line.trim_end() == "0";
            match line.trim_end().split_once(": ") {
                _ if is_end => return None,
                Some(("id", text)) => id = Some(text.to_owned()),
                Some(("event", text)) => kind = text.to_owned(),
                Some(("data", text)) => {
                    let data = serde_json::from_str(text).unwrap();
                    return Some(Event { id, kind, data });
                }
                _ => {}
            }
        }
    }

    /// The next event of a kind that is so.
    pub(super) async fn until(&mut self, kind: &str, so: impl Fn(&Value) -> bool) -> Event {
        loop {
            let event = self.next().await.unwrap_or_else(|| panic!("it ended without {kind}"));
            if event.kind == kind && so(&event.data) {
                return event;
            }
        }
    }
}
