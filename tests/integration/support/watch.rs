//! The stream of `WatchEvents` as lines of text.

use tonic::{Code, Status, Streaming};
use vpp_maglev::pb::event::Event as Kind;
use vpp_maglev::pb::{Event, FailOpenEvent, LogEvent, ResumePoint};

use tokio::time::{Instant, timeout_at};

use super::Names;
use super::wait::DEADLINE;

/// A stream and what it brought.
pub(crate) struct Watch {
    stream: Streaming<Event>,
    names: Names,
    /// Everything so far, in order.
    pub(crate) events: Vec<Event>,
}

impl Watch {
    pub(crate) fn new(stream: Streaming<Event>, names: Names) -> Self {
        Self { stream, names, events: Vec::new() }
    }

    /// Reads until an event says exactly this; gives what came before it.
    pub(crate) async fn until(&mut self, expected: &str) -> Vec<String> {
        let deadline = Instant::now() + DEADLINE;
        let mut before = Vec::new();
        loop {
            let text = self.next_by(deadline).await.unwrap_or_else(|status| {
                panic!("the stream ended before {expected:?}: {status}\n{before:#?}")
            });
            let Some(text) = text else { panic!("no {expected:?} in time; instead\n{before:#?}") };
            if text == expected {
                return before;
            }
            before.push(text);
        }
    }

    /// Reads until each of these is up, in whatever order: `backend a`.
    pub(crate) async fn until_up(&mut self, names: &[&str]) {
        let mut open: Vec<_> = names.iter().map(|name| format!("{name} ")).collect();
        let deadline = Instant::now() + DEADLINE;
        while !open.is_empty() {
            match self.next_by(deadline).await {
                Ok(Some(text)) if text.ends_with(">up") => {
                    open.retain(|name| !text.starts_with(name.as_str()));
                }
                Ok(Some(_)) => {}
                other => panic!("not up: {open:?}: {other:?}"),
            }
        }
    }

    /// Reads until each of these has come, in whatever order; gives all that
    /// came.
    pub(crate) async fn until_all(&mut self, expected: &[&str]) -> Vec<String> {
        let deadline = Instant::now() + DEADLINE;
        let mut events = Vec::new();
        while let Some(open) =
            expected.iter().find(|expected| !events.iter().any(|event| event == *expected))
        {
            match self.next_by(deadline).await {
                Ok(Some(text)) => events.push(text),
                other => panic!("no {open:?}: {other:?}; instead\n{events:#?}"),
            }
        }
        events
    }

    /// The next event; `None` if none comes in time.
    pub(crate) async fn next(&mut self) -> Result<Option<String>, Status> {
        self.next_by(Instant::now() + DEADLINE).await
    }

    /// The next event; `None` if none comes before this.
    async fn next_by(&mut self, deadline: Instant) -> Result<Option<String>, Status> {
        let Ok(event) = timeout_at(deadline, self.stream.message()).await else { return Ok(None) };
        let event = event?.ok_or_else(|| Status::new(Code::Ok, "the stream just ended"))?;
        let text = self.text(&event);
        self.events.push(event);
        Ok(Some(text))
    }

    /// Reads to the end, which must come; gives how it ended.
    pub(crate) async fn end(&mut self) -> Status {
        let deadline = Instant::now() + DEADLINE;
        loop {
            match self.next_by(deadline).await {
                Err(status) => return status,
                Ok(Some(_)) => {}
                Ok(None) => panic!("the stream does not end"),
            }
        }
    }

    /// Where the stream stands.
    pub(crate) fn resume_point(&self) -> ResumePoint {
        let last = self.events.last().unwrap();
        ResumePoint { boot_id: last.boot_id, seq: last.seq }
    }

    /// `backend a up>down`, `frontend v4 down>up`, `dataplane v4
    /// as_weight_updated v4 a weight 0, flush (was 100)`, `log stopping`; of a
    /// probe whose it was and what was seen.
    fn text(&self, event: &Event) -> String {
        let change = |transition: &Option<vpp_maglev::pb::TransitionRecord>| {
            let transition = transition.as_ref().unwrap();
            format!("{}>{}", transition.from, transition.to)
        };
        let text = match event.event.as_ref().unwrap() {
            Kind::Log(log) => self.log_text(log),
            Kind::Backend(of) => format!("backend {} {}", of.backend_name, change(&of.transition)),
            Kind::Frontend(of) => {
                format!("frontend {} {}", of.frontend_name, change(&of.transition))
            }
            Kind::FailOpen(of) => {
                let FailOpenEvent { pool_name, up_weight: up, total_weight: total, .. } = of;
                let change = change(&of.transition);
                format!("fail-open {} {change} {pool_name} {up}/{total}", of.frontend_name)
            }
            Kind::Dataplane(of) => {
                format!("dataplane {} {} {}", of.frontend_name, of.kind, of.detail)
            }
            Kind::Drain(of) => {
                let flows = of.flows.map_or("?".into(), |flows| flows.to_string());
                format!("drain {} {} {flows}", of.backend_name, of.kind)
            }
            Kind::Change(of) => {
                let of_what = [&of.kind, &of.frontend_name, &of.pool_name, &of.backend_name];
                let of_what = of_what.map(String::as_str).join(" ");
                let overridden = if of.overridden { " overridden" } else { "" };
                format!("change {of_what} {}>{}{overridden}", of.from, of.to)
            }
            Kind::Hold(hold) => {
                let words = [&hold.probes, &hold.kind, &hold.outcome].map(String::as_str);
                format!("hold {}", words.join(" ").trim_end())
            }
            Kind::Audit(of) => format!("audit {}: {}", of.what, of.outcome),
            Kind::Announcement(of) => {
                let words = [&of.kind, &of.prefix, &of.driver].map(String::as_str);
                let words: Vec<_> = words.into_iter().filter(|word| !word.is_empty()).collect();
                format!("announcement {} {}>{}", words.join(" "), of.from, of.to)
            }
            Kind::Missed(missed) => format!("missed {}", missed.count),
        };
        self.names.shorten(&text)
    }

    fn log_text(&self, log: &LogEvent) -> String {
        let attr = |key| log.attrs.iter().find(|attr| attr.key == key);
        match (attr("backend"), attr("detail")) {
            (Some(backend), Some(detail)) => {
                format!("log {} {}: {}", log.msg, backend.value, detail.value)
            }
            _ => format!("log {}", log.msg),
        }
    }
}
